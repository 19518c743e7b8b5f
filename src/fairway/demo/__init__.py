"""The demo company: an invented bank with a year behind it, so that every page has something to say."""

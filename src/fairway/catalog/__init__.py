"""Configuration items, what joins them, and how far a failure reaches."""

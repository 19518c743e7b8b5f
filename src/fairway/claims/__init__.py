"""Who holds what when, and which of these conflict."""

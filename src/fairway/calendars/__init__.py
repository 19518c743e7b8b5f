"""Freezes and maintenance windows: when work must not be done, and when alone it may be."""

"""Fairway: change, release and environment management."""

__version__ = "0.1.0"

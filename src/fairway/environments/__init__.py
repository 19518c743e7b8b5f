"""Environments, how tightly each is controlled, and what stands in them."""

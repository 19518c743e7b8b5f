"""Benchmarks: figures of the product, each beside a floor measured in the same run. They are never tests."""

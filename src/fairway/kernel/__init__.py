"""Vocabulary every context shares; knows nothing of the business."""

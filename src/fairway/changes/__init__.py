"""Change requests: their models, steps, approval, plans and what stands in their way."""

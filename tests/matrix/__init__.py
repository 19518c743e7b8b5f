"""Who may do what, on every door. A package, so that pytest takes the world down when it leaves it."""

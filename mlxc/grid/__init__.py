"""Real-space grids, and the fields on them."""

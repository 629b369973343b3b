"""Pictures without a screen: which library draws, cameras, and grids of pictures."""

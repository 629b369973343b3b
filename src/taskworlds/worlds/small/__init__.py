"""Small worlds without a simulator: a grid and a point."""

"""The skills of Meta-World, one file for each object."""

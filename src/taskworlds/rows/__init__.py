"""The engines' Python side: what steps the rows of a batch."""

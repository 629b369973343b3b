"""Vector environments: batches of rows that can hold any task each."""

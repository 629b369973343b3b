"""Pages that are made from tables and docstrings while the site is built."""

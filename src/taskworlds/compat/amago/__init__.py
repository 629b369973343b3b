"""AMAGO's environments: trials of k attempts at one task."""

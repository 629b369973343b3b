"""The worlds, a folder each: what their skills are, and how their tasks are made."""

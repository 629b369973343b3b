"""Wrappers around any single Gymnasium environment: one file per thing changed."""

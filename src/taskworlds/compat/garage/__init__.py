"""garage's environments, wrappers and task samplers."""

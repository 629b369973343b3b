"""Single environments: a grid, a point, and adapters that give others garage's protocol."""

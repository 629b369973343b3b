"""What every room rests on: tasks, benchmarks, the records of worlds and engines, and the registry that finds them."""

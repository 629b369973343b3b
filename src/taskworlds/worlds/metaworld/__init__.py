"""Meta-World: its 50 skills, its benchmarks' lists and the goals that a seed gives. Imports no simulator."""

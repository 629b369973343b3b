"""Workers: processes on one or more machines, run by Ray, whose loss costs time and nothing else."""

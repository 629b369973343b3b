"""dm_control's suite as multi-task worlds: its skills, and families whose physics varies."""

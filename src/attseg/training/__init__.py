"""From a recipe to a run folder. Lightning is imported in this package and nowhere else."""

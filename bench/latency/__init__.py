"""How long after a post its consequence can be read, on a machine that does nothing else."""

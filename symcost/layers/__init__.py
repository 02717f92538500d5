"""The layers, one file each: a forward pass and nothing else."""

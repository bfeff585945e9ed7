"""The training loop, its losses, optimiser and checkpoint schedule, and sweeps."""

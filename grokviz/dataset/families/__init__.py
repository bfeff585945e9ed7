"""Several runs as one dataset, for scenes that draw many."""

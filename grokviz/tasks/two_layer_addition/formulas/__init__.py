"""The formulas of two-layer networks, on arrays."""

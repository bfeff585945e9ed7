"""The formulas of modular addition on arrays, each defined once for all measures."""

"""The networks: a transformer written for readability, and exact faster forms of it."""

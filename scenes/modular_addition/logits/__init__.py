"""The logits, and the algorithm that they follow."""

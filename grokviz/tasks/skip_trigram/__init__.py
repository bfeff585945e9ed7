"""Skip trigrams (arXiv:2301.05217, other tasks)."""

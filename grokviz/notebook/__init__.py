"""How runs, scenes and files show themselves in notebooks; what is shown knows nothing of it."""

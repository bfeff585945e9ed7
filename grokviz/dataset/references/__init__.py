"""Bundled references: reading them, and making them from runs."""

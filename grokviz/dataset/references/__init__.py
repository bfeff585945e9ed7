"""Bundled references: reading them, and creating them from runs."""

"""Kills, failing disks, damage and hostile files, tried at many points: see ``__main__.py``."""

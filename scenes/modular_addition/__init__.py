"""Scenes of modular addition: films here, figures by what they show below."""

"""Scenes of networks of two layers, neuron by neuron."""

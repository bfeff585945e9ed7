"""What every run has, whatever it learns: curves, events, spikes, norms, the weights' path."""

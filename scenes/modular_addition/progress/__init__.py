"""How the circuit grows through training, and along sweeps."""

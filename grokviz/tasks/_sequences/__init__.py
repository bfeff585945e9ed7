"""Code shared by the sequence tasks: the model in float64, fresh samples, probes."""

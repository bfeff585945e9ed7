"""What the tasks that read sequences share: the model in float64, fresh samples, probes."""

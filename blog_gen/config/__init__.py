"""Settings: what there are, their bounds, and the files that they come from."""

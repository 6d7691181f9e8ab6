"""Sampling: from a run's weights to token ids, without TensorFlow."""

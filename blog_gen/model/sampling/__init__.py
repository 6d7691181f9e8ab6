"""Sampling: from a run's weights to token ids; never imports TensorFlow."""

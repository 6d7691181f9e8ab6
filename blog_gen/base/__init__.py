"""The embedded base model: data, not code."""

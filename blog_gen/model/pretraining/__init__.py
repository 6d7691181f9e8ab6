"""A base model from scratch, for maintainers."""

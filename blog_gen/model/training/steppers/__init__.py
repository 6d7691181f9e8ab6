"""A training step over arrays kept by name: what all backends offer, and each of them."""

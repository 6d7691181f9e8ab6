"""A corpus becomes a trained run: whether that is due, how it begins, what it leaves."""

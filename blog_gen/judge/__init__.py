"""Candidates to scorecards: is this text new, whole, fluent and unlike a loop? `str` and ids in."""

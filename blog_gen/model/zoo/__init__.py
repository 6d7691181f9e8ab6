"""Models by name: what there is, where it comes from, and how it goes in and out."""

"""A trained run becomes a draft: candidates are sampled, parsed and judged; the best becomes a post."""

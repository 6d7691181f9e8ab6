"""The blog on disk: posts, drafts, slugs and dates, the Jekyll site around them. `str` in, `str` out."""

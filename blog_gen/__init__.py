"""blog_gen: fine-tune GPT-2 on a blog's own posts and draft new ones in the same voice."""

__version__ = "0.2.0"

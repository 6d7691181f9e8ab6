"""What Jekyll builds of a site's files. Its rules only, nothing of what a post is used for."""

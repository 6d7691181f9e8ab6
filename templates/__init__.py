"""Jinja2 templates, installed as `blog_gen.templates`.

A file of the same name in a site's own `templates/` wins.
"""

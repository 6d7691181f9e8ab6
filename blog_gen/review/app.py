"""The review page, its parts put together. What is done is in the views; what they share is here."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import jinja2
from flask import Flask

from blog_gen.config.settings import Settings
from blog_gen.review import guard, model_views, preview_views, views
from blog_gen.review.evidence import Examiner
from blog_gen.review.preview import SitePreview
from blog_gen.review.regenerating import Writer
from blog_gen.review.services import ReviewServices, pages
from blog_gen.review.store import Store

VIEWS = (views, preview_views, model_views)  # imported, each has put its pages on the blueprint
LARGEST_FORM = 64 << 20  # bytes: a draft of 5 MB twice, each letter as three


def create_app(settings: Settings, port: int) -> Flask:
    """The app for one site, which answers on `port` of this machine only."""
    templates = Path(str(resources.files("blog_gen.templates"))) / "review"
    app = Flask(
        __name__, template_folder=templates, static_folder=templates / "static", static_url_path="/-/static"
    )
    # Flask escapes by file name, and ours end in `.j2`.
    app.jinja_options = {"autoescape": True, "undefined": jinja2.StrictUndefined}
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_FORM, MAX_FORM_MEMORY_SIZE=LARGEST_FORM)
    app.extensions["services"] = ReviewServices(
        settings,
        Store(settings),
        SitePreview(settings, templates / "plugin"),
        Writer(settings),
        Examiner(settings),
    )
    app.jinja_env.globals["site_title"] = str(settings.jekyll.get("title") or settings.site.resolve().name)
    guard.protect(app, port)
    app.register_blueprint(pages)
    return app

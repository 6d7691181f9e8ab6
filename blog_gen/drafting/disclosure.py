"""The line under a draft that says how it was made: the same under every draft, so never judged."""

from __future__ import annotations

from blog_gen.config.settings import Settings
from blog_gen.site.drafts import Draft
from blog_gen.site.templates import render

TEMPLATE = "disclosure.md"


def added_to(body: str, model: str, settings: Settings) -> str:
    """`body` with the line under it, unless the site wants none; `model` is the base's name."""
    return f"{body}\n\n{_line(model, settings)}".strip() if settings.disclosure else body


def without(draft: Draft, settings: Settings) -> str:
    """The draft's body as it was judged."""
    model = str(draft.provenance.get("model", settings.model))
    return draft.body.strip().removesuffix(_line(model, settings)).rstrip()


def _line(model: str, settings: Settings) -> str:
    return render(TEMPLATE, settings.site, model=model).strip()

"""How a site stands: what is trained, due, waiting for review. Reads only; imports nothing heavy."""

from __future__ import annotations

from typing import Any

from blog_gen import pipeline
from blog_gen.config import Settings
from blog_gen.errors import ArticleError
from blog_gen.gpt2 import runs
from blog_gen.learning import up_to_date
from blog_gen.site.days import due_days, existing_days
from blog_gen.site.drafts import drafts_in


def status_of(settings: Settings) -> dict[str, Any]:
    """Plain values by name; the order is that in which they are shown."""
    now = pipeline.moment_now(settings)
    meta = runs.read_meta(settings.run_folder)
    drafts, unreadable = drafts_in(settings.output_folder)
    due = due_days(now, settings, existing_days(settings))
    return {
        "model": settings.model,
        "trained": meta is not None,
        "posts_learned": meta.posts if meta else None,
        "reading": meta.reading if meta else None,
        "needs_training": _stale(settings),
        "training_begun": (settings.run_folder / runs.STATE_FOLDER).exists(),
        "due": [day.isoformat() for day in due],
        "next_due": _iso(pipeline.next_due(settings, now)),
        "waiting_for_review": [draft.path.name for draft in drafts if draft.path and not draft.published],
        "published": sum(draft.published for draft in drafts),
        "unreadable": [note.path.name for note in unreadable],
    }


def _stale(settings: Settings) -> bool | None:
    try:
        return not up_to_date(settings)
    except ArticleError:
        return None


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None

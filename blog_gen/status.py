"""How a site stands: what is trained, due, waiting for review. Reads only; imports nothing heavy."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from blog_gen import pipeline
from blog_gen.config import Settings
from blog_gen.errors import ArticleError
from blog_gen.gpt2 import runs
from blog_gen.retraining import Learning, learning_of
from blog_gen.site.dates import zone_of
from blog_gen.site.days import due_days, existing_days, schedule_of
from blog_gen.site.drafts import drafts_in


def status_of(settings: Settings) -> dict[str, Any]:
    """Plain values by name; the order is that in which they are shown."""
    now = pipeline.moment_now(settings)
    meta = runs.read_meta(settings.run_folder)
    drafts, unreadable = drafts_in(settings.output_folder, zone_of(settings))
    due = due_days(now, settings, existing_days(settings))
    learning = _learning(settings, now)
    return {
        "model": settings.model,
        "trained": meta is not None,
        "posts_learned": meta.posts if meta else None,
        "reading": meta.reading if meta else None,
        "learned_on": _iso(learning.learned) if learning else None,
        "needs_training": learning.stale if learning else None,
        "retrain": settings.retrain,
        "next_training": _iso(max(learning.allowed, schedule_of(settings).today(now)))
        if learning and learning.stale and learning.allowed
        else None,
        "training_begun": (settings.run_folder / runs.STATE_FOLDER).exists(),
        "due": [day.isoformat() for day in due],
        "next_due": _iso(pipeline.next_due(settings, now)),
        "waiting_for_review": [draft.path.name for draft in drafts if draft.path and not draft.published],
        "published": sum(draft.published for draft in drafts),
        "unreadable": [note.path.name for note in unreadable],
    }


def _learning(settings: Settings, now: datetime) -> Learning | None:
    try:
        return learning_of(settings, now)
    except ArticleError:
        return None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

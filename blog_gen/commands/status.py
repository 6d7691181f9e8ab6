"""How a site stands: what is trained, due, waiting for review. Reads only; imports nothing heavy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus, read_corpus
from blog_gen.errors import ArticleError, ModelError
from blog_gen.files import read_json
from blog_gen.learning.rehearsal import require_language, require_model, require_run
from blog_gen.learning.retraining import RetrainingDecision, retraining_decision
from blog_gen.site.articles import LEFT_OUT, why_hidden
from blog_gen.site.dates import zone_of
from blog_gen.site.days import due_days, existing_days, moment_now, next_due, schedule_of
from blog_gen.site.drafts import all_drafts, drafts_in


def status_of(settings: Settings, check: bool = False) -> dict[str, Any]:
    """Plain values by name; the order is that in which they are shown.

    Args:
        check: read every file in the state folder, and say which are damaged.
    """
    now = moment_now(settings)
    meta = runs.read_meta(settings.run_folder)
    drafts, faulty = drafts_in(settings.output_folder, zone_of(settings))
    corpus, problem = _corpus(settings)
    due = due_days(now, settings, existing_days(settings))
    retraining = _retraining(settings, now)
    if problem is None and retraining and (retraining.due or due):
        problem = _model_problem(settings, corpus, retraining.due)
    return {
        "problem": problem,
        "model": settings.model,
        "posts": len(corpus.texts) if corpus else 0,
        "posts_left_out": _left_out(corpus),
        "posts_hidden": why_hidden(corpus.hidden) if corpus else "",
        "other_languages": {**corpus.others} if corpus else {},
        "trained": meta is not None,
        "posts_learned": meta.posts - len(meta.held_out) if meta else None,
        "summary": meta.summary if meta else None,
        "learned_on": _iso(retraining.learned) if retraining else None,
        "needs_training": retraining.stale if retraining else None,
        "retrain": settings.retrain,
        "next_training": _iso(max(retraining.allowed, schedule_of(settings).today(now)))
        if retraining and retraining.stale and retraining.allowed
        else None,
        "unfinished_training": (settings.run_folder / runs.STATE_FOLDER).exists(),
        "due": [day.isoformat() for day in due],
        "next_due": _iso(next_due(settings, now)),
        "waiting_for_review": [draft.path.name for draft in drafts if draft.path and not draft.published],
        "published": _approved(settings),
        "unreadable_drafts": [note.path.name for note in faulty],
        "damaged": [path.relative_to(settings.site).as_posix() for path in _damaged(settings, check)],
    }


def _approved(settings: Settings) -> int:
    """How many drafts a visitor may see, wherever approval has moved them."""
    rejected = settings.state_folder
    return sum(
        draft.published
        for draft in all_drafts(settings)
        if draft.path and not draft.path.is_relative_to(rejected)
    )


def _damaged(settings: Settings, check: bool) -> list[Path]:
    """Files that are not what blog-gen wrote."""
    found = [settings.run_folder / name for name in runs.damaged(settings.run_folder, thorough=check)]
    if check:
        paths = sorted(settings.state_folder.rglob("*"))
        found += [path for path in paths if path.suffix in _SOUND and not _SOUND[path.suffix](path)]
    return list(dict.fromkeys(found))


def _is_json(path: Path) -> bool:
    try:
        read_json(path)
    except (OSError, ValueError):
        return False
    return True


def _is_sampler(path: Path) -> bool:
    from blog_gen.model.sampling.sampler_file import is_whole  # imports NumPy

    return is_whole(path)  # one of an earlier version's format is made anew, and no damage


_SOUND = {".json": _is_json, ".tflite": _is_sampler}


def _corpus(settings: Settings) -> tuple[Corpus | None, str | None]:
    """What there is to learn from, and why `run` would not."""
    try:
        corpus = read_corpus(replace(settings, strict=False))
    except ArticleError as error:
        return None, str(error)
    left_out = _left_out(corpus) if settings.strict else []
    return corpus, f"{left_out[0]} must be left out, and the settings are strict" if left_out else None


def _left_out(corpus: Corpus | None) -> list[str]:
    return [note.path.as_posix() for note in corpus.notes if note.action == LEFT_OUT] if corpus else []


def _model_problem(settings: Settings, corpus: Corpus | None, learns: bool) -> str | None:
    """Why there is no model to learn from, or to write with where `run` does not learn."""
    try:
        if corpus and learns:
            require_language(settings, corpus)
            require_model(settings, corpus)  # none is needed where it goes on from the run there is
        elif not learns:
            require_run(settings)
    except ModelError as error:
        return str(error)
    return None


def _retraining(settings: Settings, now: datetime) -> RetrainingDecision | None:
    try:
        return retraining_decision(settings, now)
    except ArticleError:
        return None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

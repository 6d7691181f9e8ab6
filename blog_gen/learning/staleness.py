"""Whether a trained run is of today's posts and settings. Reads bytes, parses no post."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.site.fingerprint import fingerprint
from blog_gen.statcache import StatCache

if TYPE_CHECKING:
    from blog_gen.corpus import Corpus

# Settings of training that change how long it takes or how much memory, not what is learned or how well.
NOT_DECIDING = ("max_minutes", "gradient_accumulation", "activation_checkpointing")


def up_to_date(
    meta: runs.Meta | None, settings: Settings, now: datetime | None = None, look: StatCache | None = None
) -> bool:
    """Whether the finished run `meta` is of today's posts and settings; reads bytes, parses nothing.

    Args:
        now: aware; a post whose day has come since makes it stale. None: days do not count.
        look: at the files; None for a new one.
    """
    return (
        meta is not None
        and same_settings(meta, settings)
        and not (now and meta.changes_at and now >= datetime.fromisoformat(meta.changes_at))
        and meta.fingerprint == fingerprint(settings, look)
    )


def withdrawn(settings: Settings, corpus: Corpus) -> list[str]:
    """The posts that the run there is has learned and no visitor may see any more: hidden, or deleted.

    A post that only has another name is there still.
    """
    meta = runs.read_meta(settings.run_folder)
    if meta is None:
        return []
    seen = set(corpus.hashes.values())
    return [name for name, text in meta.texts.items() if name not in corpus.texts and text not in seen]


def knows_more(meta: runs.Meta, corpus: Corpus) -> bool:
    """Whether a run has learned any text that is not there, word for word, today."""
    return not set(meta.texts.values()) <= set(corpus.hashes.values())


def same_settings(meta: runs.Meta, settings: Settings) -> bool:
    return not settings_that_differ(depends_on(settings), meta.settings)


def depends_on(settings: Settings) -> dict[str, Any]:
    """The settings that a trained run depends on, by their names; changing another one never retrains."""
    training = dataclasses.asdict(settings.training).items()
    decide = {f"training.{name}": value for name, value in training if name not in NOT_DECIDING}
    return {"model": settings.model, "style": settings.style, **decide}


def settings_that_differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The settings in `one` that `other` lacks or has with another value, as they would be written under
    `blog_gen:`; empty if there are none.

    >>> settings_that_differ({"model": "124M", "training.lora": 8, "training.seed": 0}, {"training.seed": 0})
    '`model: 124M`, `training: {lora: 8}`'
    """
    found = {name: value for name, value in one.items() if name not in other or other[name] != value}
    lines = {name: "null" if value is None else value for name, value in found.items()}
    parts = [f"{name}: {value}" for name, value in lines.items() if "." not in name]
    nested = [f"{name.partition('.')[2]}: {value}" for name, value in lines.items() if "." in name]
    if nested:
        parts.append(f"training: {{{', '.join(nested)}}}")
    return ", ".join(f"`{part}`" for part in parts)


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

"""What all views of the review page work with, and how a draft is looked up for them.

An id from the browser is only ever compared with those of the drafts that are there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import cast

from flask import Blueprint, current_app

from blog_gen.config.settings import Settings
from blog_gen.errors import DraftError
from blog_gen.review.entries import Entry
from blog_gen.review.evidence import Examiner
from blog_gen.review.preview import SitePreview
from blog_gen.review.regenerating import Writer
from blog_gen.review.store import Store

pages = Blueprint("review", __name__)


@dataclass(frozen=True)
class ReviewServices:
    """The parts that are there once for each server."""

    settings: Settings
    store: Store
    preview: SitePreview
    writer: Writer
    examiner: Examiner


def services() -> ReviewServices:
    """The services of the server that answers."""
    return cast(ReviewServices, current_app.extensions["services"])


def entry_of(entry_id: str, entries: list[Entry] | None = None) -> Entry:
    """The draft with this id.

    Raises:
        DraftError: it is not there, or not any more.
    """
    known = entries if entries is not None else services().store.entries()
    for entry in known:
        if entry.id == entry_id:
            return entry
    raise DraftError("the draft is no longer there", fix="It was moved or removed; see the list")


def source_id_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]

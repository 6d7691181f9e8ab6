"""What a reviewer should know of a draft's text: where it stands already, and what to look at twice.

Joins the judge's index and the safety check; reads articles, writes only the index that it keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.drafting.facts import site_facts
from blog_gen.errors import BlogGenError, DraftError
from blog_gen.review.deadline import within
from blog_gen.review.entries import LONGEST_SHOWN
from blog_gen.site.articles import Article
from blog_gen.site.fingerprint import fingerprint
from blog_gen.text.safety.facts import Finding, SiteFacts
from blog_gen.text.safety.safe import make_safe

if TYPE_CHECKING:
    from blog_gen.judge.index import CorpusIndex
    from blog_gen.judge.overlap import Run

INDEX_FILE = "review-index.npz"
SECONDS = 10  # for one draft, which takes a second at most
FIRST_SECONDS = 180  # for the articles, of which there may be ten thousand


@dataclass(frozen=True)
class Evidence:
    """What was found of one body."""

    runs: tuple[Run, ...] = ()  # passages that stand in the articles
    share: float | None = None  # of its six-word phrases that do; None: could not be measured
    findings: tuple[Finding, ...] = ()  # what is private, foreign or would not build
    missing: str | None = None  # why there is nothing to compare with
    cut: bool = False  # only the first `LONGEST_SHOWN` characters were looked at
    late: bool = False  # it took too long: nothing was looked at


@dataclass(frozen=True)
class _Known:
    articles: Sequence[Article]
    index: CorpusIndex
    facts: SiteFacts


def evidence_of(body: str, settings: Settings) -> Evidence:
    """Compare `body` with the site's articles, and look for what a person must decide."""
    from blog_gen.judge import copied

    cut, body = len(body) > LONGEST_SHOWN, body[:LONGEST_SHOWN]
    try:
        known = _known(settings)
    except BlogGenError as error:
        return Evidence(findings=make_safe(body, SiteFacts()).findings, missing=str(error), cut=cut)
    overlap = copied(body, known.index)
    return Evidence(overlap.runs, overlap.share, make_safe(body, known.facts).findings, cut=cut)


class Examiner:
    """Evidence within a time limit, so that one draft can never take the page down with it."""

    def __init__(self, settings: Settings, seconds: float = SECONDS) -> None:
        self.settings, self.seconds = settings, seconds
        self._late: set[str] = set()  # bodies that took too long once

    def evidence_of(self, body: str) -> Evidence:
        """As the function of this name; where it takes too long, an `Evidence` that says so."""
        if body in self._late:
            return Evidence(late=True)
        try:
            within(FIRST_SECONDS, _prepare, self.settings)
            return within(self.seconds, evidence_of, body, self.settings)
        except TimeoutError:
            self._late.add(body)
            return Evidence(late=True)
        except DraftError as error:
            return Evidence(missing=str(error))


def _prepare(settings: Settings) -> None:
    """Read and index the articles, which is not the draft's fault and takes longer."""
    with suppress(BlogGenError):  # which `evidence_of` tells of
        _known(settings)


def articles_of(settings: Settings) -> Sequence[Article]:
    """The articles as last read."""
    return _known(settings).articles


def _known(settings: Settings) -> _Known:
    return _read(_Site(settings), fingerprint(settings))


class _Site:
    """Settings that all are one key of the cache: a process has only one site's."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Site) and self.settings.site == other.settings.site

    def __hash__(self) -> int:
        return hash(self.settings.site)


@lru_cache(maxsize=1)
def _read(site: _Site, fingerprint: str) -> _Known:
    """Read and indexed once for every state of the articles."""
    settings = site.settings
    articles = read_corpus(settings).articles  # as they are judged
    facts = replace(site_facts(articles, settings), places=None)  # a person may add a link
    return _Known(articles, _index(settings, articles), facts)


def _index(settings: Settings, articles: Sequence[Article]) -> CorpusIndex:
    from blog_gen.judge.index import CorpusIndex
    from blog_gen.judge.index_file import kept_index

    documents = [(article.path.as_posix(), article.body) for article in articles]
    try:
        return kept_index(settings.state_folder / INDEX_FILE, documents)
    except BlogGenError:  # the site cannot be written: it takes a second each time
        return CorpusIndex.build(documents)

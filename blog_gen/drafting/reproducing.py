"""The same post again from its provenance, or exactly why not."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from blog_gen import __version__, runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.drafting import disclosure
from blog_gen.drafting.drafter import Drafter
from blog_gen.drafting.provenance import WEIGHTS_SHOWN, Provenance
from blog_gen.drafting.request import DraftRequest
from blog_gen.errors import DraftError
from blog_gen.site.dates import zone_of
from blog_gen.site.drafts import read_draft


@dataclass(frozen=True)
class Reproduction:
    """The body written again, whether it is the same, and what differs from when it was written."""

    body: str
    same: bool
    differences: tuple[str, ...]


def reproduce(path: Path, settings: Settings) -> Reproduction:
    """Sample the draft at `path` again.

    Raises:
        DraftError: the file is no draft, or its provenance is not whole.
        ModelError: the site has no trained run.
    """
    draft = read_draft(path, zone_of(settings))
    try:
        made = Provenance.of(draft.provenance)
    except ValueError as error:
        raise DraftError("the provenance must be complete", got=str(error), path=path) from None
    runs.require(settings.run_folder)
    resolved = dataclasses.replace(settings, candidates=1)
    drafter = Drafter(resolved, read_corpus(settings), made.lengths, made.sampling)
    request = DraftRequest(made.day, 0, made.title, made.category, made.tags, made.seed)
    body = drafter.body_again(request) or ""
    same = body == disclosure.without(draft, settings)
    differences = tuple(_differences(made, drafter.sampler.weights_sha256, same))
    return Reproduction(draft.body if same else body, same, differences)


def _differences(made: Provenance, weights: str, same: bool) -> list[str]:
    """What is not as it was, in plain words."""
    found = []
    if made.version != __version__:
        found.append(f"version: then {made.version}, now {__version__}")
    if not made.weights or not weights.startswith(made.weights):
        found.append(f"weights: then {made.weights[:WEIGHTS_SHOWN]}, now {weights[:WEIGHTS_SHOWN]}")
    if not same and not found:
        found.append("your posts changed, the draft was edited, or this machine computes differently")
    return found

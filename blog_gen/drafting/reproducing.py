"""The same post again from its provenance, or exactly why not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog_gen import __version__, runs
from blog_gen.config.settings import SamplingSettings, Settings
from blog_gen.corpus import read_corpus
from blog_gen.drafting import disclosure
from blog_gen.drafting.candidates import Lengths
from blog_gen.drafting.drafter import Drafter, DraftRequest
from blog_gen.errors import DraftError, ModelError
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
    provenance = draft.provenance
    try:
        names = {field.name for field in dataclasses.fields(SamplingSettings)}
        sampling = SamplingSettings(**{key: value for key, value in provenance.items() if key in names})
        seed, asked = int(provenance["seed"]), provenance.get("asked") or {}
        lengths = Lengths(**provenance["length"])
    except (KeyError, TypeError, ValueError) as error:
        raise DraftError("the provenance must be whole", got=str(error), path=path) from None
    if runs.read_meta(settings.run_folder) is None:
        raise ModelError("the site has no trained run", fix="Run `blog-gen train`", path=settings.run_folder)
    resolved = dataclasses.replace(settings, candidates=1, sampling=sampling)
    drafter = Drafter(resolved, read_corpus(settings), lengths)
    request = DraftRequest(
        draft.date.date(),
        title=asked.get("title"),
        category=asked.get("category"),
        tags=tuple(asked.get("tags") or ()),
        seed=seed,
    )
    body = drafter.body_again(request) or ""
    same = body == disclosure.without(draft, settings)
    return Reproduction(draft.body if same else body, same, tuple(_differences(provenance, drafter, same)))


def _differences(provenance: Mapping[str, Any], drafter: Drafter, same: bool) -> list[str]:
    """What is not as it was, in plain words."""
    found = []
    now = {
        "version": __version__,
        "weights": drafter.sampler.weights_sha256,
        "articles": drafter.corpus.sha256,
    }
    for key, value in now.items():
        if provenance.get(key) != value:
            found.append(f"{key}: then {str(provenance.get(key))[:16]}, now {value[:16]}")
    if not same and not found:
        found.append("the draft was edited, or this machine computes differently")
    return found

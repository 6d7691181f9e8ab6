"""Candidates of many drafts, sampled in parts: by several processes, or on machines that only share files.

Part K of N samples every Nth of all seeds, from the Kth on. What it leaves is final texts as JSON. Whoever
has all the parts judges them and writes the same drafts as if one process had sampled everything. Never
imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from blog_gen import __version__
from blog_gen.drafting.candidates import FinalText
from blog_gen.drafting.drafter import Drafter
from blog_gen.drafting.request import DraftRequest
from blog_gen.errors import DraftError
from blog_gen.files import read_json, write_json
from blog_gen.judge import Candidate
from blog_gen.text.post import Post
from blog_gen.text.safety.facts import Finding

FORMAT = 2


@dataclass(frozen=True)
class Part:
    """The `number`th of `count`, from 1."""

    number: int
    count: int


def plan_of(drafter: Drafter, requests: Sequence[DraftRequest]) -> dict[str, Any]:
    """All that decides what is sampled: the same in all parts and where they are judged."""
    first = requests[0]
    return {
        "format": FORMAT,
        "version": __version__,
        "day": first.day.isoformat(),
        "weights": drafter.sampler.weights_sha256,
        "sampling": asdict(drafter.sampling),
        "lengths": list(astuple(drafter.writer.lengths)),
        "head": [first.title, first.category, list(first.tags)],
        "seeds": [drafter.seeds(request, 0) for request in requests],
    }


def write_part(
    drafter: Drafter,
    requests: Sequence[DraftRequest],
    part: Part,
    path: Path,
    progress: Callable[[int, int], None],
) -> None:
    """Sample the first round of candidates of `requests`, as far as `part` goes, and write them to `path`."""
    plan, first = plan_of(drafter, requests), requests[0]
    seeds = [seed for of_draft in plan["seeds"] for seed in of_draft][part.number - 1 :: part.count]
    unparsed: dict[int, str] = {}
    head = Post(first.title or "", "", first.tags, first.category)
    texts = drafter.writer.write(head, seeds, unparsed, progress)
    write_json(
        path, {"plan": plan, "part": astuple(part), "texts": list(map(asdict, texts)), "unparsed": unparsed}
    )


@dataclass(frozen=True)
class Sampled:
    """What was sampled for each seed: a final text, or why there is none."""

    texts: Mapping[int, FinalText]
    unparsed: Mapping[int, str]

    def of(self, seeds: Sequence[int], unparsed: dict[int, str]) -> list[FinalText] | None:
        """Those of `seeds`, as `CandidateWriter.write` returns them; None where one was not sampled."""
        if any(seed not in self.texts and seed not in self.unparsed for seed in seeds):
            return None
        unparsed |= {seed: self.unparsed[seed] for seed in seeds if seed in self.unparsed}
        return [self.texts[seed] for seed in seeds if seed in self.texts]


@dataclass(frozen=True)
class _PartFile:
    """What `write_part` has written."""

    plan: Mapping[str, Any]
    part: Part
    sampled: Sampled


def read_parts(paths: Iterable[Path], plan: Mapping[str, Any]) -> Sampled:
    """All parts of `plan`.

    Raises:
        DraftError: a file is none of its parts, or one is missing; says which.
    """
    texts: dict[int, FinalText] = {}
    unparsed: dict[int, str] = {}
    found: dict[int, Path] = {}
    for path in paths:
        file = _read(path)
        _require_same(file.plan, plan, path)
        found[file.part.number] = path
        texts |= file.sampled.texts
        unparsed |= file.sampled.unparsed
    count = file.part.count
    if missing := sorted(set(range(1, count + 1)) - found.keys()):
        got = f"without {', '.join(f'{number}/{count}' for number in missing)}"
        raise DraftError("all parts are needed to judge candidates", got=got, path=path)
    return Sampled(texts, unparsed)


def drafts_in(path: Path) -> int:
    """How many drafts the part in `path` is of.

    Raises:
        DraftError: it is no part.
    """
    return len(_read(path).plan["seeds"])


def _read(path: Path) -> _PartFile:
    try:
        said: dict[str, Any] = read_json(path)
        plan, part = said["plan"], said["part"]
        if plan["format"] != FORMAT or len(part) != 2 or not plan["seeds"]:
            raise ValueError("another format")
        texts = {text.candidate.seed: text for text in map(_text_of, said["texts"])}
        unparsed = {int(seed): str(reason) for seed, reason in said["unparsed"].items()}  # JSON has text
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        fix = "Make it with `blog-gen generate --part K/N --output FILE`"
        raise DraftError(
            "a file of sampled candidates must be whole", got=error, fix=fix, path=path
        ) from None
    return _PartFile(plan, Part(*part), Sampled(texts, unparsed))


def _require_same(theirs: Mapping[str, Any], plan: Mapping[str, Any], path: Path) -> None:
    for name, value in plan.items():
        if theirs.get(name) != value:
            raise DraftError(
                f"candidates must be sampled with the same {name} as here",
                got="another" if name != "seeds" else "others",
                fix="Sample all parts with this site's run, posts and settings, and the same flags",
                path=path,
            )


def _text_of(value: Mapping[str, Any]) -> FinalText:
    candidate = {**value["candidate"], "tags": tuple(value["candidate"]["tags"])}
    return FinalText(Candidate(**candidate), tuple(Finding(**finding) for finding in value["findings"]))

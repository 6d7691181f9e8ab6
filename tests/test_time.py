"""No text makes time explode: four times the text takes at most six times the time, whatever reads it.

Every regular expression of the rooms that read texts is tried, found by walking them, and every function that
is given a text. Among hundreds of short hard texts the worst is found; on that one the law is then measured.
The one timed test there is: it counts the processor's time of this thread, and the least of several runs.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import importlib
import inspect
import math
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hard_texts import UNITS, HardText, hard_texts

import blog_gen
from blog_gen.config.settings import Limits
from blog_gen.judge import blocks, completeness, markup, novelty, repetition
from blog_gen.judge.candidate import Candidate
from blog_gen.judge.index import CorpusIndex
from blog_gen.review import fields, marking, patching
from blog_gen.text import leftovers, wrapping
from blog_gen.text.safety import fences, links
from blog_gen.text.safety.facts import SafetyReport, SiteFacts

ROOMS = ("text", "judge", "site", "drafting", "review", "config")
FACTOR, MOST = 4, 6  # so many times the text, at most so many times the time
SECONDS = 0.02  # of the shorter text at least, or the clock is too coarse
RUNS = 5
SHORT, LONG = 4_000, 100_000  # characters: of the texts among which the worst is found, and of any text
ENOUGH = 0.001  # seconds: a text that is read for longer is not made longer to find the worst

Work = Callable[[Any], object]


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(blog_gen.__path__, "blog_gen."):
        if found.name.split(".")[1] in ROOMS:
            yield importlib.import_module(found.name)


# Patterns

USES = ("match", "fullmatch", "search", "sub", "finditer", "findall", "split")


def patterns() -> dict[str, tuple[re.Pattern[Any], frozenset[str]]]:
    """Each pattern by its name, with the methods that its module calls."""
    found: dict[tuple[Any, ...], tuple[str, re.Pattern[Any], frozenset[str]]] = {}
    for module in modules():
        short = module.__name__.removeprefix("blog_gen.")
        tree = ast.parse(inspect.getsource(module))
        for name, value in vars(module).items():
            for at, pattern in enumerate(_patterns_in(value)):
                uses = _uses(tree, name)
                found.setdefault((pattern, uses), (f"{short}.{name}[{at}]", pattern, uses))
        for line, method, source in _written_in_place(tree):
            pattern, uses = re.compile(source), frozenset({method})
            found.setdefault((pattern, uses), (f"{short}:{line}", pattern, uses))
    return {name: (pattern, uses) for name, pattern, uses in found.values()}


def _patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _patterns_in(item)


def _uses(tree: ast.AST, name: str) -> frozenset[str]:
    """What is called on the pattern `name`; on any variable, where it is one of several."""
    called: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in USES:
            called.setdefault(node.value.id, set()).add(node.attr)
    variables = {method for variable, methods in called.items() if variable.islower() for method in methods}
    return frozenset(called.get(name) or variables - {"split"} or {"search"})


def _written_in_place(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=method),
                args=[ast.Constant(value=str(source)), *_],
            ) if method in USES:
                yield node.lineno, method, source


def searching(pattern: re.Pattern[Any], uses: frozenset[str]) -> Work:
    """As the module does it; whatever searches looks at each place."""
    encode = isinstance(pattern.pattern, bytes)
    anchored = [getattr(pattern, use) for use in sorted(uses & {"match", "fullmatch"})]

    def work(text: str) -> None:
        given: Any = text.encode() if encode else text
        for use in anchored:
            use(given)
        if not uses <= {"match", "fullmatch"}:
            for _ in pattern.finditer(given):
                pass

    return work


PATTERNS = patterns()


@pytest.mark.parametrize("name", PATTERNS)
def test_time_of_a_pattern(name: str) -> None:
    pattern, uses = PATTERNS[name]
    check(searching(pattern, uses), hard_texts(pattern))


# Functions

# What the first parameter of a function that reads a text is called.
TEXTS = frozenset(
    (
        "text",
        "body",
        "markdown",
        "raw",
        "title",
        "line",
        "prose",
        "url",
        "stem",
        "data",
        "head",
        "value",
        "one",
    )
)


@functools.cache
def index() -> CorpusIndex:
    return CorpusIndex.build([("a.md", "a " * 9 + "Why Vim?")])


OTHERS: dict[str, Callable[[], Any]] = {  # for each text anew
    "path": lambda: Path("a.md"),
    "zone": lambda: UTC,
    "facts": SiteFacts,
    "site_facts": SiteFacts,
    "report": SafetyReport,
    "block": lambda: "a: 1\n",
    "parent": lambda: ["a"],
    "other": lambda: "Why Vim?",
    "labels": lambda: frozenset({"a"}),
    "post_title": lambda: "Why Vim?",
    "width": lambda: 60,
    "sentences": lambda: True,
    "index": index,
}
FACTS = SiteFacts(hosts=frozenset({"a"}), files=frozenset({"b"}))
# Those that are given what another one has read, and those that get several texts.
FUNCTIONS: dict[str, Work] = {
    "judge.blocks.blocks_of": blocks.blocks_of.__wrapped__,  # without what it remembers
    "judge.markup.heading_faults": lambda text: markup.heading_faults(blocks.blocks_of(text)),
    "judge.markup.markup_faults": lambda text: markup.markup_faults(blocks.blocks_of(text)),
    "judge.completeness.completeness_checks": lambda text: completeness.completeness_checks(
        Candidate("", text, (), None, ended=True, seed=0, tokens=1, logprob=0.0), (1, 2), Limits()
    ),
    "judge.novelty.longest_copied_paragraph": lambda text: novelty.longest_copied_paragraph(
        text, novelty.copied(text, index())
    ),
    "judge.repetition.repetition_checks": lambda text: repetition.repetition_checks("", text, Limits()),
    "text.leftovers.without_leftovers": lambda text: leftovers.without_leftovers(text, FACTS),
    "review.fields.with_fields": lambda text: fields.with_fields(text, {"title": "b"}),
    "review.marking.pieces": lambda text: list(
        marking.pieces(text, (), [marking.Shade(at, at + 1, 1) for at in range(0, len(text), 9)])
    ),
    "review.marking.passages": lambda text: marking.passages(text, ()),
    "review.patching.with_key": lambda text: patching.with_key(text, "title", "b"),
    "review.patching.with_body": lambda text: patching.with_body(f"---\ntitle: a\n---\n{text}", text),
    "text.wrapping.wrapped_at": lambda text: wrapping.wrapped_at([text]),
    "text.safety.fences.joined": lambda text: fences.joined(fences.split(text), True, "\n\n"),
    "text.safety.links.known_hosts": lambda text: links.known_hosts([text]),
    "text.safety.links.known_places": lambda text: links.known_places([text]),
    "text.safety.links.with_links": lambda text: links.with_links(text, {"a": "/b"}, FACTS, SafetyReport()),
}
# These say what of a text they read, or read none.
NO_TEXTS = frozenset(
    {
        "review.certainty.word_shades",
        "review.evidence.evidence_of",
        "review.scorecard.passages",
        "review.measures.number",
        "drafting.disclosure.added_to",
        "site.setup.stamps.lacking",
    }
)


NONE = inspect.Parameter("_", inspect.Parameter.POSITIONAL_ONLY)


def functions() -> dict[str, Work]:
    found = dict(FUNCTIONS)
    for module in modules():
        short = module.__name__.removeprefix("blog_gen.")
        for name, function in vars(module).items():
            is_ours = inspect.isfunction(function) and function.__module__ == module.__name__
            key = f"{short}.{name}"
            if is_ours and not name.startswith("_") and key not in found | dict.fromkeys(NO_TEXTS):
                first, *others = [*inspect.signature(function).parameters.values(), NONE]
                if first.name in TEXTS and first.annotation in ("str", "bytes", "object"):
                    needed = [
                        other.name for other in others if other.default is other.empty and other is not NONE
                    ]
                    unknown = set(needed) - set(OTHERS)
                    assert not unknown, f"{key}: {unknown} must be in OTHERS, or it in NO_TEXTS"
                    found[key] = partial(_given, function, first.annotation == "bytes", needed)
    return found


def _given(function: Work, encode: bool, needed: Iterable[str], text: str) -> None:
    result: Any = function(text.encode() if encode else text, *(OTHERS[name]() for name in needed))
    if inspect.isgenerator(result):
        next(result, None)


SURROUNDINGS = (
    ("", ""),
    ("(See: [", "] and so on.)"),
    ("Hi.\n\n```\n<b>\n", "\n```\n"),
    ("---\ntitle: a", "b: c\n---\nHi.\n"),
)
PLAIN_TEXTS = [HardText("", unit, "") for unit in UNITS]
WHOLE_TEXTS = [HardText(begin, unit, end) for unit in UNITS for begin, end in SURROUNDINGS]
# What reads a whole post, and whose parts are other functions.
WHOLE = (
    "text.safety.safe.make_safe",
    "site.front_matter.parse",
    "site.front_matter.mended",
    "judge.markup.markup_faults",
)
READERS = functions()


@pytest.mark.parametrize("name", READERS)
def test_time_of_a_function(name: str) -> None:
    check(READERS[name], WHOLE_TEXTS if name in WHOLE else PLAIN_TEXTS)


# The law


def check(work: Work, texts: Iterable[HardText]) -> None:
    """Find the text that takes the longest for its length, and measure on it.

    A text may outgrow a processor's cache once; what grows faster than its text fails at the next size, too.
    """
    worst, length = max((_slowness(work, text), text) for text in texts)[1], SHORT // 2
    while seconds(work, worst.of(length)) < SECONDS:
        length *= 2
        if length > LONG:
            return
    growths = []
    for size in (length, FACTOR * length):
        growths.append(_growth(work, worst, size))
        if growths[-1] <= MOST:
            return
    raise AssertionError(f"{FACTOR} times {worst} of {length:,} takes {growths} times the time")


def _growth(work: Work, text: HardText, length: int) -> float:
    """How many times the time `FACTOR` times the text takes: the least of several runs of both."""
    shorter = longer = math.inf
    for _ in range(RUNS):
        shorter = min(shorter, seconds(work, text.of(length)))
        longer = min(longer, seconds(work, text.of(FACTOR * length)))
        if longer <= MOST * shorter:
            break
    return longer / shorter


def _slowness(work: Work, text: HardText) -> float:
    """Seconds a character, of a text no longer than needed to see that it is slow."""
    length, spent = 8, 0.0
    while length < SHORT and spent < ENOUGH:
        length = length * 3 // 2 if length < 200 else length * 4
        spent = seconds(work, text.of(length))
    return spent / length


def seconds(work: Work, text: str) -> float:
    """Without the garbage collector, as `timeit` measures: it walks through what others have left, too."""
    gc.disable()
    began = time.thread_time()
    with contextlib.suppress(Exception):  # what bad input is refused with has tests of its own
        work(text)
    taken = time.thread_time() - began
    gc.enable()
    return taken

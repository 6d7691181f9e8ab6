"""Texts that are hard on a regular expression: made from its own syntax tree, and a list of usual suspects.

What makes a pattern slow is a repetition that can begin in many places, or that can divide a text in many
ways and then fails. So each repetition in the tree gives texts: what leads to it again and again, what it
repeats again and again, and both with an end that cannot match.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple


class HardText(NamedTuple):
    """`beginning`, then `unit` any number of times, then `end`."""

    beginning: str
    unit: str
    end: str

    def of(self, length: int) -> str:
        """The text of about `length` characters."""
        return self.beginning + self.unit * max(1, length // len(self.unit)) + self.end


# Openers, openers with blanks, pairs and near-misses of Markdown, HTML, Liquid, YAML and prose.
UNITS: list[str] = json.loads(Path(__file__).with_name("hostile").joinpath("units.json").read_text("utf-8"))
ENDS = ("", "!", "\n]")  # after which one or another repetition fails
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT)
_LONG = 8  # times: what repeats less often cannot be slow by itself


def hard_texts(pattern: re.Pattern[Any]) -> list[HardText]:
    """The texts for one pattern, of letters for bytes too."""
    tree = _tree(pattern)
    repetitions = list(dict.fromkeys(_repetitions(tree)))
    units = [unit for unit in dict.fromkeys(_units(tree, repetitions)) if unit]
    texts = [HardText("", unit, end) for unit in units for end in ENDS]
    return texts + [HardText(*each, end) for each in repetitions for end in ENDS if each[0]]


def _units(tree: Any, repetitions: list[tuple[str, str]]) -> Iterator[str]:
    """What is hard when it comes again and again from the beginning of a text."""
    for full in (False, True):
        whole = _example(tree, full)
        yield from (whole, whole[:-1], whole[1:], f"{whole} ", f"{whole}\n")
    yield from sorted({chr(code) for code in _literals(tree)})
    for beginning, unit in repetitions:
        yield from (beginning, unit, beginning + unit, f"{beginning} ", beginning + " " * 12)


def _tree(pattern: re.Pattern[Any]) -> Any:
    if isinstance(pattern.pattern, bytes):
        return _parser.parse(pattern.pattern.decode("latin-1"), pattern.flags)
    return _parser.parse(pattern.pattern, pattern.flags)


def _repetitions(tree: Any, beginning: str = "") -> Iterator[tuple[str, str]]:
    """What leads to each long repetition, and what it repeats."""
    for operation, argument in tree:
        if operation in _REPEATS and argument[1] > _LONG:
            yield from ((beginning, unit) for unit in _alternatives(argument[2]) if unit)
        for branch in _parts(operation, argument):
            yield from _repetitions(branch, beginning)
        beginning += _example([(operation, argument)])


def _parts(operation: Any, argument: Any) -> list[Any]:
    """The trees inside one node, those of what is looked at too."""
    if operation in _REPEATS:
        return [argument[2]]
    if operation is _constants.BRANCH:
        return list(argument[1])
    if operation is _constants.SUBPATTERN:
        return [argument[3]]
    if operation is _constants.ATOMIC_GROUP:
        return [argument]
    return [argument[1]] if operation in (_constants.ASSERT, _constants.ASSERT_NOT) else []


def _literals(tree: Any) -> Iterator[int]:
    for operation, argument in tree:
        if operation is _constants.LITERAL:
            yield argument
        elif operation is _constants.IN:
            yield from _literals(argument)
        for part in _parts(operation, argument):
            yield from _literals(part)


def _alternatives(tree: Any) -> Iterator[str]:
    """Texts that `tree` matches: one for each way in which it can begin, short and full."""
    (operation, argument), *rest = tree
    after = _example(rest)
    if operation is _constants.IN:
        yield from (letter + after for letter in _letters(argument))
    elif operation is _constants.BRANCH:
        yield from (_example(branch, full) + after for branch in argument[1] for full in (False, True))
    elif operation is _constants.SUBPATTERN and len(argument[3]):
        yield from (each + after for each in _alternatives(argument[3]))
    yield from (_example(tree), _example(tree, full=True))


def _example(tree: Any, full: bool = False) -> str:
    """A text that `tree` matches, but for its assertions: the shortest, or with each option taken once."""
    return "".join(_piece(operation, argument, full) for operation, argument in tree)


def _piece(operation: Any, argument: Any, full: bool) -> str:
    if operation is _constants.LITERAL:
        return chr(argument)
    if operation is _constants.IN:
        return next(iter(_letters(argument)), "a")
    if operation in (_constants.ANY, _constants.NOT_LITERAL):
        return "a"
    if operation is _constants.GROUPREF:
        return "`"
    if operation in (_constants.ASSERT, _constants.ASSERT_NOT, _constants.AT):
        return ""
    parts = [_example(part, full) for part in _parts(operation, argument)]
    if operation is _constants.BRANCH:
        return max(parts, key=len) if full else min(parts, key=len)
    times = (max(argument[0], 1) if full else argument[0]) if operation in _REPEATS else 1
    return "".join(parts) * times


_CLASSES = {
    _constants.CATEGORY_SPACE: (" \n", r"\s"),
    _constants.CATEGORY_DIGIT: ("1", r"\d"),
    _constants.CATEGORY_WORD: ("a_1", r"\w"),
    _constants.CATEGORY_NOT_SPACE: ("a[<", r"\S"),
    _constants.CATEGORY_NOT_DIGIT: ("a ", r"\D"),
    _constants.CATEGORY_NOT_WORD: (" -[", r"\W"),
}


def _letters(members: Any) -> list[str]:
    """Some characters of a set."""
    if members[0][0] is _constants.NEGATE:
        left_out = re.compile("[" + "".join(map(_source, members[1:])) + "]")
        return [letter for letter in "a 1[(<`*{.\n" if not left_out.match(letter)]
    found = ""
    for kind, argument in members:
        first = argument[0] if kind is _constants.RANGE else argument
        found += _CLASSES[argument][0] if kind is _constants.CATEGORY else chr(first)
    return [*found]


def _source(member: Any) -> str:
    """One member of a set as it is written."""
    kind, argument = member
    if kind is _constants.CATEGORY:
        return _CLASSES[argument][1]
    codes = argument if kind is _constants.RANGE else (argument,)
    return "-".join(re.escape(chr(code)) for code in codes)

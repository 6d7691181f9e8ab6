"""YAML as Ruby's Psych reads it for Jekyll: plain values, or one kind of error.

Knows YAML, nothing of settings or posts. Nothing that is read can run code, grow beyond its file, or cost
more time than its size is worth.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # libyaml, which Ruby uses too, is ten times as fast
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

__all__ = ["SafeLoader", "load", "wall_clock"]

LARGEST = 6_000_000  # characters; a whole post has fewer
MOST = 100_000  # keys, values and brackets: a second's work
DEEPEST = 50  # brackets in brackets; libyaml crashes the process at some ten thousand
# Characters: base 60 and base 10 take quadratic time, and Python prints 4,300 digits at most.
LONGEST_NUMBER = 1000
_TAG = "tag:yaml.org,2002:"
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt]|\s+)(\d{1,2}):(\d\d):(\d\d)(?:\.(\d*))?"
    r"(?:\s*(?:(Z)|([-+]\d{1,2})(?::?(\d\d))?))?",
    re.ASCII,
)


def load(text: str) -> Any:
    """The value that `text` holds. A date or time that is none is text, as it is to Psych.

    >>> load("{a: 2020-02-30, b: 2021-04-31 10:00:00}")
    {'a': '2020-02-30', 'b': datetime.datetime(2021, 5, 1, 10, 0)}

    Raises:
        yaml.YAMLError: it is not YAML, too large, or holds a value that is not of the type it says.
    """
    _check_size(text)
    return yaml.load(text, Loader=_Loader)


def _check_size(text: str) -> None:
    """Refuse what is nested too deeply, and aliases of aliases that nine lines make gigabytes of."""
    size, sizes = 0, dict[str, int]()  # in characters, aliases written out; of each anchor
    around: list[tuple[str | None, int]] = []  # the collections that are open, and the size before each
    for number, event in enumerate(yaml.parse(text, Loader=SafeLoader)):
        if isinstance(event, yaml.AliasEvent):
            if any(event.anchor == anchor for anchor, _ in around):
                raise yaml.YAMLError(f"`*{event.anchor}` contains itself")
            size += sizes.get(event.anchor or "", 0)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = around.pop()
            sizes[anchor or ""] = size - before
        elif isinstance(event, yaml.NodeEvent):
            before, size = size, size + 1 + len(getattr(event, "value", ""))
            sizes[event.anchor or ""] = size - before
            if isinstance(event, yaml.CollectionStartEvent):
                around.append((event.anchor, before))
        if len(around) > DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {DEEPEST} deep")
        if number > MOST:
            raise yaml.YAMLError(f"it has more than {MOST:,} values")
        if size > LARGEST:
            raise yaml.YAMLError(f"it has more than {LARGEST:,} characters when its aliases are written out")


class _Loader(SafeLoader):
    """Safe: plain values only, and one kind of error."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Raises: yaml.YAMLError, also where PyYAML lets pass what `int` and its like raise."""
        if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise _fault(f"a number must not be longer than {LONGEST_NUMBER} characters", node)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
            kind = node.tag.removeprefix(_TAG)
            raise _fault(f"`{str(node.value)[:40]}` is not of the type `{kind}`", node) from error


def _fault(problem: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _date_or_text(loader: Any, node: yaml.ScalarNode) -> object:
    text = loader.construct_scalar(node)
    try:
        if day := _DATE.fullmatch(text):
            return date(*map(int, day.groups()))
        time = _TIME.fullmatch(text)
        return _moment(*time.groups()) if time else text
    except (ValueError, OverflowError):
        return text


def _moment(*parts: str | None) -> datetime:
    """Naive where it has no offset; the parts are those of `_TIME`."""
    *numbers, fraction, utc, hours, minutes = parts
    moment = wall_clock(*(int(number or 0) for number in numbers))
    moment += timedelta(microseconds=int(f"{fraction or '':0<6}"[:6]))
    if utc:
        return moment.replace(tzinfo=UTC)
    if hours is None:
        return moment
    east = int(hours)  # -00:30 is half an hour to the east for Psych
    offset = timedelta(hours=east, minutes=int(minutes or 0) * (-1 if east < 0 else 1))
    return moment.replace(tzinfo=timezone(offset))


def wall_clock(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A naive time as Ruby's `Time` has it: every month has 31 days, and a minute may have a leap second.

    >>> str(wall_clock(2021, 4, 31, 24))
    '2021-05-02 00:00:00'

    Raises:
        ValueError, OverflowError: there is no such time, or only in a year that Python does not have.
    """
    end_of_day = (hour, minute, second) == (24, 0, 0)
    if not 1 <= day <= 31 or not (0 <= hour < 24 or end_of_day) or not 0 <= second <= 60:
        raise ValueError(f"day {day}, {hour}:{minute}:{second}")
    first = datetime(year, month, 1, 0, minute)
    return first + timedelta(days=day - 1, hours=hour, seconds=second)


def _refused(loader: Any, node: yaml.Node) -> object:
    """Jekyll refuses a set too; without an order, each process would make another text of it."""
    raise _fault("a set must be written as a list", node)


_Loader.add_constructor(f"{_TAG}timestamp", _date_or_text)
for _pattern in (_DATE, _TIME):  # Psych also takes `2021-1-2`, and an offset without a colon
    _Loader.add_implicit_resolver(
        f"{_TAG}timestamp", re.compile(rf"(?:{_pattern.pattern})\Z"), [*"0123456789"]
    )
_Loader.add_constructor(f"{_TAG}set", _refused)

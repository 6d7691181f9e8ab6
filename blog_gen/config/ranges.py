"""What the value of a setting may be, beyond its type: numbers in their range, times and days of the week.

Knows numbers and calendar words. `config` asks it of every value that it reads, so that a command says at
once what another one would say after minutes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import time
from pathlib import Path

from blog_gen.errors import ConfigError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`; `above` and `below` leave the end itself out. Never infinite or NaN."""

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    below: bool = False

    def __contains__(self, value: float) -> bool:
        over = value > self.least if self.above else value >= self.least
        under = value < self.most if self.below else value <= self.most
        return math.isfinite(value) and over and under

    def __str__(self) -> str:
        """In words.

        >>> str(Range(0)), str(Range(0, 1)), str(Range(0, 1, below=True)), str(Range(0, above=True))
        ('0 or more', 'from 0 to 1', 'at least 0 and below 1', 'above 0')
        """
        if math.isinf(self.least):
            return "a finite number"
        if math.isinf(self.most):
            return f"above {self.least:g}" if self.above else f"{self.least:g} or more"
        if not (self.above or self.below):
            return f"from {self.least:g} to {self.most:g}"
        low = f"{'above' if self.above else 'at least'} {self.least:g}"
        return f"{low} and {'below' if self.below else 'at most'} {self.most:g}"


_COUNT, _POSITIVE, _SHARE = Range(0), Range(0, above=True), Range(0, 1)
_PROBABILITY, _PART, _NUMBER = Range(0, 1, above=True), Range(0, 1, below=True), Range()

RANGES = {
    "posts_per_day": Range(0, 100),
    "catch_up": _COUNT,
    "candidates": Range(1, 10_000),
    "attempts": Range(1, 100),
    "training.steps": _POSITIVE,
    "training.epochs": _POSITIVE,
    "training.max_minutes": _POSITIVE,
    "training.learning_rate": _POSITIVE,
    "training.batch_tokens": _POSITIVE,
    "training.dropout": _PART,
    "training.weight_decay": _COUNT,
    "training.clip_norm": _POSITIVE,
    "training.held_out": _PART,
    "training.patience": Range(1),
    "training.gradient_accumulation": _POSITIVE,
    "training.lora": _POSITIVE,
    "training.freeze": _COUNT,
    "training.seed": _COUNT,
    "sampling.temperature": _COUNT,
    "sampling.top_k": _COUNT,
    "sampling.top_p": _PROBABILITY,
    "sampling.min_p": _SHARE,
    "sampling.typical_p": _PROBABILITY,
    "sampling.repetition_penalty": _POSITIVE,
    "sampling.frequency_penalty": _NUMBER,
    "sampling.presence_penalty": _NUMBER,
    "sampling.no_repeat_ngram": _COUNT,
    "sampling.max_tokens": _POSITIVE,
    "plugin.seconds": _POSITIVE,
    "limits.longest_copy": _COUNT,
    "limits.copied_share": _SHARE,
    "limits.copied_paragraph": _COUNT,
    "limits.title_likeness": _COUNT,
    "limits.title_repeats": _COUNT,
    "limits.loop_words": _COUNT,
    "limits.repeated_phrases": _SHARE,
    "limits.repeated_lines": _SHARE,
    "limits.repeated_paragraphs": _COUNT,
    "limits.distinct_1": _SHARE,
    "limits.distinct_2": _SHARE,
    "limits.distinct_3": _SHARE,
    "limits.length_slack": _COUNT,
    "limits.heading_faults": _COUNT,
    "limits.markup_faults": _COUNT,
    "limits.left_open": _COUNT,
    "limits.broken_off": _COUNT,
    "limits.stray_marks": _COUNT,
    "limits.word_order": _SHARE,
    "limits.surprise_least": _COUNT,
    "limits.surprise_most": _POSITIVE,
}


def check(name: str, value: object, shown: str, path: Path | None) -> None:
    """Refuse a `value` of the right type that the setting `name` cannot have.

    Args:
        shown: how the setting is called in the sentence.
        path: the file in which it stands; None for a flag.

    Raises:
        ConfigError: it is out of range, no time of day, or no names of weekdays.
    """
    allowed = RANGES.get(name)
    if allowed is not None and isinstance(value, int | float) and value not in allowed:
        raise ConfigError(f"`{shown}` must be {allowed}", got=value, path=path)
    if name == "weekdays":
        weekdays_in(str(value), shown, path)
    elif name == "time":
        time_in(str(value), shown, path)
    elif name == "run" and (not value or set(str(value)) & set("/\\\0") or str(value).startswith(".")):
        raise ConfigError(f"`{shown}` must be the name of a folder", got=repr(value), path=path)


def time_in(text: str, shown: str = "time", path: Path | None = None) -> time:
    """`09:30` as a time; also `570`, which is what YAML makes of an unquoted 9:30 (base sixty)."""
    digits = re.fullmatch(r"(\d\d?):(\d\d)", text) or re.fullmatch(r"()(\d+)", text)
    if digits:
        hour, minute = divmod(int(digits[1] or 0) * 60 + int(digits[2]), 60)
        if hour < 24:
            return time(hour, minute)
    rule = f"`{shown}` must be a time of day, HH:MM"
    raise ConfigError(rule, got=repr(text), fix='For example "09:30"', path=path)


def weekdays_in(text: str, shown: str = "weekdays", path: Path | None = None) -> frozenset[int]:
    """Numbers of the weekdays named in `text`, in any case, short or whole.

    >>> sorted(weekdays_in("mon Friday"))
    [0, 4]
    """
    numbers = []
    for name in re.findall(r"[^\s,]+", text.lower()):
        found = [number for number, whole in enumerate(WEEKDAYS) if whole.startswith(name)]
        if len(name) < 3 or not found:
            rule, fix = f"`{shown}` must be names of weekdays", "For example: weekdays: mon wed fri"
            raise ConfigError(rule, got=repr(name), fix=fix, path=path)
        numbers += found
    return frozenset(numbers)

"""Defaults that a base brings along: between the package's own and what somebody set."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blog_gen.config.layers import Layer
from blog_gen.config.ranges import check
from blog_gen.config.settings import SamplingSettings, Settings


def checked_sampling(values: object, path: Path) -> dict[str, Any]:
    """`values`, which `path` gives for `sampling`, if they are settings of it.

    Raises:
        ConfigError: one is unknown, or its value of the wrong type or out of range.
    """
    right = Layer(path, "sampling", check).over(SamplingSettings(), values, "sampling")
    return {name: getattr(right, name) for name in values} if isinstance(values, Mapping) else {}


def sampling_of(settings: Settings, base: Mapping[str, Any]) -> SamplingSettings:
    """`settings.sampling`, in which what nobody has set is as the `base` has it."""
    unset = {name: value for name, value in base.items() if f"sampling.{name}" not in settings.given}
    return dataclasses.replace(settings.sampling, **unset)

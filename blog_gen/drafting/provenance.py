"""How a draft was made, in the few words that make it again. Knows a mapping, nothing of files.

It stands in every draft under the key `blog_gen`, on one line:

    {version: "0.2.0", model: mini, weights: a3f09c77b1d2, seed: 70, day: 2026-03-05, length: [9, 31, 56]}

and, only where they are not the defaults or were asked for, `settings` and `asked`. Drafts of versions before
0.2.0 have every setting and their scores there, one a line; they are read, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog_gen import __version__
from blog_gen.config.layers import Layer
from blog_gen.config.ranges import check
from blog_gen.config.renamed import RENAMED
from blog_gen.config.settings import SamplingSettings

if TYPE_CHECKING:
    from blog_gen.drafting.candidates import Lengths

WEIGHTS_SHOWN = 12  # hexadecimal digits of a SHA-256: enough to tell the runs of one site apart


@dataclass(frozen=True)
class Provenance:
    """What `reproduce` needs."""

    model: str  # the base's name
    weights: str  # SHA-256, or the first digits of it
    seed: int
    day: date
    sampling: SamplingSettings
    length: tuple[int, int, int]  # `Lengths`, in tokens
    title: str | None = None  # this and those below: what was asked for
    category: str | None = None
    tags: tuple[str, ...] = ()
    version: str = __version__

    def to_mapping(self) -> dict[str, Any]:
        """Plain values for front matter."""
        settings = _changed(self.sampling)
        asked = {"title": self.title, "category": self.category, "tags": list(self.tags)}
        asked = {key: value for key, value in asked.items() if value}
        return {
            "version": self.version,
            "model": _public(self.model),
            "weights": self.weights[:WEIGHTS_SHOWN],
            "seed": self.seed,
            "day": self.day,
            "length": list(self.length),
            **({"settings": settings} if settings else {}),
            **({"asked": asked} if asked else {}),
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Provenance:
        """What `values`, as a draft holds them, say.

        Raises:
            ValueError: something is missing, or is not of its type.
            ConfigError: a setting is unknown, or its value is of the wrong type or out of range.
        """
        try:
            length, asked = values["length"], dict(values.get("asked") or {})
            least, usual, most = length.values() if isinstance(length, Mapping) else length
            return cls(
                model=str(values["model"]),
                weights=str(values["weights"]),
                seed=int(values["seed"]),
                day=date.fromisoformat(str(values["day"])),
                sampling=_sampling(values),
                length=(int(least), int(usual), int(most)),
                title=asked.get("title"),
                category=asked.get("category"),
                tags=tuple(map(str, asked.get("tags") or ())),
                version=str(values.get("version")),
            )
        except KeyError as missing:
            raise ValueError(f"no {missing}") from None
        except TypeError as error:
            raise ValueError(str(error)) from None

    @property
    def lengths(self) -> Lengths:
        from blog_gen.drafting.candidates import Lengths

        return Lengths(*self.length)


def _public(model: str) -> str:
    """A model's name; of a path only the last part: the rest says how somebody's machine is set up."""
    path = Path(model).expanduser()
    return path.name if path.is_absolute() else model


def _changed(sampling: SamplingSettings) -> dict[str, Any]:
    """The settings that are not the defaults."""
    defaults = dataclasses.asdict(SamplingSettings())
    return {key: value for key, value in dataclasses.asdict(sampling).items() if value != defaults[key]}


def _sampling(values: Mapping[str, Any]) -> SamplingSettings:
    """From `settings`, or from among all keys, as versions before 0.2.0 wrote them."""
    names = {field.name for field in dataclasses.fields(SamplingSettings)}
    renamed: Mapping[str, str] = {old: new for (group, old), new in RENAMED.items() if group == "sampling"}
    given = {renamed.get(str(key), key): value for key, value in values.items()}
    given = {key: value for key, value in given.items() if key in names}
    given |= {renamed.get(key, key): value for key, value in dict(values.get("settings") or {}).items()}
    given = {key: value for key, value in given.items() if value is not None}
    return Layer(None, "settings", check).over(SamplingSettings(), given, "sampling")

"""Arrays by name that are made one at a time, so that a model goes its way without being in memory whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class LazyArrays(Mapping[str, Array]):
    """Each array is made when it is asked for, every time again; the shapes are known before."""

    shapes: Shapes
    make: Callable[[str], Array]

    def __getitem__(self, name: str) -> Array:
        if name not in self.shapes:
            raise KeyError(name)
        return self.make(name)

    def __contains__(self, name: object) -> bool:
        return name in self.shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def shapes_of(arrays: Arrays) -> Shapes:
    """Of every array, none being made for it."""
    if isinstance(arrays, LazyArrays):
        return arrays.shapes
    return {name: tuple(value.shape) for name, value in arrays.items()}


def part_way(start: Arrays, end: Arrays, share: float) -> Arrays:
    """`share` of the way from the arrays of `start` to those of `end`, which has the same names and shapes.

    >>> part_way({"a": np.zeros(2)}, {"a": np.ones(2)}, 0.25)["a"].tolist()
    [0.25, 0.25]
    """

    def between(name: str) -> Array:
        before = start[name]
        return before + np.float32(share) * (end[name] - before)

    return LazyArrays(shapes_of(end), between)

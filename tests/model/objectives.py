"""What a stepper learns, in a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class One:
    """`loss` for all that an objective is asked."""

    loss: Callable[[dict[str, Any], dict[str, Any]], Any]

    def training_loss(self, weights: dict[str, Any], batch: dict[str, Any]) -> Any:
        return self.loss(weights, batch)

    evaluation_loss = prediction = training_loss

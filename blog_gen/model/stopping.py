"""How a long computation is asked to stop. Imports nothing heavy: every command has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class StopRequest:
    """Whether it was asked to save and stop; it says in turn whether there is anything to save.

    Args:
        asked: whether it was. Once it says so, it goes on saying so.
        unsaved: hears whether there is something to save; while there is not, the process may end.
    """

    asked: Callable[[], bool] = lambda: False
    unsaved: Callable[[bool], None] = lambda something: None


NEVER = StopRequest()

"""Ctrl-C and SIGTERM: heard at once, even while native code computes for a minute and Python waits."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 5.0  # seconds in which the process may end in good order
AT_ONCE = "stopping: nothing new is to be saved …"


def end_at_once() -> NoReturn:
    """Without what TensorFlow does when a process ends: it waits for a compilation that has begun."""
    with suppress(OSError, ValueError):
        click.echo("blog-gen: interrupted", err=True)
        sys.stdout.flush()
    os._exit(130)


class Interruption:
    """Whether a signal came. While something is unsaved the first one only asks; else it ends the process."""

    def __init__(self, said: str, unsaved: bool) -> None:
        self._said, self._unsaved, self._came = said, unsaved, False

    def __call__(self) -> bool:
        return self._came

    def unsaved(self, something: bool) -> None:
        """Hear whether there is something that must be saved first."""
        self._unsaved = something

    def at_once(self) -> None:
        """From here on nothing has to be saved first.

        Raises:
            KeyboardInterrupt: a signal came before.
        """
        self._unsaved = False
        if self._came:
            raise KeyboardInterrupt

    def hear(self, number: int, frame: FrameType | None) -> None:
        """What Python calls between two of its instructions."""
        first, self._came = not self._came, True  # known even if a finaliser swallows what is raised here
        if not (first and self._unsaved):
            raise KeyboardInterrupt

    def end(self, heard: socket.socket, left: threading.Event, leave: Callable[[], None]) -> None:
        """In a thread: say what a signal brings about as soon as it comes, and end the process where it must.

        Whatever is being written then is a temporary file, and the operating system lets go of locks.
        """
        asked = False
        while number := heard.recv(1):
            if number[0] not in SIGNALS:
                continue
            if not asked:
                asked = True
                click.echo(self._said if self._unsaved else AT_ONCE, err=True)
                if self._unsaved:
                    continue
            if not left.wait(PATIENCE):
                leave()
                end_at_once()


@contextmanager
def interruptible(
    said: str = "saving, then stopping …", unsaved: bool = True, leave: Callable[[], None] = lambda: None
) -> Iterator[Interruption]:
    """Ask, instead of die: yields whether Ctrl-C or SIGTERM came. A second one ends the process at once.

    Args:
        unsaved: whether there is something to save or to end in good order; without, the first one ends it.
        leave: called before the process ends in the midst of native code.
    """
    interruption, left = Interruption(said, unsaved), threading.Event()
    heard, wakes = socket.socketpair()
    wakes.setblocking(False)
    thread = threading.Thread(target=interruption.end, args=(heard, left, leave), daemon=True)
    before = {number: signal.signal(number, interruption.hear) for number in SIGNALS}
    woken = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield interruption
    finally:
        left.set()
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        wakes.close()
        thread.join()
        heard.close()

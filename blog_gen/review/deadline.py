"""Work with a time limit: done by a process of its own, which is ended when it takes too long.

A thread cannot be ended, and a regular expression holds all threads of its process. Knows nothing of drafts.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from blog_gen.errors import BlogGenError, DraftError

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Worker:
    """One process, started when it is first needed and again after it was ended. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None

    def run(
        self, seconds: float, function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """What `function` of a module returns; it, its arguments and its result must be picklable.

        Raises:
            TimeoutError: it took longer than `seconds`, or its process died.
            DraftError: it raised an error, whose sentence this has.
        """
        with self._lock:
            connection = self._started()
            try:
                connection.send((function, args, kwargs))
                if not connection.poll(seconds):
                    raise TimeoutError
                done, result = connection.recv()
            except (EOFError, OSError) as error:  # a `TimeoutError` is one
                self.end()
                raise TimeoutError(f"it took longer than {seconds:g} seconds") from error
        if not done:
            raise DraftError(result)
        return result  # type: ignore[no-any-return]

    def _started(self) -> Connection:
        if self._connection is None or self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._connection

    def end(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None and self._connection is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = self._connection = None


_worker = Worker()


def within(
    seconds: float, function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """As `Worker.run`, by the one process that a server has for this."""
    return _worker.run(seconds, function, *args, **kwargs)


def _work(connection: Connection) -> None:
    """Do what comes, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    while True:
        try:
            function, args, kwargs = connection.recv()
            connection.send(_done(function, args, kwargs))
        except (EOFError, OSError):
            return


def _done(function: Callable[..., object], args: Any, kwargs: Any) -> tuple[bool, object]:
    try:
        return True, function(*args, **kwargs)
    except BlogGenError as error:
        return False, str(error)
    except Exception as error:  # else a fault of ours would look like slowness
        return False, f"{type(error).__name__}: {error}"

"""One file over HTTP, whole and verified, or not there: resumed, checked, and only then given its name.

What has arrived waits in `NAME.part`, across failures and across runs. Servers and what stands between are
not trusted: an error page sent as a success, a wrong length, a range that was not asked for, silence. Knows
nothing of models. Proxies are those of the environment (`https_proxy` and its like).
"""

from __future__ import annotations

import errno
import os
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from itertools import chain
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

from blog_gen.errors import ModelError
from blog_gen.files import sha256_of, unwritable

CHUNK = 1 << 18  # bytes at a time
UNKNOWN_LIMIT = 64 << 20  # a file of unknown size is a small one; more is not what was asked for
PAGE = re.compile(rb"\s*<(!doctype html|html|\?xml)", re.IGNORECASE)
RANGE_STARTS_BEYOND_THE_END = 416
UNREACHABLE = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH)
TRY_AGAIN = {408, 425, 429}  # and all from 500 on

Progress = Callable[[str, int, int | None], None]  # file name, bytes so far, bytes in all where known


@dataclass(frozen=True)
class Expected:
    """What is known of a file beforehand."""

    size: int | None = None  # bytes
    sha256: str | None = None

    def fault(self, path: Path) -> str | None:
        """How the file at `path` differs, or None."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"{size} bytes instead of {self.size}"
        if self.sha256 is not None and sha256_of(path) != self.sha256:
            return "a SHA-256 that is not the published one"
        return None


@dataclass(frozen=True)
class Retry:
    """How often and when a transfer is tried again; a first try included."""

    attempts: int = 6
    first_wait: float = 1.0  # seconds, doubled after each failure
    longest_wait: float = 30.0
    jitter: float = 0.25  # share by which a wait may differ, so that many clients do not come back at once

    def waits(self) -> Iterator[float]:
        """Seconds before each further attempt.

        >>> list(Retry(attempts=4, first_wait=2, longest_wait=5, jitter=0).waits())
        [2, 4, 5]
        """
        for failure in range(self.attempts - 1):
            wait = min(self.longest_wait, self.first_wait * 2**failure)
            yield wait * random.uniform(1 - self.jitter, 1 + self.jitter) if self.jitter else wait


class _FailedError(Exception):
    """An attempt came to nothing; another may not."""


class _UnreachableError(_FailedError):
    """There is no way to the server: no name, no route, nobody who listens."""


class _RefusedError(Exception):
    """The server will not give the file, however often it is asked."""


def fetch(
    url: str,
    path: Path,
    expected: Expected,
    progress: Progress,
    retry: Retry,
    timeout: float,
    by_hand: str | None = None,
) -> None:
    """Bring `url` to `path`, going on where an earlier attempt broke off.

    Args:
        timeout: seconds without a byte before an attempt is given up.
        by_hand: what a person without this network can do instead, for the error.

    Raises:
        ModelError: the server refuses, cannot be reached, or never sends the expected file.
        BlogGenError: the disk is full or cannot be written.
    """
    if path.is_file() and expected.fault(path) is None:
        return
    part = path.with_name(path.name + ".part")
    waits, attempts = retry.waits(), 0
    while True:
        attempts += 1
        try:
            _attempt(url, part, expected, progress, timeout)
            os.replace(part, path)
            return
        except _FailedError as failure:
            # A server that was never reached is no server that stumbled: it is said at once.
            never = attempts == 1 and isinstance(failure, _UnreachableError)
            if never or (wait := next(waits, None)) is None:
                got = str(failure) if never else f"{failure}, at the last of {attempts} attempts"
                raise ModelError("the file could not be downloaded", got=got, fix=by_hand, path=url) from None
            time.sleep(wait)
        except _RefusedError as refusal:
            raise ModelError("the server refuses the file", got=refusal, fix=by_hand, path=url) from None
        except OSError as error:
            raise unwritable(part, error) from error


def _attempt(url: str, part: Path, expected: Expected, progress: Progress, timeout: float) -> None:
    """Transfer what is missing of `part` and check the whole.

    Raises:
        _FailedError: it broke off (what came is kept), or is not what was expected (nothing is).
        _RefusedError: no use to ask again.
        OSError: the disk.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.exists() else 0
    if not have or have != expected.size:
        try:
            _transfer(url, part, have, expected, progress, timeout)
        except HTTPError as error:
            raise _refusal(error, part) from None
        except (URLError, TimeoutError, ConnectionError, ssl.SSLError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            unreachable = isinstance(reason, socket.gaierror) or getattr(reason, "errno", None) in UNREACHABLE
            kind = _UnreachableError if unreachable else _FailedError
            raise kind(str(reason) or type(reason).__name__) from None
    if fault := expected.fault(part):
        part.unlink()
        raise _FailedError(fault)


def _refusal(error: HTTPError, part: Path) -> Exception:
    """What an error status means for the next attempt."""
    if error.code == RANGE_STARTS_BEYOND_THE_END:
        part.unlink(missing_ok=True)
    elif error.code < 500 and error.code not in TRY_AGAIN:
        return _RefusedError(f"status {error.code} {error.reason}")
    return _FailedError(f"status {error.code} {error.reason}")


def _transfer(
    url: str, part: Path, have: int, expected: Expected, progress: Progress, timeout: float
) -> None:
    """Append what the server sends after the first `have` bytes, or write all of it if it does not resume."""
    headers = {"User-Agent": "blog-gen", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    # A new opener: the shared one keeps the proxies that the environment had when it was first used.
    with build_opener().open(Request(url, headers=headers), timeout=timeout) as response:
        start = have if response.status == 206 else 0
        offered = response.headers["Content-Range"] or ""
        if response.status == 206 and not offered.startswith(f"bytes {have}-"):
            raise _FailedError("another part of the file than was asked for")
        length = response.headers["Content-Length"]
        end = start + int(length) if length is not None else None
        if end is not None and expected.size is not None and end > expected.size:
            raise _FailedError(f"{end} bytes announced instead of {expected.size}")
        chunk = response.read1(CHUNK)
        if response.headers.get_content_type() == "text/html" or PAGE.match(chunk):
            raise _FailedError("a web page")
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            chunks = chain([chunk], iter(partial(response.read1, CHUNK), b""))
            _copy(chunks, file, end, expected.size, lambda at: progress(part.stem, at, expected.size or end))


def _copy(
    chunks: Iterable[bytes], file: IO[bytes], end: int | None, size: int | None, report: Callable[[int], None]
) -> None:
    """Write the body, which should reach `end`; the whole file may have `size` bytes at most."""
    limit, at = size or UNKNOWN_LIMIT, file.tell()
    for chunk in chunks:
        at += len(chunk)
        if at > limit:
            file.truncate(0)  # nothing of it can be trusted
            raise _FailedError(f"more than {limit} bytes")
        file.write(chunk)
        report(at)
    if end is not None and at < end:
        raise _FailedError(f"{at} of {end} bytes")

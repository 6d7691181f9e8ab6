"""Files that are whole or absent: atomic writes, hashes, locks. Knows nothing of blogs or models.

Everything is written to a temporary name in the same folder, flushed to the disk and renamed, so a
process killed at any instruction leaves either the old file or the new one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from blog_gen.errors import BlogGenError, BusyError

TEMPORARY_PREFIX = ".blog-gen-tmp-"


@contextmanager
def replacing(path: Path, mode: str = "wb", overwrite: bool = True, synced: bool = True) -> Iterator[IO[Any]]:
    """Open a temporary file that takes `path`'s place when the block ends without an error.

    What is no file, such as /dev/null or a pipe, keeps its place and is written to.

    Args:
        synced: wait for the disk, so that a power cut finds it whole; a kill does in any case.

    Raises:
        BlogGenError: the disk is full or the folder cannot be written.
        FileExistsError: not to `overwrite`, and another file has the name, be it since an instant ago.
    """
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    temporary: str | None = None
    make_folder(path.parent)
    try:
        if overwrite and path.exists() and not path.is_file():
            with path.open(mode, **text) as file:  # type: ignore[call-overload]
                yield file
            return
        handle, temporary = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
        os.chmod(temporary, _usual_mode(path))
        with os.fdopen(handle, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            if synced:
                os.fsync(file.fileno())
        _place(temporary, path, overwrite)
    except FileExistsError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def sync(path: Path) -> None:
    """Wait until a file is on the disk, if there is one."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; no harm if it is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def require_space(folder: Path, size: int, doing: str, fix: str = "Free some disk space") -> None:
    """Refuse to begin what would fill the disk; what `folder` holds already will be overwritten.

    Raises:
        BlogGenError: there are not `size` bytes.
    """
    held = sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
    at = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(at).free + held
    if free < size:
        rule = f"{doing} needs about {math.ceil(size / 1e8) / 10} GB of disk space until it ends"
        got = f"{math.floor(free / 1e8) / 10} GB free"
        raise BlogGenError(rule, got=got, fix=fix, path=folder)


def _place(temporary: str, path: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links here, as on exFAT: claim the name, then fill it; a kill leaves it empty
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.replace(temporary, path)


def _usual_mode(path: Path) -> int:
    """The mode of the file being replaced, or what the umask gives a new one (mkstemp's is 0600)."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def unwritable(path: Path, error: OSError) -> BlogGenError:
    """The one sentence for a file that could not be written."""
    fixes = {
        errno.ENOSPC: "Free some disk space and run the same command again",
        errno.EACCES: "Give yourself permission to write there",
        errno.EPERM: "Give yourself permission to write there",
        errno.EROFS: "The file system is read-only; remount it or work on a copy",
    }
    return BlogGenError(
        "the file could not be written",
        got=error.strerror or str(error),
        fix=fixes.get(error.errno or 0, "Nothing was half-written"),
        path=path,
    )


def write_text(path: Path, text: str, overwrite: bool = True) -> None:
    """Write UTF-8 with LF line ends and no byte-order mark, atomically; see `replacing`."""
    with replacing(path, "w", overwrite) as file:
        file.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        OSError, ValueError: it cannot be read, or is no JSON in UTF-8.
    """
    return parse_json(path.read_bytes())


def parse_json(text: str | bytes) -> Any:
    """The value that JSON holds.

    Raises:
        ValueError: it is none, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `path`, absent or empty, when the block ends without an error."""
    place = path.resolve()  # where a link leads
    make_folder(place.parent)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=place.parent))
    try:
        yield temporary
        for file in temporary.iterdir():
            sync(file)
        os.chmod(temporary, 0o755)
        if place.is_dir():
            place.rmdir()
        os.replace(temporary, place)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def replacing_by_name(path: Path) -> Iterator[Path]:
    """Like `replacing`, for a library that opens the file itself: gives the temporary file's path."""
    make_folder(path.parent)
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=path.parent) as folder:
            yield Path(folder, path.name)
            sync(Path(folder, path.name))
            os.replace(Path(folder, path.name), path)
    except OSError as error:
        raise unwritable(path, error) from error


def sweep(folder: Path, older_than: float = 3600.0, deep: bool = False) -> None:
    """Remove what killed processes left unfinished in `folder`, `older_than` seconds ago or more.

    Args:
        deep: in the folders in it too.
    """
    for path in folder.glob(f"{'**/' if deep else ''}{TEMPORARY_PREFIX}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime >= older_than:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path, doing: str, timeout: float = 0.0) -> Iterator[None]:
    """Hold an operating-system lock on `path`; a killed process lets go of it by dying.

    Raises:
        BusyError: another process holds it longer than `timeout` seconds.
        BlogGenError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # here, since who only looks takes no lock

    make_folder(path.parent)
    lock = FileLock(path, timeout=timeout)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(f"another blog-gen is {doing}", fix="Wait until it has finished", path=path) from None
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()

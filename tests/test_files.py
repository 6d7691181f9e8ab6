"""Files are whole or absent, whatever happens while they are written; locks die with their holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blog_gen.errors import BlogGenError, BusyError
from blog_gen.files import TEMPORARY_PREFIX, locked, replacing, replacing_folder, sweep, write_text

_FULL_DISK = """
import resource, sys
from pathlib import Path
from blog_gen.errors import BlogGenError
from blog_gen.files import write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # the kernel fails a write in the middle
try:
    write_text(Path(sys.argv[1]), "new " * 1000)
except BlogGenError as error:
    print(error)
"""
_KILLED = """
import os, signal, sys
from pathlib import Path
from blog_gen.files import replacing
with replacing(Path(sys.argv[1]), "w") as file:
    file.write("half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
_HOLDS = """
import sys, time
from pathlib import Path
from blog_gen.files import locked
with locked(Path(sys.argv[1]), "sleeping"):
    print("held", flush=True)
    time.sleep(60)
"""


def _python(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "post.md"
    path.write_text("old")
    done = _python(_FULL_DISK, path)
    assert f"{path}: the file could not be written" in done.stdout, done.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_file_and_what_it_began_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "post.md"
    path.write_text("old")
    assert _python(_KILLED, path).returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    (left,) = tmp_path.glob(f"{TEMPORARY_PREFIX}*")
    sweep(tmp_path)
    assert left.exists()  # it may be another process's, at work
    sweep(tmp_path, older_than=0.0)
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_utf8_with_lf_and_usual_rights(tmp_path: Path) -> None:
    path = tmp_path / "new" / "post.md"
    write_text(path, "café\nline\n")
    assert path.read_bytes() == "café\nline\n".encode()
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_name_that_is_taken_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "post.md"
    write_text(path, "first", overwrite=False)
    with pytest.raises(FileExistsError):
        write_text(path, "second", overwrite=False)
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_a_pipe_or_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "né\n")
    assert os.read(end, 99) == "né\n".encode() and pipe.is_fifo()
    os.close(end)


def test_an_error_in_the_block_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "file") as file:
        file.write(b"x" * (1 // 0))
    with pytest.raises(ZeroDivisionError), replacing_folder(tmp_path / "folder") as folder:
        (folder / "a").write_text(str(1 // 0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["nothing", "a folder", "a link"])
def test_an_empty_folder_is_replaced_whole_and_no_other(tmp_path: Path, there: str) -> None:
    made, path = tmp_path / "made", tmp_path / "folder"
    if there != "nothing":
        (made if there == "a link" else path).mkdir()
    if there == "a link":
        path.symlink_to(made)
    with replacing_folder(path) as folder:
        (folder / "one").write_text("")
    with pytest.raises(BlogGenError, match="could not be written"), replacing_folder(path) as folder:
        (folder / "two").write_text("")
    assert [each.name for each in path.iterdir()] == ["one"]
    assert {each.name for each in tmp_path.iterdir()} <= {"made", "folder"}


def test_a_file_where_a_folder_should_be_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    with pytest.raises(BlogGenError, match="could not be written"):
        write_text(tmp_path / "folder" / "post.md", "text")


def test_a_lock_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with (
        pytest.raises(BlogGenError, match="lock: the file could not be written"),
        locked(tmp_path / "lock", "x"),
    ):
        pass


def test_a_lock_is_exclusive_and_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", _HOLDS, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(BusyError, match="another blog-gen is testing"), locked(path, "testing"):
        pass
    holder.kill()
    holder.wait()
    with locked(path, "testing"):
        pass

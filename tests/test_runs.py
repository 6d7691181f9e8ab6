"""A new run takes the place of the one before, and a kill at any instant leaves one of them whole."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toy_models import write_model, write_run

from blog_gen import runs


def renew(folder: Path, model: str) -> None:
    with runs.renewing(folder) as new:
        write_run(new, "new", model)


# Dies at the n-th rename, before or after it; sys.argv: n, when, the folder, the model.
_KILLED = """
import os, shutil, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {tests!r} + "/model"]
from test_runs import renew
left, when, rename = int(sys.argv[1]), sys.argv[2], os.replace

def replace(*arguments):
    global left
    left -= 1
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    rename(*arguments)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

os.replace = replace
renew(Path(sys.argv[3]), sys.argv[4])
"""


def _identity(folder: Path) -> str | None:
    meta = runs.read_meta(folder)
    return meta.identity if meta else None


@pytest.mark.parametrize("model", ["mini", "124M"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_rename_leaves_the_old_run_or_the_new_one(
    tmp_path: Path, when: str, model: str
) -> None:
    script = _KILLED.format(tests=str(Path(__file__).parent))
    ends: list[str | None] = []
    for number in range(1, 50):
        folder = tmp_path / str(number) / "default"
        write_run(folder, "old")
        (folder / runs.STATE_FOLDER).mkdir()
        command = [sys.executable, "-c", script, str(number), when, str(folder), model]
        code = subprocess.run(command, check=False).returncode
        runs.settle(folder)
        ends.append(_identity(folder))
        kept = [runs.kept_folder(folder)] if model != "mini" and ends[-1] == "new" else []
        assert sorted(folder.parent.iterdir()) == sorted([folder, *kept]), number
        assert not kept or _identity(kept[0]) == "old"
        assert (folder / runs.STATE_FOLDER).exists() == (ends[-1] == "old"), (
            "what was begun is needed no more"
        )
        if code == 0:
            break
        assert code == -signal.SIGKILL
    olds = ends.count("old")
    assert 0 < olds < len(ends) and ends == ["old"] * olds + ["new"] * (len(ends) - olds)
    assert len(ends) > 6


def test_an_error_in_the_middle_leaves_the_old_run(tmp_path: Path) -> None:
    folder = tmp_path / "default"
    write_run(folder, "old")
    with pytest.raises(ZeroDivisionError), runs.renewing(folder) as new:
        write_model(new / str(1 // 0))
    assert _identity(folder) == "old" and os.listdir(tmp_path) == ["default"]


def test_of_runs_with_other_settings_the_last_alone_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "default"
    write_run(folder, "first", "355M")
    for model in ("124M", "mini", "mini"):
        renew(folder, model)
    kept = runs.read_meta(runs.kept_folder(folder))
    assert kept is not None and kept.base == "124M"
    assert sorted(os.listdir(tmp_path)) == ["default", "default.before"]


def test_a_run_that_lies_elsewhere_stays_there(tmp_path: Path) -> None:
    (tmp_path / "disk" / "mine").mkdir(parents=True)
    link = tmp_path / "default"
    link.symlink_to(tmp_path / "disk" / "mine")
    write_run(link, "old")
    for _ in range(2):
        renew(link, "mini")
    assert link.is_symlink() and _identity(link) == "new"
    assert os.listdir(tmp_path / "disk") == ["mine"] and sorted(os.listdir(tmp_path)) == ["default", "disk"]


def test_weights_of_another_run_are_no_run(tmp_path: Path) -> None:
    meta = write_run(tmp_path, "one")
    runs.write_meta(tmp_path, dataclasses.replace(meta, identity="other"))
    assert runs.read_meta(tmp_path) is None

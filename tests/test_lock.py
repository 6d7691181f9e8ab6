"""What killed processes leave behind is removed; what is being written is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from toy_models import write_model

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.errors import BusyError
from blog_gen.files import TEMPORARY_PREFIX
from blog_gen.lock import working_on
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.exchange import import_model
from blog_gen.site.days import draft_folders


def left_in(folder: Path, name: str, hours: float) -> Path:
    """A file that a process began to write so long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{TEMPORARY_PREFIX}{name}"
    path.write_bytes(b"half")
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))
    return path


def test_every_folder_of_the_site_is_swept_under_its_lock(tmp_path: Path) -> None:
    settings = Settings(site=tmp_path)
    run = settings.run_folder
    folders = [settings.state_folder, run.parent, run, *draft_folders(settings)]
    folders += [settings.articles_folder / "travel", settings.state_folder / "rejected"]
    assert {"_posts", "_articles", "_drafts", "_generated", "rejected"} <= {each.name for each in folders}
    old = [left_in(folder, "old", hours=2) for folder in folders]
    old.append(left_in(run / runs.STATE_FOLDER, "old", hours=0))  # nobody writes there without the lock
    new = [left_in(folder, "new", hours=0.5) for folder in folders]
    with working_on(settings):
        assert not [path for path in old if path.exists()]
        assert all(path.exists() for path in new)
        with pytest.raises(BusyError, match="working on this site"), working_on(settings):
            pass


def test_a_site_without_any_folder_is_no_problem(tmp_path: Path) -> None:
    with working_on(Settings(site=tmp_path)):
        assert [path.name for path in tmp_path.iterdir()] == [".blog_gen"]


def test_what_a_killed_import_left_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(zoo.CACHE_VARIABLE, str(tmp_path / "cache"))
    old, new = (left_in(zoo.models_folder(), name, hours) for name, hours in (("old", 2), ("new", 0.5)))
    import_model(write_model(tmp_path / "model"), "mine")
    assert (old.exists(), new.exists()) == (False, True)
    assert zoo.resolve("mine") == zoo.models_folder() / "mine"

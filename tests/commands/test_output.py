"""Neither a standard output without the letters nor a disk that is full hides a draft that was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from calling import call
from click.testing import CliRunner
from tiny_site import write_base, write_site

from blog_gen.cli import cli
from blog_gen.drafting import writing
from blog_gen.errors import BlogGenError
from blog_gen.site.drafts import write_draft

COMMAND = [sys.executable, "-m", "blog_gen.cli"]
NOW = "2026-03-05T12:00:00+00:00"
TITLE = "日本 — café"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = write_site(tmp_path_factory.mktemp("site"), write_base(tmp_path_factory.mktemp("base")))
    call(site, "train", "--steps", "20", now=None)
    return site


def _said(site: Path, encoding: str, *words: str) -> str:
    environment = {**os.environ, "BLOG_GEN_NOW": NOW, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, *words], cwd=site, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("latin-1")
    return done.stdout.decode("utf-8" if "json" in words[-1] else encoding)


@pytest.mark.parametrize("encoding", ["latin-1", "cp437", "cp1252", "iso8859-15"])
def test_an_output_without_the_letters_stops_nothing(trained: Path, encoding: str) -> None:
    before = set((trained / "_generated").glob("*.md"))
    told = _said(trained, encoding, "generate", "--title", TITLE)
    [new] = set((trained / "_generated").glob("*.md")) - before
    assert new.name.encode(encoding, "replace").decode(encoding) in told and "?" in told
    _said(trained, encoding, "corpus")
    rows = _said(trained, encoding, "review", "list", "--json").splitlines()
    assert TITLE in [json.loads(row)["title"] for row in rows]
    assert "title" in _said(trained, encoding, "corpus", "--format", "json")


@pytest.mark.locales
def test_a_real_locale_without_the_letters_stops_nothing(trained: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["localedef", "-i", "en_US", "-f", "ISO-8859-1", tmp_path / "en_US.ISO-8859-1"], check=True
    )
    environment = {**os.environ, "BLOG_GEN_NOW": NOW, "LOCPATH": str(tmp_path), "LC_ALL": "en_US.ISO-8859-1"}
    encoding = [sys.executable, "-c", "import sys; print(sys.stdout.encoding, sys.getfilesystemencoding())"]
    assert subprocess.check_output(encoding, env=environment).split() == [b"iso8859-1"] * 2
    _said(trained, "utf-8", "generate", "--title", TITLE)
    before = set((trained / "_generated").glob("*.md"))
    told = b""
    for words in (["generate", "--title", "Café"], ["run"], ["review", "list"], ["status"]):
        given = [word.encode("latin-1") for word in (*COMMAND, *words)]
        done = subprocess.run(given, cwd=trained, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr.decode("latin-1")
        told += done.stdout
    [new] = set((trained / "_generated").glob("*.md")) - before
    assert "Café" in new.read_text(encoding="utf-8")
    assert "Café".encode("latin-1") in told and "?? ? café".encode("latin-1") in told


# Fills the disk when a draft is about to be written, but for as few pages as suffice for the draft alone.
_SCRIPT = """
import json, sys
from datetime import datetime
from pathlib import Path
from blog_gen import pipeline
from blog_gen.commands.reporting import summarise
from blog_gen.config.loading import load_settings
from blog_gen.errors import BlogGenError
from blog_gen.report import Hooks

site = Path(sys.argv[1])
settings, now, notes = load_settings(site), datetime.fromisoformat(sys.argv[2]), []
for pages in range(1, 9):
    def fill():
        with open(site / "filler", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                file.truncate(file.tell() - pages * 4096)
    hooks = Hooks(note=lambda note: notes.append(str(note)), before_writing=fill)
    try:
        report = pipeline.run(settings, now, hooks, learn=False)
        break
    except BlogGenError as error:
        assert "No space left" in str(error), error
    finally:
        (site / "filler").unlink()
code = summarise(settings, report)
again = pipeline.run(settings, now, Hooks(), learn=False)
print(json.dumps([code, pages, notes, [str(path) for path, _ in report.written], again.nothing_to_do]))
"""


@pytest.mark.small_disk
def test_a_disk_that_fills_after_the_draft_costs_only_a_note(trained: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = (
        'mount -t tmpfs -o size=64m tmpfs "$1" && cp -r "$2" "$1/site" && exec "$3" -c "$4" "$1/site" "$5"'
    )
    values = [str(disk), str(trained), sys.executable, _SCRIPT, "2026-03-06T12:00:00+00:00"]
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *values]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *told, last = done.stdout.splitlines()
    code, pages, notes, written, nothing_to_do = json.loads(last)
    assert code == 0 and nothing_to_do and pages < 8
    assert [Path(path).name in told[0] for path in written] == [True]
    assert any("tries.json: the file could not be written" in note for note in notes)


def test_a_draft_that_was_written_is_named_whatever_comes_after_it(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, real = [1], write_draft

    def write_once(*arguments: Any) -> Path:
        if not left:
            raise BlogGenError("the file could not be written", got="No space left on device")
        left.pop()
        return real(*arguments)

    monkeypatch.setattr(writing, "write_draft", write_once)
    before = set((trained / "_generated").glob("*.md"))
    done = CliRunner().invoke(cli, ["--site", str(trained), "generate", "-n", "2"])
    [new] = set((trained / "_generated").glob("*.md")) - before
    assert isinstance(done.exception, BlogGenError) and new.name in done.stdout

"""What a blogger meets first: folders that are no site yet, settings files, `init` and `schedule`."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from blog_gen import cli
from blog_gen.learning import rehearsal
from blog_gen.origin import how_to_install

Say = Callable[..., str]


def make(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


ENGLISH = (
    "It rained for the whole ride, and by the bridge my brakes did very little. The wheel ran true again.\n"
)
CRON = ["--config", "a.yml,b%.yml", "schedule", "cron"]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Say:
    """Call `blog-gen` in the folder, without a terminal; `code` is the exit code that it must have."""

    def call(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["blog-gen", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert ended.value.code == code, out + err
        return out + err

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLOG_GEN_NOW", "2026-03-05T12:00:00+00:00")
    return call


class _Terminal(io.StringIO):
    """What a person types, line by line."""

    def isatty(self) -> bool:
        return True


def typing(lines: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> str:
    """What `init` says to one who types these lines."""
    monkeypatch.setattr(sys, "argv", ["blog-gen", "init", "--no-workflow"])
    monkeypatch.setattr(sys, "stdin", _Terminal(lines))
    with pytest.raises(SystemExit):
        cli.main()
    return "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("typed", "line", "next_"),
    [
        ("\n", "# model: mini", "Next: `blog-gen run`"),
        ("smollm2\n", "  model: smollm2", "Next: `blog-gen models pull smollm2`, then `blog-gen run`"),
    ],
)
def test_init_asks_which_base_with_what_it_costs(
    typed: str,
    line: str,
    next_: str,
    say: Say,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    make(tmp_path, {"_config.yml": "", "_posts/2021-03-02-a.md": f"---\ntitle: A\n---\n{ENGLISH}"})
    told = typing(f"{typed}y\ny\ny\n", monkeypatch, capfd)
    assert re.search(r"smollm2 +English +Apache-2.0 +93 MB +\d\.\d GiB", told) and next_ in told
    assert line in (tmp_path / "_config.yml").read_text()
    assert ("Better English: `blog-gen models pull smollm2`" in told) == ("mini" in line)
    assert "Which one?" not in typing("", monkeypatch, capfd), "asked once"


def test_init_without_a_terminal_takes_mini_and_says_what_is_better(say: Say, tmp_path: Path) -> None:
    make(tmp_path, {"_config.yml": "", "_posts/2021-03-02-a.md": f"---\ntitle: A\n---\n{ENGLISH}"})
    told = say("init", "--yes")
    assert "Better English: `blog-gen models pull smollm2` (93 MB)" in told and "Which one?" not in told


def test_after_a_refusal_the_list_says_how_to_see_why(say: Say, tmp_path: Path) -> None:
    make(tmp_path, {"_config.yml": ""})
    assert "`blog-gen generate` writes one" in say("review", "list")
    make(tmp_path, {".blog_gen/tries.json": '{"2026-03-05": 1}'})
    assert "--explain` tries again" in say("review", "list")


@pytest.fixture
def two_files(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("title: A\nblog_gen: {articles: _posts}\n")
    (tmp_path / "b%.yml").write_text("timezone: UTC\n")


@pytest.mark.parametrize("words", [["status"], ["run", "--dry-run"]])
def test_a_site_or_a_settings_file_that_is_not_there_is_refused(words: list[str], say: Say) -> None:
    assert "'nowhere' does not exist" in say("--site", "nowhere", *words, code=2)
    assert "nope.yml: a settings file must be there" in say("--config", "nope.yml", *words, code=1)


@pytest.mark.usefixtures("two_files")
def test_the_printed_job_has_the_settings_files_and_makes_its_log(say: Say, tmp_path: Path) -> None:
    script = tmp_path / "bin" / "blog-gen"
    line = say(*CRON).splitlines()[1].split(maxsplit=5)[5].replace("\\%", "%")
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    script.chmod(0o755)
    real = line.split(" && ")[-1].split(" --config")[0]
    subprocess.run(["sh", "-c", line.replace(real, str(script))], check=True, cwd="/")
    assert (tmp_path / ".blog_gen" / "schedule.log").read_text() == "--config|a.yml,b%.yml|run|"


@pytest.mark.usefixtures("two_files")
def test_the_unit_and_the_workflow_have_the_settings_files_too(say: Say) -> None:
    assert ' "--config" "a.yml,b%%.yml" run\n' in say(*CRON[:-1], "systemd")
    for option in ("--deploy", "--pull-request"):
        workflow = say(*CRON[:-1], "github", option, "--package", "./w.whl")
        assert 'CONFIG: "a.yml,b%.yml"' in workflow
        assert not re.search(r"^[^#\n]*\bblog-gen (run|review)", workflow, re.M)
        assert '        run: blog-gen --config "$CONFIG" run\n' in workflow
        assert option != "--deploy" or '"$@" build --config "$CONFIG" --dest' in workflow


def test_one_thing_at_a_time_is_asked_of_a_schedule(say: Say) -> None:
    for words in (["--show", "--remove"], ["--install", "--remove"], ["--install", "--show"]):
        assert "only one of" in say("schedule", "cron", *words, code=2)


@pytest.mark.usefixtures("two_files")
def test_what_was_installed_is_said_with_its_time_and_its_log(say: Say, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "_config.yml").write_text("title: A\ntimezone: UTC\n")
    said = say("schedule", "github", "--install", "--package", "./w.whl")
    assert said.startswith(
        f"Installed in {tmp_path}/.github/workflows/blog-gen.yml: `blog-gen run`, once pushed"
    )
    assert " UTC; its output: under Actions on GitHub.\n" in said
    assert "`blog-gen schedule github --remove`" in said


def test_where_nobody_answers_init_says_what_to_do_and_changes_nothing(say: Say, tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("title: A\n")
    assert "--yes" in say("init", code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["_config.yml"]
    say("init", "--yes")
    assert (tmp_path / "_plugins" / "blog_gen.rb").is_file()


POST = "---\ntitle: A\n---\nHello.\n"
STOPS: dict[str, tuple[dict[str, str], list[str], str]] = {
    "no site": ({}, [], "There is no _config.yml either"),
    "posts elsewhere": (
        {"_posts/2026-01-01-a.md": POST},
        [],
        "make a _config.yml with `blog_gen: {articles: _posts}`",
    ),
    "before init": ({"_config.yml": "", "_posts/a.md": POST}, [], "in _posts: run `blog-gen init`"),
    "collections_dir": (
        {"_config.yml": "collections_dir: c\nblog_gen: {candidates: 4}", "c/_posts/a.md": POST},
        [],
        "`blog_gen: {articles: c/_posts}`",
    ),
    "no post": ({"_articles/notes.txt": "x"}, [], "Put Markdown files"),
    "no such model": ({"_articles/a.md": POST}, ["--model", "125M"], "there is no such model"),
    "a model to be pulled": ({"_articles/a.md": POST}, ["--model", "124M"], "models pull 124M"),
    "temperature": ({"_articles/a.md": POST}, ["--temperature", "-1"], "temperature` must be"),
    "adapters": ({"_articles/a.md": POST}, ["--lora", "-3"], "`training.lora` must be"),
    "steps": ({"_articles/a.md": POST}, ["--steps", "0"], "`training.steps` must be"),
    "strict": (
        {"_articles/a.md": POST, "_articles/b.md": "---\ntitle: [\n---\nHello.\n"},
        ["--strict"],
        "_articles/b.md: the front matter is not valid",
    ),
    "untrained": ({"_articles/a.md": POST}, ["--no-train"], "there must be a trained run"),
    "untrained, strict": (
        {"_articles/a.md": POST, "_articles/b.md": "---\ntitle: [\n---\nHello.\n"},
        ["--no-train", "--strict"],
        "_articles/b.md: the front matter is not valid",
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_what_stops_a_run_stops_its_dry_run_in_the_same_words(
    stop: str, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, words, rule = STOPS[stop]
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    make(tmp_path, files)
    dry = say("run", "--dry-run", *words, code=1)
    assert rule in dry
    assert not (tmp_path / ".blog_gen").exists()
    assert say("run", *words, code=1).splitlines()[-1] == dry.splitlines()[-1]
    if not (tmp_path / "_articles").exists():
        assert not (tmp_path / ".blog_gen").exists(), "what is no site stays as it was"


def test_a_dry_run_says_what_would_be_done(say: Say, tmp_path: Path) -> None:
    make(tmp_path, {"_articles/a.md": POST, "_config.yml": "blog_gen: {posts_per_day: 60}"})
    assert say("run", "--dry-run") == "blog-gen would train; posts due: 2026-03-05 ×60\n"


def test_to_learn_without_the_libraries_for_it_is_refused(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, {"_articles/a.md": POST})
    monkeypatch.setattr(rehearsal, "TRAINER", "no_such_library")
    for words in (["run", "--dry-run"], ["run"], ["train"]):
        assert how_to_install("train") in say(*words, code=1)


def test_status_says_what_stops_a_run_and_which_posts_are_left_out(say: Say, tmp_path: Path) -> None:
    assert "problem             _articles: the folder with your posts is missing" in say("status")
    make(tmp_path, {"_articles/a.md": POST, "_articles/b.md": "", "_generated/c.md": POST})
    said = say("status")
    assert "problem" not in said
    assert "retrain             when posts changed\n" in said, "not that they did"
    assert "posts left out      _articles/b.md\n" in said and "unreadable drafts   c.md\n" in said
    (tmp_path / "_config.yml").write_text("blog_gen: {model: 125M}")
    assert "problem             there is no such model" in say("status")
    (tmp_path / "_config.yml").write_text("blog_gen: {strict: true}")
    assert "problem             _articles/b.md must be left out" in say("status")
    (tmp_path / "_config.yml").write_text("blog_gen: {retrain: never}")
    assert "problem             .blog_gen/runs/default: there must be a trained run" in say("status")
    found = json.loads(say("status", "--json"))
    assert found["problem"] and found["posts"] == 1 and found["posts_left_out"] == ["_articles/b.md"]


GERMAN = "---\ntitle: {}\n---\n" + "Der Regen fiel den ganzen Abend auf die Dächer der kleinen Stadt. {} " * 3
ENGLISH = "---\ntitle: Rain\n---\n" + "The rain fell all evening on the roofs of the little town. " * 3


def test_status_counts_what_is_learned_and_what_is_not(say: Say, tmp_path: Path) -> None:
    posts = {f"_articles/{name}.md": GERMAN.format(name, *name * 3) for name in "abc"}
    hidden = ENGLISH.replace("title", "published: false\ntitle")
    make(tmp_path, {**posts, "_articles/d.md": ENGLISH, "_articles/e.md": hidden})
    found = json.loads(say("status", "--json"))
    assert found["posts"] == 3 and found["other_languages"] == {"en": 1} and "1 " in found["posts_hidden"]
    said = say("status")
    assert "knows English only; got 3 posts in German" in said, "`run` would refuse"
    assert "other languages     1 in English" in said and "trained             no" in said


def test_what_holds_for_many_posts_is_said_once(say: Say, tmp_path: Path) -> None:
    dated = ENGLISH.replace("title", "date: on {}day\ntitle")
    make(
        tmp_path, {f"_articles/{name}.md": dated.format(name).replace("Rain", name) + name for name in "abc"}
    )
    (note,) = [line for line in say("corpus", "-o", str(tmp_path / "corpus")).split("\n") if "note: " in line]
    assert "_articles/a.md: `on aday` is not a date" in note and note.endswith("(and 2 more like it)")

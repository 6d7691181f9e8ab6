"""The command line in throw-away sites: exit codes, exact messages, and the files on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from calling import DAY, Run, environment
from tiny_site import article

from blog_gen.commands.registry import COMMANDS


def _drafts(site: Path) -> list[str]:
    return sorted(path.name for path in (site / "_generated").glob("*.md"))


def test_the_whole_way_and_then_nothing_to_do(site: Path, blog_gen: Run) -> None:
    first = blog_gen("run")
    (name,) = _drafts(site)
    assert name.startswith(f"{DAY}-note-")
    assert "Held-out loss, from the first to the last: █" in first.stdout
    assert "<polyline" in (site / ".blog_gen" / "runs" / "default" / "loss.svg").read_text()
    assert f"Wrote _generated/{name}" in first.stdout and "Next: read it with" in first.stdout
    head = yaml.safe_load((site / "_generated" / name).read_text().split("---")[1])
    assert head["published"] is False and head["title"].startswith("Note ")
    assert set(head["tags"]) <= {"tin", "rain"}
    assert str(head["date"]).startswith(DAY) and str(head["blog_gen"]["day"]) == DAY

    again = blog_gen("run")
    assert again.stdout == "Nothing to do: the posts have not changed and none is due.\n"
    assert _drafts(site) == [name]

    # A touched file retrains nothing; a changed setting of sampling neither; the next day gets its own post.
    (site / "_articles" / "note_0.md").write_text(article(0) + "\n\n")
    meta = site / ".blog_gen" / "runs" / "default" / "model.safetensors"
    before = meta.stat().st_mtime_ns
    assert "Wrote" in blog_gen("run", "--temperature", "0.9", now="2026-03-06T12:00:00+00:00").stdout
    assert meta.stat().st_mtime_ns == before and len(_drafts(site)) == 2

    status = json.loads(blog_gen("status", "--json").stdout)
    assert status["trained"] and not status["needs_training"] and len(status["waiting_for_review"]) == 2

    same = blog_gen("reproduce", f"_generated/{name}")
    assert "The same body." in same.stderr
    edited = site / "_generated" / name
    edited.write_text(edited.read_text() + "\nA human was here.\n")
    assert "edited" in blog_gen("reproduce", f"_generated/{name}", code=1).stderr

    # A new article retrains, and what was generated is not learned from.
    (site / "_articles" / "new.md").write_text("---\ntitle: New\n---\n\nSomething else altogether.\n")
    (site / "_articles" / "moved.md").write_text(edited.read_text())
    shown = blog_gen("corpus").stdout
    assert "_articles/new.md" in shown and "moved" not in shown and "A human was here" not in shown
    assert "would train" in blog_gen("run", "--dry-run").stdout
    assert "Learned from 7 posts, with 2 posts" in blog_gen("run").stdout


def test_learning_keeps_to_its_own_schedule_and_writing_does_not_wait_for_it(
    trained: Path, blog_gen: Run
) -> None:
    def on(day: int, *words: str) -> subprocess.CompletedProcess[str]:
        return blog_gen("run", *words, now=f"2026-03-{day:02}T12:00:00+00:00")

    config = yaml.safe_load((trained / "_config.yml").read_text())
    assert "Wrote _generated/2026-03-05" in on(5).stdout
    config["blog_gen"]["retrain"] = "weekly"
    (trained / "_config.yml").write_text(yaml.safe_dump(config))
    assert "Nothing to do: the posts have not changed" in on(5).stdout, "the setting itself changes nothing"

    (trained / "_articles" / "new.md").write_text("---\ntitle: New\n---\n\nSomething else altogether.\n")
    said = "what changed since 2026-03-05 is learned on 2026-03-12 at the earliest"
    assert on(6, "--dry-run").stdout.startswith(f"blog-gen would not train (`retrain: weekly`: {said});")
    sixth = on(6)
    assert "Wrote _generated/2026-03-06" in sixth.stdout and "Learned" not in sixth.stdout
    assert said in sixth.stderr
    assert on(6).stdout == "Nothing to do: no post is due.\n"
    status = json.loads(blog_gen("status", "--json", now="2026-03-06T12:00:00+00:00").stdout)
    assert status["needs_training"] and status["retrain"] == "weekly"
    assert (status["learned_on"], status["next_training"]) == ("2026-03-05", "2026-03-12")
    twelfth = on(12, "--date", "2026-03-11").stdout
    assert "Learned from 7 posts, with 2 posts" in twelfth and "Wrote _generated/2026-03-11" in twelfth

    config["blog_gen"]["retrain"] = "never"
    (trained / "_config.yml").write_text(yaml.safe_dump(config))
    (trained / "_articles" / "newer.md").write_text("---\ntitle: Newer\n---\n\nAnd one more of them.\n")
    assert "by `blog-gen train` only" in on(28, "--dry-run").stdout


def test_light_commands_stay_light_with_a_trained_run(trained: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['train']\n"
        "from blog_gen.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'tensorflow', 'keras', 'ai_edge_litert'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=trained, check=True, env=environment())


def test_sample_prints_the_same_text_for_the_same_seed(trained: Path, blog_gen: Run) -> None:
    words = ("sample", "title:", "--seed", "7", "--max-tokens", "40")
    one = blog_gen(*words).stdout
    assert one.startswith("title:") and one == blog_gen(*words).stdout
    assert blog_gen(*words, "--stream").stdout == one
    row = json.loads(blog_gen(*words, "--json").stdout)
    assert row["text"] + "\n" == one and row["seed"] == 7 and len(row["tokens"]) == len(row["logprobs"])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "--date", "tomorrow"], 2, "--date must be a day; got 'tomorrow'"),
        (["run", "--date", "2030-01-01"], 1, "a post is never dated later than now"),
        (["generate", "--date", "2030-01-01"], 1, "a post is never dated later than now"),
        (["rum"], 2, "Did you mean 'run'?"),
        (["generate"], 1, "there must be a trained run to write from"),
        (["generate", "--tags", "a"], 2, "--tags needs --title"),
        (["generate", "--title", "  "], 2, "--title must not be blank"),
        (["generate", "-n", "2", "--title", "a"], 2, "-n and --title cannot be used together"),
        (["train", "--model", "125M"], 1, "there is no such model; got '125M'"),
        (["train", "--model", "124M"], 1, "blog-gen models pull 124M"),
        (["train", "--steps", "0"], 1, "`training.steps` must be above 0"),
        (["sample", "--temperature", "-1"], 1, "temperature"),
        (["evaluate", "_articles/note_1.md"], 1, "there must be a trained run"),
        (["corpus", "--format", "npz"], 2, "--format npz needs -o FILE"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    site: Path, blog_gen: Run, words: list[str], code: int, message: str
) -> None:
    done = blog_gen(*words, code=code)
    assert message in done.stderr
    assert _drafts(site) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blog_gen: {modle: mini}", "_config.yml: `blog_gen.modle` is not a setting. Did you mean `model`?"),
        ("blog_gen: {candidates: many}", "`blog_gen.candidates` must be a whole number; got 'many'"),
        (f"blog_gen: {{candidates: 1{'0' * 400}}}", "must be a whole number below 2^63; got about 10^400"),
        (f"blog_gen: {{sampling: {{temperature: 1{'0' * 400}}}}}", "must be a number below 2^63"),
        ("blog_gen: {review: maybe}", "`blog_gen.review` must be one of required, auto, pull-request"),
        ("blog_gen: {training: {rate: 1}}", "`blog_gen.training.rate` is not a setting"),
        ("a: b: c", " at line 1, column 5"),
        ("timezone: Europe/Lundon", "Europe/London"),
    ],
)
def test_a_wrong_setting_names_the_file_the_key_and_the_nearest(
    tmp_path: Path, blog_gen: Run, text: str, message: str
) -> None:
    (tmp_path / "_config.yml").write_text(text)
    assert message in blog_gen("run", code=1).stderr


def test_an_empty_site_says_what_to_do(tmp_path: Path, blog_gen: Run) -> None:
    assert "There is no _config.yml either" in blog_gen("run", code=1).stderr
    assert "_config.yml: a Jekyll site has its settings here" in blog_gen("schedule", "cron", code=1).stderr
    (tmp_path / "_config.yml").write_text("")
    assert "or name the right one: `blog_gen.articles`" in blog_gen("run", code=1).stderr
    (tmp_path / "_articles").mkdir()
    assert "Put Markdown files" in blog_gen("run", code=1).stderr


def test_every_candidate_rejected_writes_nothing_and_says_why(trained: Path, blog_gen: Run) -> None:
    config = yaml.safe_load((trained / "_config.yml").read_text())
    config["blog_gen"] |= {"limits": {"distinct_1": 1.0, "length_slack": 0.0}, "attempts": 2}
    (trained / "_config.yml").write_text(yaml.safe_dump(config))
    done = blog_gen("generate", code=1)
    assert done.stderr.count("seed ") == 8 and "nothing was written" in done.stderr
    assert _drafts(trained) == []


def test_an_output_folder_that_cannot_be_written_loses_nothing(trained: Path, blog_gen: Run) -> None:
    (trained / "_generated").write_text("a file where the folder should be")
    assert "_generated" in blog_gen("run", code=1).stderr
    (trained / "_generated").unlink()
    assert "Wrote" in blog_gen("run").stdout


def test_every_command_has_a_help_text_for_a_blogger(blog_gen: Run) -> None:
    listed = blog_gen("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in listed
        assert "Usage: blog-gen" in blog_gen(name, "--help").stdout

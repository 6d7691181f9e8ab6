"""The command line in throw-away sites: exit codes, exact messages, and the files on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from tiny_site import article, write_base, write_site

from blog_gen.commands.registry import COMMANDS

DAY = "2026-03-05"
NOW = f"{DAY}T12:00:00+00:00"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model so small that it learns four sentences by heart in seconds."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def site(tmp_path: Path, base: Path) -> Path:
    """A site that learns quickly and takes whatever comes out as a post."""
    return write_site(tmp_path, base)


@pytest.fixture
def blog_gen(tmp_path: Path) -> Run:
    """Run the real command in the site; `code` is the exit code that it must have."""

    def run(*words: str, code: int = 0, now: str = NOW) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            _command(words), cwd=tmp_path, env=_environment(now), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "blog_gen.cli", *words]


def _environment(now: str = NOW) -> dict[str, str]:
    return {**os.environ, "BLOG_GEN_NOW": now}


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
    assert str(head["date"]).startswith(DAY) and head["blog_gen"]["day"] == DAY

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
    assert "Learned from 9 posts" in blog_gen("run").stdout


def test_learning_keeps_to_its_own_schedule_and_writing_does_not_wait_for_it(
    site: Path, blog_gen: Run
) -> None:
    def on(day: int, *words: str) -> subprocess.CompletedProcess[str]:
        return blog_gen("run", *words, now=f"2026-03-{day:02}T12:00:00+00:00")

    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"]["training"]["steps"] = 60
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    assert "Learned from 8 posts" in on(5).stdout
    config["blog_gen"]["retrain"] = "weekly"
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    assert "Nothing to do: the posts have not changed" in on(5).stdout, "the setting itself changes nothing"

    (site / "_articles" / "new.md").write_text("---\ntitle: New\n---\n\nSomething else altogether.\n")
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
    assert "Learned from 9 posts" in twelfth and "Wrote _generated/2026-03-11" in twelfth

    config["blog_gen"]["retrain"] = "never"
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    (site / "_articles" / "new.md").unlink()
    assert "by `blog-gen train` only" in on(28, "--dry-run").stdout


def test_what_is_said_of_learning_is_what_was_done(site: Path, blog_gen: Run) -> None:
    words = ("train", "--steps", "2")
    assert blog_gen(*words).stdout.startswith("Learned from 8 posts")
    assert blog_gen(*words).stdout.startswith("Nothing to learn: the texts of the 8 posts")
    (site / "_articles" / "note_0.md").write_text(article(0) + "\n\n")
    assert blog_gen(*words).stdout.startswith("Nothing to learn"), "the file changed, and not its text"
    assert blog_gen(*words, "--fresh").stdout.startswith("Learned from 8 posts")
    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"]["posts_per_day"] = 0
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    (site / "_articles" / "new.md").write_text("---\ntitle: New\n---\n\nSomething else altogether.\n")
    idle = blog_gen("run", "--no-train", "--steps", "2").stdout
    assert idle == "Nothing to do: no post is due, and with --no-train no change is looked for.\n"


def test_light_commands_stay_light_with_a_trained_run(site: Path, blog_gen: Run) -> None:
    blog_gen("train", "--steps", "2")
    code = (
        "import sys; sys.argv[1:] = ['train', '--steps', '2']\n"
        "from blog_gen.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'tensorflow', 'keras', 'ai_edge_litert'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=site, check=True, env=_environment())


def test_sample_prints_the_same_text_for_the_same_seed(site: Path, blog_gen: Run) -> None:
    blog_gen("train", "--steps", "20")
    words = ("sample", "title:", "--seed", "7", "--max-tokens", "40")
    one = blog_gen(*words).stdout
    assert one.startswith("title:") and one == blog_gen(*words).stdout
    assert blog_gen(*words, "--stream").stdout == one
    row = json.loads(blog_gen(*words, "--json").stdout)
    assert row["text"] + "\n" == one and row["seed"] == 7 and len(row["tokens"]) == len(row["logprobs"])


def test_evaluate_improves_with_training(site: Path, base: Path, blog_gen: Run) -> None:
    blog_gen("train")
    words = ("evaluate", "_articles/note_1.md", "--json")
    before = json.loads(blog_gen(*words, "--model", str(base)).stdout)
    after = json.loads(blog_gen(*words).stdout)
    assert list(after) == ["files", "tokens", "bytes", "loss", "perplexity", "bits_per_byte"]
    assert after["tokens"] == before["tokens"] and after["loss"] < 0.5 * before["loss"]

    (site / "_articles" / "bare.md").write_text("---\ntitle: Bare\n---\n")
    (site / "_articles" / "empty.md").write_text("\n")
    more = blog_gen("evaluate", "_articles/bare.md", "_articles/empty.md", *words[1:])
    assert json.loads(more.stdout) == after
    assert more.stderr.count("there must be text to measure; left out") == 2
    none = blog_gen("evaluate", "_articles/empty.md", code=1)
    assert "there is nothing to measure in these files" in none.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_next_call_goes_on(site: Path, blog_gen: Run, number: int) -> None:
    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"]["training"]["patience"] = 10**9  # it must still be at it when the signal comes
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        _command(["train", "--steps", "10000000"]),
        cwd=site,
        env=_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "Learning from _articles" in process.stderr.readline()
    time.sleep(8)
    process.send_signal(number)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130, rest
    assert "Saved. Run the same command again" in rest
    assert list((site / ".blog_gen" / "runs" / "default" / "training").glob("state-*.safetensors"))
    assert json.loads(blog_gen("status", "--json").stdout)["unfinished_training"]


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
        (["generate", "-n", "2", "--title", "a"], 2, "-n and --title exclude each other"),
        (["train", "--model", "125M"], 1, "there is no such model; got '125M'"),
        (["train", "--model", "124M"], 1, "blog-gen models pull 124M"),
        (["train", "--steps", "0"], 1, "`training.steps` must be above 0"),
        (["sample", "--temperature", "-1"], 1, "temperature"),
        (["evaluate", "_articles/note_1.md"], 1, "there is no trained run here"),
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


def test_every_candidate_rejected_writes_nothing_and_says_why(site: Path, blog_gen: Run) -> None:
    blog_gen("train", "--steps", "20")
    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"] |= {"limits": {"distinct_1": 1.0, "length_slack": 0.0}, "attempts": 2}
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    done = blog_gen("generate", code=1)
    assert done.stderr.count("seed ") == 8 and "nothing was written" in done.stderr
    assert _drafts(site) == []


def test_an_output_folder_that_cannot_be_written_loses_nothing(site: Path, blog_gen: Run) -> None:
    blog_gen("train", "--steps", "150")
    (site / "_generated").write_text("a file where the folder should be")
    assert "_generated" in blog_gen("run", code=1).stderr
    (site / "_generated").unlink()
    assert "Wrote" in blog_gen("run").stdout


def test_every_command_has_a_help_text_for_a_blogger(blog_gen: Run) -> None:
    listed = blog_gen("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in listed
        assert "Usage: blog-gen" in blog_gen(name, "--help").stdout


def test_a_new_post_is_learned_from_where_the_last_run_ended(site: Path, blog_gen: Run) -> None:
    blog_gen("train")
    meta = site / ".blog_gen" / "runs" / "default" / "meta.json"
    before = json.loads(meta.read_text())
    (site / "_articles" / "note_90.md").write_text(article(90))
    again = blog_gen("train")
    after = json.loads(meta.read_text())
    assert "go on from what was learned before" in again.stderr
    assert (
        after["continued"] == before["continued"] + 1 and after["recipe"]["steps"] < before["recipe"]["steps"]
    )
    losses = [row["held_out"] for row in after["history"] if "held_out" in row]
    kept = next(row["held_out"] for row in after["history"] if row["step"] == after["best_step"])
    assert kept == min(losses) <= losses[0]  # rolled back where it only got worse
    assert losses[0] < before["history"][0]["held_out"]  # it began with what it knew

    for number in range(91, 91 + len(before["texts"])):
        (site / "_articles" / f"note_{number}.md").write_text(article(number))
    assert "go on from" not in blog_gen("train").stderr  # with so many new ones it starts over
    assert json.loads(meta.read_text())["continued"] == 0


def test_adapters_are_saved_alone_and_the_run_samples_like_any_other(site: Path, blog_gen: Run) -> None:
    done = blog_gen("train", "--lora", "4", "--learning-rate", "0.03")
    folder = site / ".blog_gen" / "runs" / "default"
    assert "adapters of rank 4" in done.stderr
    assert (folder / "adapter.safetensors").stat().st_size < (folder / "model.safetensors").stat().st_size
    assert blog_gen("sample", "--max-tokens", "5").stdout
    blog_gen("train")  # all weights: the adapters are no longer what was trained
    assert not (folder / "adapter.safetensors").exists()


def test_ways_to_train_that_make_no_sense_are_refused(site: Path, blog_gen: Run) -> None:
    for words, part in ((("--freeze", "99"), "blocks"), (("--lora", "2", "--freeze", "1"), "exclude")):
        assert part in blog_gen("train", *words, code=1).stderr


def test_samples_and_losses_can_be_watched_and_change_nothing(
    site: Path, blog_gen: Run, tmp_path: Path
) -> None:
    weights = site / ".blog_gen" / "runs" / "default" / "model.safetensors"
    done = blog_gen("train", "--steps", "20", "--sample-every", "10", "--tensorboard", "board")
    assert done.stderr.count("after 10 steps: ") == done.stderr.count("after 20 steps: ") == 1
    (events,) = (tmp_path / "board").glob("events.out.tfevents.*")
    assert b"loss/held-out" in events.read_bytes()
    watched = weights.read_bytes()
    blog_gen("train", "--steps", "20", "--fresh")
    assert weights.read_bytes() == watched

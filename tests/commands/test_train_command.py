"""What `blog-gen train` leaves on disk and says, and how it goes on; what `evaluate` makes of that."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from calling import Run, command, environment
from deadlines import wait_until
from tiny_site import article

from blog_gen.commands.interruption import AT_ONCE


def test_what_is_said_of_learning_is_what_was_done(trained: Path, blog_gen: Run) -> None:
    assert blog_gen("train").stdout.startswith("Nothing to learn: the texts of the 8 posts")
    (trained / "_articles" / "note_0.md").write_text(article(0) + "\n\n")
    assert blog_gen("train").stdout.startswith("Nothing to learn"), "the file changed, and not its text"
    assert blog_gen("train", "--fresh").stdout.startswith("Learned from 6 posts")
    config = yaml.safe_load((trained / "_config.yml").read_text())
    config["blog_gen"]["posts_per_day"] = 0
    (trained / "_config.yml").write_text(yaml.safe_dump(config))
    (trained / "_articles" / "new.md").write_text("---\ntitle: New\n---\n\nSomething else altogether.\n")
    idle = blog_gen("run", "--no-train").stdout
    assert idle == "Nothing to do: no post is due, and --no-train does not look for changes.\n"


def test_evaluate_improves_with_training(trained: Path, base: Path, blog_gen: Run) -> None:
    words = ("evaluate", "_articles/note_1.md", "--json")
    before = json.loads(blog_gen(*words, "--model", str(base)).stdout)
    after = json.loads(blog_gen(*words).stdout)
    assert list(after) == ["files", "tokens", "bytes", "loss", "perplexity", "bits_per_byte"]
    assert after["tokens"] == before["tokens"] and after["loss"] < 0.5 * before["loss"]

    (trained / "_articles" / "bare.md").write_text("---\ntitle: Bare\n---\n")
    (trained / "_articles" / "empty.md").write_text("\n")
    more = blog_gen("evaluate", "_articles/bare.md", "_articles/empty.md", *words[1:])
    assert json.loads(more.stdout) == after
    assert more.stderr.count("; left out") == 2
    none = blog_gen("evaluate", "_articles/empty.md", code=1)
    assert "there is nothing to measure in these files" in none.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_next_call_goes_on(site: Path, blog_gen: Run, number: int) -> None:
    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"]["training"]["patience"] = 10**9  # it must still be at it when the signal comes
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        command(["train", "--steps", "10000000"]),
        cwd=site,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "getting ready" in process.stderr.readline()
    assert "Learning from _articles" in process.stderr.readline()
    state = site / ".blog_gen" / "runs" / "default" / "training"
    wait_until(lambda: any(state.glob("state-*")), "the first evaluation", seconds=120)
    process.send_signal(number)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130, rest
    assert "Saved. Run the same command again" in rest or AT_ONCE in rest, "just after it has saved"
    assert list(state.glob("state-*.safetensors"))
    assert json.loads(blog_gen("status", "--json").stdout)["unfinished_training"]


def test_a_new_post_is_learned_from_where_the_last_run_ended(trained: Path, blog_gen: Run) -> None:
    meta = trained / ".blog_gen" / "runs" / "default" / "meta.json"
    before = json.loads(meta.read_text())
    (trained / "_articles" / "note_90.md").write_text(article(90))
    again = blog_gen("train")
    after = json.loads(meta.read_text())
    assert "continues from what was learned before" in again.stderr
    assert (
        after["continued"] == before["continued"] + 1 and after["recipe"]["steps"] < before["recipe"]["steps"]
    )
    losses = [row["held_out"] for row in after["history"] if "held_out" in row]
    *_, kept = (row["held_out"] for row in after["history"] if row["step"] == after["best_step"])
    assert kept == min(losses) <= losses[0]  # rolled back where it only got worse
    assert losses[0] < before["history"][0]["held_out"]  # it began with what it knew

    for number in range(91, 91 + len(before["texts"])):
        (trained / "_articles" / f"note_{number}.md").write_text(article(number))
    assert "continues from" not in blog_gen("train").stderr  # with so many new ones it starts over
    assert json.loads(meta.read_text())["continued"] == 0


def test_adapters_are_kept_alone_and_the_run_is_used_like_any_other(site: Path, blog_gen: Run) -> None:
    done = blog_gen("train", "--lora", "4", "--learning-rate", "0.03")
    folder = site / ".blog_gen" / "runs" / "default"
    assert "adapters of rank 4" in done.stderr
    assert [path.name for path in folder.glob("*.safetensors")] == ["adapter.safetensors"]
    assert blog_gen("sample", "--max-tokens", "5").stdout
    assert json.loads(blog_gen("status", "--json", "--check").stdout)["trained"]
    blog_gen("train")  # all weights: the adapters are no longer what was trained
    assert [path.name for path in folder.glob("*.safetensors")] == ["model.safetensors"]


def test_ways_to_train_that_make_no_sense_are_refused(site: Path, blog_gen: Run) -> None:
    for words, part in ((("--freeze", "99"), "blocks"), (("--lora", "2", "--freeze", "1"), "together")):
        assert part in blog_gen("train", *words, code=1).stderr


def test_samples_and_losses_can_be_watched_and_change_nothing(trained: Path, blog_gen: Run) -> None:
    weights = trained / ".blog_gen" / "runs" / "default" / "model.safetensors"
    unwatched = weights.read_bytes()
    done = blog_gen("train", "--fresh", "--sample-every", "10", "--tensorboard", "board")
    assert done.stderr.count("after 10 steps: ") == done.stderr.count("after 20 steps: ") == 1
    kept = {path.name: path.read_text() for path in (weights.parent / "samples").iterdir()}
    assert {"step-00010.txt", "step-00020.txt"} <= kept.keys()
    assert " ".join(kept["step-00010.txt"].split()) in done.stderr
    (events,) = (trained / "board").glob("events.out.tfevents.*")
    assert b"loss/held-out" in events.read_bytes()
    assert weights.read_bytes() == unwatched

"""`train` on two workers, real processes: together what one does that computes its steps in two parts."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from addresses import free_addresses
from side_by_side import Command, Ended, run
from tiny_site import write_base, write_site

# So fast that it is soon too far: it ends by early stopping after five steps.
TRAINING = {"steps": 24, "learning_rate": 0.03, "dropout": 0.0, "patience": 2}
RUN = Path(".blog_gen", "runs", "default")


@dataclass
class Place:
    """The first worker's site, where the other one is, and a site for a process alone."""

    root: Path
    results: dict[str, list[Ended]] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        return self.root / "site"

    def workers(self, **of_the_other: Any) -> list[Command]:
        flags = ["train", "--workers", ",".join(free_addresses(2)), "--rank"]
        elsewhere = {"at": self.root / "elsewhere", **of_the_other}
        return [Command([*flags, "0"], self.site), Command([*flags, "1"], **elsewhere)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where two have learned: the second was stopped by Ctrl-C, then killed, then left alone."""
    place = Place(tmp_path_factory.mktemp("workers"))
    for name in ("base", "elsewhere"):
        (place.root / name).mkdir()
    write_site(place.site, write_base(place.root / "base"), training=TRAINING)
    shutil.copytree(place.site, place.root / "alone")
    alone = Command(["train", "--gradient-accumulation", "2"], place.root / "alone")
    *stopped, by_itself = run(place.root, *place.workers(signals={2: signal.SIGINT}), alone)
    killed = run(place.root, *place.workers(signals={4: signal.SIGKILL}))
    finished = run(place.root, *place.workers())
    place.results = {"stopped": stopped, "killed": killed, "finished": finished, "alone": [by_itself]}
    return place


def test_ctrl_c_on_any_worker_saves_on_the_first(place: Place) -> None:
    first, other = place.results["stopped"]
    assert (first.code, other.code) == (130, 130), first.said + other.said
    assert first.steps == other.steps == [1, 2]
    assert "Saved. Run the same command again" in first.said
    assert "Stopped: the first worker has saved. Run the same command on all" in other.said


def test_a_lost_worker_ends_the_other_which_has_saved(place: Place) -> None:
    first, other = place.results["killed"]
    assert (first.code, other.code) == (1, -signal.SIGKILL), first.said + other.said
    assert first.steps == [3, 4], "resumed after the second step"
    assert "blog-gen: a worker was lost. Run the same command on all again: it resumes" in first.said
    assert "Traceback" not in first.said


def test_the_same_command_resumes_and_early_stopping_ends_both(place: Place) -> None:
    first, other = place.results["finished"]
    assert (first.code, other.code) == (0, 0), first.said + other.said
    assert first.steps == other.steps == [4, 5]
    assert "(the held-out loss stopped falling)" in first.said and "Done" in other.said
    assert not any((place.root / "elsewhere").iterdir()), "the other worker writes nothing"


def test_two_have_learned_what_one_learns_in_two_parts(place: Place) -> None:
    """Bit for bit, though interrupted twice."""
    (alone,) = place.results["alone"]
    assert alone.code == 0 and alone.steps == [1, 2, 3, 4, 5], alone.said
    runs = [folder / RUN for folder in (place.site, place.root / "alone")]
    one, two = (json.loads((run / "meta.json").read_text()) for run in runs)
    assert [_without_time(row) for row in one["history"]] == [_without_time(row) for row in two["history"]]
    one, two = ((run / "model.safetensors").read_bytes() for run in runs)
    assert one == two


def _without_time(row: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name != "seconds"}


def test_what_two_have_learned_can_be_sampled(place: Place) -> None:
    (sampled,) = run(place.root, Command(["sample", "--max-tokens", "5"], place.site))
    assert sampled.code == 0 and sampled.said.strip()


def test_workers_that_are_not_alike_are_refused_each_difference_by_name(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.site, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".blog_gen"))
    (tmp_path / "_articles" / "note_1.md").unlink()
    config = yaml.safe_load((tmp_path / "_config.yml").read_text())
    config["blog_gen"]["training"]["learning_rate"] = 0.5
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config))
    unlike = {"at": tmp_path, "versions": {"keras": "0.1"}}
    for ended in run(place.root, *place.workers(**unlike)):
        assert ended.code == 1 and not ended.steps, ended.said
        for part in ("all workers must have the same", "version of keras: ", "0.1 at ", "posts", "0.5"):
            assert part in ended.said

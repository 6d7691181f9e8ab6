"""`train` and `pretrain` on two workers, real processes: what one makes that computes in two parts."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from addresses import free_addresses
from hosts import CUT, Host, two_hosts
from side_by_side import Command, Ended, run
from tiny_site import article, write_base, write_site

from blog_gen.model.hparams import HParams
from blog_gen.model.weights import load_weights

# So fast that it is soon too far: it ends by early stopping after five steps.
TRAINING = {"steps": 24, "learning_rate": 0.03, "dropout": 0.0, "patience": 2}
STRATEGY = "blog_gen.model.distributed.strategy"
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
        return _both(["train"], self.site, **{"at": self.root / "elsewhere", **of_the_other})


def _both(
    words: Sequence[str], folder: Path, hosts: Sequence[Host] = (), **of_the_other: Any
) -> list[Command]:
    """The first worker in `folder`, and the other; `hosts`: where they run."""
    addresses = [f"{host.address}:2222" for host in hosts] or free_addresses(2)
    flags = [*words, "--workers", ",".join(addresses), "--rank"]
    one, other = hosts or (None, None)
    return [Command([*flags, "0"], folder, host=one), Command([*flags, "1"], host=other, **of_the_other)]


def _signal(step: int, number: signal.Signals) -> dict[int, Callable[[], object]]:
    return {step: partial(signal.raise_signal, number)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where two have learned: the second was stopped by Ctrl-C, then killed, then left alone."""
    place = Place(tmp_path_factory.mktemp("workers"))
    for name in ("base", "elsewhere"):
        (place.root / name).mkdir()
    write_site(place.site, write_base(place.root / "base"), training=TRAINING)
    shutil.copytree(place.site, place.root / "alone")
    alone = Command(["train", "--gradient-accumulation", "2"], place.root / "alone")
    *stopped, by_itself = run(place.root, *place.workers(before=_signal(2, signal.SIGINT)), alone)
    shutil.copytree(place.site, place.root / "stopped")
    killed = run(place.root, *place.workers(before=_signal(4, signal.SIGKILL)))
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
    assert _weights(place.site) == _weights(place.root / "alone")


def _weights(site: Path) -> bytes:
    return (site / RUN / "model.safetensors").read_bytes()


def _without_time(row: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name != "seconds"}


@pytest.mark.two_hosts
def test_a_cable_pulled_in_a_step_ends_both_and_they_resume_once_it_is_back(place: Place) -> None:
    """Two hosts with addresses of their own. They take each other for lost sooner than usual."""
    site, soon = place.root / "stopped", {STRATEGY + ".HEARTBEAT": 5.0}
    with two_hosts() as hosts:
        pulled = {3: partial(subprocess.run, CUT, check=True)}
        workers = _both(["train"], site, hosts, at=place.root / "elsewhere", before=pulled)
        for ended in run(place.root, *(replace(worker, attributes=soon) for worker in workers)):
            assert ended.code == 1 and ended.steps == [3], ended.said
            assert "blog-gen: a worker was lost. Run the same command on all again: it resumes" in ended.said
        hosts[1].plug_in()
        for ended in run(place.root, *_both(["train"], site, hosts, at=place.root / "elsewhere")):
            assert ended.code == 0 and ended.steps == [3, 4, 5], ended.said
    assert _weights(site) == _weights(place.root / "alone")


def test_what_two_have_learned_can_be_sampled(place: Place) -> None:
    (sampled,) = run(place.root, Command(["sample", "--max-tokens", "5"], place.site))
    assert sampled.code == 0 and sampled.said.strip()


def test_workers_that_are_not_alike_are_refused_each_difference_by_name(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.site, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".blog_gen"))
    (tmp_path / "_articles" / "note_1.md").unlink()
    config = yaml.safe_load((tmp_path / "_config.yml").read_text())
    config["blog_gen"]["training"]["learning_rate"] = 0.5
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config))
    unlike = {"at": tmp_path, "attributes": {"keras.__version__": "0.1"}}
    for ended in run(place.root, *place.workers(**unlike)):
        assert ended.code == 1 and not ended.steps, ended.said
        for part in ("all workers must have the same", "version of keras: ", "0.1 at ", "posts", "0.5"):
            assert part in ended.said


def test_two_make_a_base_that_one_makes(tmp_path: Path) -> None:
    """But for rounding: it is kept in float16."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    corpus = [json.dumps({"source": "notes", "text": article(number)}) for number in range(8)]
    (tmp_path / "notes.jsonl").write_text("\n".join(corpus))
    shape = "--vocabulary 300 --layers 1 --width 32 --heads 2 --context 64 --batch-tokens 256 --tokens 0.001"
    words = ["pretrain", *shape.split(), "--out"]
    alone = Command([*words, "alone", "notes.jsonl"], tmp_path)
    workers = _both([*words, "two", "notes.jsonl"], tmp_path, at=elsewhere)
    for ended in run(tmp_path, *workers, alone):
        assert ended.code == 0, ended.said
    one, two = (load_weights(tmp_path / name, HParams.load(tmp_path / name)) for name in ("alone", "two"))
    for name, values in one.items():
        assert np.allclose(values, two[name], atol=2e-3), name
    assert not any(elsewhere.iterdir())

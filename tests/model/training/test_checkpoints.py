"""How often a state is saved, and what is on disk meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from test_training import HPARAMS, begun

from blog_gen.model.training import checkpoints, memory, state
from blog_gen.model.training.checkpoints import SaveTimer


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("size", [10 << 20, 1400 << 20, 9 << 30])
@pytest.mark.parametrize("cost", [0.01, 1.0, 12.0])
def test_saving_takes_a_small_share_of_the_time_and_of_the_disk(size: int, cost: float) -> None:
    clock = Clock()
    timer = SaveTimer(size, clock)
    saves = 0

    def save() -> None:
        nonlocal saves
        saves += 1
        clock.now += cost

    while clock.now < 36_000:
        clock.now += 1.0
        if timer.due():
            timer.time(save)
    assert saves >= 1 and (saves - 1) * cost <= 0.03 * clock.now
    assert saves * size / clock.now * 60 <= 240 << 20
    assert saves * max(20.0, cost / 0.03, size / (4 << 20)) > 0.8 * clock.now, "no more is lost than need be"


def test_the_disk_never_holds_three_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuning, held = begun(tmp_path), 0
    write = state.save_state

    def watched(path: Path, *rest: Any, **how: Any) -> None:
        nonlocal held
        before = sum(each.stat().st_size for each in tmp_path.glob("*.safetensors"))
        write(path, *rest, **how)
        held = max(held, before + path.stat().st_size)

    monkeypatch.setattr(checkpoints, "save_state", watched)
    tuning.run(save_seconds=0.0)
    promised = memory.to_store(HPARAMS)
    assert promised <= held <= promised + 16384, "and two headers, with their histories"
    assert {path.name for path in tmp_path.glob("*.safetensors")} <= set(checkpoints.STATE_FILES)
    tuning.release()
    assert len(list(tmp_path.glob("state-*"))) == 1, "room for the model"


def test_before_a_state_is_given_up_the_other_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning, wait, remove = begun(tmp_path), os.fsync, Path.unlink
    synced: set[int] = set()
    at_risk: list[bool] = []

    def waited(file: int) -> None:
        wait(file)
        synced.add(os.fstat(file).st_ino)

    def watched(path: Path, missing_ok: bool = False) -> None:
        other = tmp_path / ("state-1" if path.stem == "state-0" else "state-0")
        other = other.with_suffix(".safetensors")
        if path.exists() and path.stem.startswith("state-"):
            at_risk.append(other.stat().st_ino not in synced)
        remove(path, missing_ok)

    monkeypatch.setattr(os, "fsync", waited)
    monkeypatch.setattr(Path, "unlink", watched)
    for _ in range(4):
        tuning.save()
    assert at_risk == [False, False]

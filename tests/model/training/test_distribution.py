"""Several workers, or several devices, are one process that computes its steps in as many parts."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import together
from addresses import free_addresses
from side_by_side import Ended, called

from blog_gen.errors import ModelError, UsageError
from blog_gen.model.distributed.cluster import Cluster, await_others, from_flags, from_tf_config
from blog_gen.model.quiet import quiet


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of `2` and `3` workers, two `devices`, and one process that does the same: `alone-2`, `alone-3`."""
    quiet()
    folder = tmp_path_factory.mktemp("together")
    for count in (2, 3):
        addresses = free_addresses(count)
        workers = (partial(together.main, folder / str(count), Cluster(addresses, k)) for k in range(count))
        _all_end_well(called(folder, *workers))
        together.learn(folder / f"alone-{count}", count)
    _all_end_well(called(folder, partial(together.devices, folder / "devices")))
    return folder


def _all_end_well(processes: list[Ended]) -> None:
    assert not any(ended.code for ended in processes), [ended.said for ended in processes]


@pytest.mark.parametrize("name", ["2", "devices"])
def test_two_are_one_that_computes_in_two_parts(results: Path, name: str) -> None:
    """Bit for bit, as long as each has one part of a step."""
    assert _difference(results / f"{name}.npz", results / "alone-2.npz") == pytest.approx(0, abs=1e-6)
    with np.load(results / f"{name}.npz") as mine, np.load(results / "alone-2.npz") as alone:
        assert json.loads(str(mine["said"]))[:6] == json.loads(str(alone["said"]))[:6]


def test_three_differ_by_rounding(results: Path) -> None:
    assert _difference(results / "3.npz", results / "alone-3.npz") == pytest.approx(0, abs=1e-6)


def _difference(one: Path, other: Path) -> float:
    """The largest between two weights or moments of the same name."""
    with np.load(one) as mine, np.load(other) as theirs:
        names = set(mine.files) - {"said"}
        assert names == set(theirs.files) - {"said"} and len(names) == 6
        return max(float(np.abs(mine[name] - theirs[name]).max()) for name in names)


def test_the_first_worker_has_the_files_and_addresses_are_checked() -> None:
    assert from_flags("a:1, b:2", 1) == Cluster(("a:1", "b:2"), 1)
    assert from_flags("a:1", 0) is None, "one worker trains alone"
    for workers, rank, part in (
        ("a:1,b:2", None, "--rank"),
        ("a:1,b:2", 2, "from 0 to 1"),
        ("a:1,b", 0, "'b'"),
        ("a:1,b:0", 0, "'b:0'"),
        ("a:1,b:99999", 0, "'b:99999'"),
        ("a:1,a:1", 0, "once"),
    ):
        with pytest.raises(UsageError, match=part):
            from_flags(workers, rank)


# As Kubeflow's training operator sets it in the second pod of a TFJob of a chief and two workers.
KUBEFLOW = (
    '{"cluster":{"chief":["blog-chief-0.site.svc:2222"],"worker":["blog-worker-0.site.svc:2222",'
    '"blog-worker-1.site.svc:2222"]},"task":{"type":"worker","index":0},"environment":"cloud"}'
)


def test_tf_config_is_read_as_tensorflow_and_kubeflow_write_it() -> None:
    found = from_tf_config(KUBEFLOW)
    assert found is not None and (found.rank, found.own, found.port) == (
        1,
        "blog-worker-0.site.svc:2222",
        2222,
    )
    assert found.workers[0] == "blog-chief-0.site.svc:2222"
    plain = '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}'
    assert from_tf_config(plain) == Cluster(("a:1", "b:2"), 1)
    for alone in (None, "", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'):
        assert from_tf_config(alone) is None
    for wrong in ("{", "[]", '{"cluster": {"worker": ["a:1", "b:2"], "ps": ["c:3"]}, "task": {"index": 0}}'):
        with pytest.raises(UsageError, match="TF_CONFIG"):
            from_tf_config(wrong)
    with pytest.raises(UsageError, match="evaluator"):
        from_tf_config('{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "evaluator", "index": 0}}')


def test_who_does_not_come_is_named() -> None:
    own, there, missing = free_addresses(3)
    host, _, port = there.partition(":")
    with (
        closing(socket.create_server((host, int(port)))),
        pytest.raises(ModelError, match=f"nobody at {missing}. ") as error,
    ):
        await_others(Cluster((own, there, missing), 0), seconds=0.1)
    assert there not in str(error.value)

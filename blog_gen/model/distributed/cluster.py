"""Who trains together: the addresses of all workers, and which this process is. Imports nothing heavy."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from blog_gen.errors import ModelError, UsageError

VARIABLE = "TF_CONFIG"  # TensorFlow's own, which Kubeflow and others set
_EXAMPLE = "Write host1:2222,host2:2222, the same on all"


@dataclass(frozen=True)
class Cluster:
    """Two workers or more, the chief first, each `host:port`; this process is the one at `rank`."""

    workers: tuple[str, ...]
    rank: int

    @property
    def own(self) -> str:
        return self.workers[self.rank]

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(worker for worker in self.workers if worker != self.own)

    @property
    def port(self) -> int:
        return int(self.own.rpartition(":")[2])


def from_flags(workers: str, rank: int | None) -> Cluster | None:
    """What `--workers` and `--rank` say; None for one worker, who trains alone.

    Raises:
        UsageError: they make no cluster.
    """
    addresses = [address.strip() for address in workers.split(",")]
    if rank is None:
        raise UsageError("--workers needs --rank: which of them this one is, from 0")
    return _cluster(addresses, rank, "--workers", "--rank")


def from_tf_config(text: str | None) -> Cluster | None:
    """What TF_CONFIG says; None where it is not set, or names one worker.

    Raises:
        UsageError: it is damaged, or has parameter servers or an evaluator.
    """
    if not text:
        return None
    try:
        config = json.loads(text)
        jobs, task = dict(config.get("cluster") or {}), dict(config.get("task") or {})
        kind, index = task.get("type", "worker"), int(task.get("index", 0))
        chiefs, workers = list(jobs.pop("chief", [])), list(jobs.pop("worker", []))
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{VARIABLE} must be TensorFlow's JSON of a cluster and a task", got=error) from None
    if jobs or kind not in ("chief", "worker"):
        got = ", ".join(sorted({*jobs, kind} - {"chief", "worker"}))
        raise UsageError(f"{VARIABLE} may name a chief and workers only", got=got)
    rank = index if kind == "chief" else len(chiefs) + index
    return _cluster([*chiefs, *workers], rank, VARIABLE, f"{VARIABLE}'s task") if chiefs or workers else None


def _cluster(addresses: Sequence[str], rank: int, source: str, number: str) -> Cluster | None:
    for address in addresses:
        host, _, port = str(address).rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 2**16):
            raise UsageError(f"{source} must name host:port of each worker", got=repr(address), fix=_EXAMPLE)
    if len(set(addresses)) < len(addresses):
        raise UsageError(f"{source} must name each worker once", got=",".join(addresses))
    if not 0 <= rank < len(addresses):
        most = len(addresses) - 1
        raise UsageError(f"{number} must be from 0 to {most}, a place in {source}", got=rank)
    return Cluster(tuple(addresses), rank) if len(addresses) > 1 else None


def silent(addresses: Sequence[str]) -> list[str]:
    """Those at which nobody takes a connection."""
    return [address for address in addresses if not _answers(address)]


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError), closing(socket.create_connection((host.strip("[]"), int(port)), timeout=2.0)):
        return True
    return False


def await_others(cluster: Cluster, seconds: float) -> None:
    """Return once all others listen: TensorFlow's own wait for them has no limit.

    Raises:
        ModelError: some do not within `seconds`.
    """
    ends = time.monotonic() + seconds
    while missing := silent(cluster.others):
        if time.monotonic() > ends:
            raise never_came(missing, seconds)
        time.sleep(0.2)


def never_came(missing: Sequence[str], seconds: float) -> ModelError:
    return ModelError(
        f"all workers must come within {seconds:g} seconds",
        got=f"nobody at {', '.join(missing)}" if missing else "one that came and left",
        fix="Start the same command there, check its address, or let it wait longer with --wait",
    )

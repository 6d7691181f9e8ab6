"""Who trains together: the addresses of all workers, and which this process is. Imports nothing heavy."""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from blog_gen.errors import ModelError, UsageError

VARIABLE = "TF_CONFIG"  # TensorFlow's own, which Kubeflow and others set
_EXAMPLE = "Write host1:2222,host2:2222, the same on all"
_NOWHERE = ("192.0.2.1", 9)  # of RFC 5737: nothing is sent there, but it takes the way out of this machine


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


def check_own(cluster: Cluster, public: bool, named: bool) -> None:
    """Refuse to listen where that cannot work, or where everybody could connect.

    Args:
        public: a public address is meant.
        named: a person gave the address: it must be one of this machine's. One from a scheduler may lead here
            another way.

    Raises:
        ModelError: the port is in use, the address is another machine's, or a public one.
    """
    if named:
        _require_own_host(cluster)
    with closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", cluster.port))
        except OSError as error:
            raise ModelError(
                f"a worker needs a port of its own, and {cluster.port} cannot be taken", got=error.strerror
            ) from None
    address = _way_out()
    if not public and address is not None and ipaddress.ip_address(address).is_global:
        raise ModelError(
            "workers trust whoever connects, and must not listen on a public address unasked",
            got=address,
            fix="Connect the machines by a private network or a VPN, or pass --public",
        )


def _require_own_host(cluster: Cluster) -> None:
    host = cluster.own.rpartition(":")[0].strip("[]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as trial:
            trial.bind(place)
    except OSError:
        raise ModelError(
            "--rank must be this machine's place in --workers",
            got=f"{cluster.rank}, and {host} is not an address of this machine",
        ) from None


def _way_out() -> str | None:
    """The address of this machine from which packets to the internet would leave; None for none."""
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as trial, suppress(OSError):
        trial.connect(_NOWHERE)
        return str(trial.getsockname()[0])
    return None


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

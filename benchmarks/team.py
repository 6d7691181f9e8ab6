"""What several machines cost and bring: CPU seconds, wall time and bytes of a training step.

One process on two cores against two workers with one core each, which compute the same bits: a step of
`--rows` rows, in one part for each worker. Bytes are those that cross the loopback device, beside the floor
of any all-reduce: 2 x gradients x (N - 1) / N for each worker. From the times, on paper: more machines.

    python benchmarks/team.py [--model mini] [--rows 2] [--length 1024] [--steps 8] [--rounds 3] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.training.memory import trained_parameters
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

SHAPES = {"mini": HParams.load(EMBEDDED["mini"]), "124M": SIZES["124M"]}
WARM_STEPS = 2
TICK = os.sysconf("SC_CLK_TCK")
NETWORKS = {"1 Gbit/s": 1e9 / 8, "10 Gbit/s": 10e9 / 8}  # bytes a second


def work(model: str, rows: int, length: int, steps: int, rank: int, addresses: str) -> None:
    """A worker, or a process alone where there is one address: says when its steps begin and end."""
    cluster = Cluster(tuple(addresses.split(",")), rank)
    if len(cluster.workers) == 1:
        quiet()
        team: Any = nullcontext()
    else:
        from blog_gen.model.distributed.strategy import connected

        team = connected(cluster, {"command": "benchmark"}, 120.0)
    with team as joined:
        from blog_gen.model.distributed.fine_tuning import follower

        if joined and not joined.is_chief:
            joined.follow(follower)
            return
        tuning = _tuning(SHAPES[model], rows, length, parts=len(cluster.workers))
        for _ in range(WARM_STEPS):
            tuning.advance()
        print("begin", flush=True)
        sys.stdin.readline()
        for _ in range(steps):
            tuning.advance()
        print("end", flush=True)
        sys.stdin.readline()


def _tuning(hparams: HParams, rows: int, length: int, parts: int) -> Any:
    from blog_gen.model.training.dataset import pack
    from blog_gen.model.training.machine import has_bfloat16
    from blog_gen.model.training.recipe import Recipe
    from blog_gen.model.training.training import FineTuning
    from blog_gen.model.weights import initial_weights

    rng = np.random.default_rng(0)
    texts = [rng.integers(0, hparams.n_vocab - 1, length - 1).tolist() for _ in range(rows)]
    recipe = Recipe(
        steps=10**6,
        batch_rows=rows,
        rate=1e-5,
        warmup=1,
        dropout=0.0,
        weight_decay=0.1,
        clip_norm=1.0,
        evaluate_every=10**6,
        patience=9,
        seed=0,
        gradient_accumulation=parts,
        precision="bfloat16" if has_bfloat16() else "float32",
    )
    data = pack(texts, hparams.n_vocab - 1, length), pack([], 0, length)
    return FineTuning(hparams, initial_weights(hparams), *data, recipe, Path(tempfile.mkdtemp()))


def _addresses(count: int) -> str:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return ",".join(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)


def _cpu(process: subprocess.Popen[str]) -> float:
    """Seconds of processor that it has taken."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _sent() -> int:
    """Bytes that have crossed the loopback device."""
    line = next(
        line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:")
    )
    return int(line.split(":")[1].split()[0])


def measured(workers: int, arguments: argparse.Namespace) -> dict[str, float]:
    """Of one step: wall and CPU seconds, and bytes sent, by so many workers, each on its cores."""
    addresses, cores = _addresses(workers), sorted(os.sched_getaffinity(0))
    words = [arguments.model, *map(str, (arguments.rows, arguments.length, arguments.steps))]
    running = []
    for rank in range(workers):
        command = [sys.executable, __file__, "--worker", *words, str(rank), addresses]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(process.pid, cores[rank::workers])
        running.append(process)
    chief = running[0]
    assert chief.stdin is not None and chief.stdout is not None

    def heard(word: str) -> tuple[float, float, int]:
        assert chief.stdout is not None and chief.stdin is not None
        if (line := chief.stdout.readline().strip()) != word:
            raise RuntimeError(f"a worker said {line!r} in place of {word!r}")
        found = time.perf_counter(), sum(map(_cpu, running)), _sent()
        chief.stdin.write("\n")
        chief.stdin.flush()
        return found

    began, ended = heard("begin"), heard("end")
    for process in running:
        process.communicate(timeout=120)
    return {
        name: (late - early) / arguments.steps
        for name, early, late in zip(("seconds", "cpu", "bytes"), began, ended, strict=True)
    }


def on_paper(seconds_a_row: float, hparams: HParams) -> dict[str, dict[str, float]]:
    """How many times as fast as one machine 8 and 64 would be, with a row each in every step.

    A step takes `seconds_a_row`, and what a ring needs to add up float32 gradients, which is not overlapped.
    """
    gradients = 4.0 * trained_parameters(hparams)
    return {
        f"{machines} machines": {
            name: machines
            * seconds_a_row
            / (seconds_a_row + 2 * gradients * (machines - 1) / machines / speed)
            for name, speed in NETWORKS.items()
        }
        for machines in (8, 64)
    }


def main(arguments: argparse.Namespace) -> None:
    found: dict[str, list[dict[str, float]]] = {"one process": [], "two workers": []}
    for _ in range(arguments.rounds):
        for workers, name in enumerate(found, 1):
            found[name].append(measured(workers, arguments))
    hparams = SHAPES[arguments.model]
    floor = 2 * 2 * 4.0 * trained_parameters(hparams) * (2 - 1) / 2
    figures: dict[str, Any] = {
        name: {of: statistics.median(each[of] for each in rounds) for of in rounds[0]}
        for name, rounds in found.items()
    }
    one, two = figures["one process"], figures["two workers"]
    figures |= {f"{of} ratio": two[of] / one[of] for of in ("cpu", "seconds")}
    figures |= {"bytes floor": floor, "bytes ratio": two["bytes"] / floor}
    a_row = one["seconds"] / arguments.rows
    figures["on paper"] = {arguments.model: on_paper(a_row, hparams)}
    if arguments.model == "124M":
        big = SIZES["1558M"]
        share = big.parameters / hparams.parameters
        figures["on paper"]["1558M"] = on_paper(a_row * share, big)
    print(json.dumps(figures) if arguments.json else json.dumps(figures, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        model, *numbers, addresses = sys.argv[2:]
        rows, length, steps, rank = map(int, numbers)
        work(model, rows, length, steps, rank, addresses)
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--model", choices=SHAPES, default="mini")
        for name, value in (("rows", 2), ("length", 1024), ("steps", 8), ("rounds", 3)):
            parser.add_argument(f"--{name}", type=int, default=value)
        parser.add_argument("--json", action="store_true")
        main(parser.parse_args())

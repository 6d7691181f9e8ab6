"""What several machines cost and bring: CPU seconds, wall time and bytes of a training step.

One process on two cores against two workers with one core each, which compute the same bits: steps of two
rows of 1,024 tokens, in one part for each worker, for `mini` and for 124M's shape. Bytes are those that cross
the loopback device, for all workers together, beside the floor of any all-reduce: 2 x gradients x (N - 1) / N
for each. From the times, on paper: more machines. With the defaults it ends in five minutes.

    python benchmarks/team.py [--full] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.training.memory import trained_parameters
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

ROWS, LENGTH, WARM_STEPS = 2, 1024, 2
SHAPES = {"mini": HParams.load(EMBEDDED["mini"]), "124M": SIZES["124M"]}
TICK = os.sysconf("SC_CLK_TCK")
NETWORKS = {"1 Gbit/s": 1e9 / 8, "10 Gbit/s": 10e9 / 8}  # bytes a second


@dataclass(frozen=True)
class Effort:
    """How often one model is measured: rounds of one process and two workers, and steps in each."""

    rounds: int
    steps: int


USUAL = {"mini": Effort(2, 8), "124M": Effort(1, 3)}
FULL = {"mini": Effort(7, 32), "124M": Effort(3, 8)}


def work(model: str, steps: int, rank: int, addresses: str) -> None:
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
        tuning = _tuning(SHAPES[model])
        for _ in range(WARM_STEPS):
            tuning.advance()
        _say("begin")
        for _ in range(steps):
            tuning.advance()
        _say("end")
        _say(_digest(tuning))


def _say(word: str) -> None:
    print(word, flush=True)
    sys.stdin.readline()


def _digest(tuning: Any) -> str:
    digest = hashlib.sha256()
    for name, value in tuning.stepper.arrays():
        digest.update(name.encode() + value.tobytes())
    return digest.hexdigest()


def _tuning(hparams: HParams) -> Any:
    from blog_gen.model.training.dataset import pack
    from blog_gen.model.training.machine import has_bfloat16
    from blog_gen.model.training.recipe import Recipe
    from blog_gen.model.training.training import FineTuning
    from blog_gen.model.weights import initial_weights

    rng = np.random.default_rng(0)
    texts = [rng.integers(0, hparams.n_vocab - 1, LENGTH - 1).tolist() for _ in range(ROWS)]
    recipe = Recipe(
        steps=10**6,
        batch_rows=ROWS,
        rate=1e-5,
        warmup=1,
        dropout=0.0,
        weight_decay=0.1,
        clip_norm=1.0,
        evaluate_every=10**6,
        patience=9,
        seed=0,
        gradient_accumulation=ROWS,
        precision="bfloat16" if has_bfloat16() else "float32",
    )
    data = pack(texts, hparams.n_vocab - 1, LENGTH), pack([], 0, LENGTH)
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
    lines = Path("/proc/net/dev").read_text().splitlines()
    return int(next(line for line in lines if line.strip().startswith("lo:")).split(":")[1].split()[0])


def _heard(chief: subprocess.Popen[str]) -> str:
    assert chief.stdout is not None and chief.stdin is not None
    if not (line := chief.stdout.readline().strip()):
        raise RuntimeError("a worker has ended before its time")
    return line


def _answer(chief: subprocess.Popen[str]) -> None:
    assert chief.stdin is not None
    chief.stdin.write("\n")
    chief.stdin.flush()


def measured(model: str, workers: int, steps: int) -> tuple[dict[str, float], str]:
    """Of one step by so many workers, each on its cores: wall and CPU seconds, and bytes sent; then a hash of
    what all steps came to."""
    addresses, cores = _addresses(workers), sorted(os.sched_getaffinity(0))
    running = []
    for rank in range(workers):
        command = [sys.executable, __file__, "--worker", model, str(steps), str(rank), addresses]
        running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        os.sched_setaffinity(running[-1].pid, cores[rank::workers])
    marks = []
    for _ in range(2):
        _heard(running[0])
        marks.append((time.perf_counter(), sum(map(_cpu, running)), _sent()))
        _answer(running[0])
    digest = _heard(running[0])
    _answer(running[0])
    for process in running:
        process.communicate(timeout=120)
    pairs = zip(("seconds", "cpu", "bytes"), *marks, strict=True)
    return {name: (late - early) / steps for name, early, late in pairs}, digest


def compared(model: str, effort: Effort) -> dict[str, Any]:
    """Medians over the rounds of one process and of two workers, and what they are to each other."""
    found: dict[str, list[dict[str, float]]] = {"one process": [], "two workers": []}
    digests = set()
    for _ in range(effort.rounds):
        for workers, name in enumerate(found, 1):
            figures, digest = measured(model, workers, effort.steps)
            found[name].append(figures)
            digests.add(digest)
            print(f"{model}, {name}: {figures}", file=sys.stderr, flush=True)
    medians: dict[str, Any] = {
        name: {of: statistics.median(each[of] for each in rounds) for of in rounds[0]}
        for name, rounds in found.items()
    }
    pairs = list(zip(found["one process"], found["two workers"], strict=True))
    floor = 2 * transferred(SHAPES[model], 2)
    return {
        **medians,
        **{
            f"{of} ratio": statistics.median(two[of] / one[of] for one, two in pairs)
            for of in ("cpu", "seconds")
        },
        "bytes floor": floor,
        "bytes ratio": medians["two workers"]["bytes"] / floor,
        "same bits": len(digests) == 1,
    }


def transferred(hparams: HParams, machines: int) -> float:
    """Bytes that each machine must send to add up float32 gradients."""
    return 2 * 4.0 * trained_parameters(hparams) * (machines - 1) / machines


def on_paper(seconds_a_row: float, hparams: HParams) -> dict[str, dict[str, float]]:
    """What more machines would give, if transfer waits for all gradients, and a step is a row for each.

    Of each network: how many times as fast as one machine they are, and with how many rows for each machine
    in a step transfer takes as long as computing.
    """
    found = {}
    for machines in (8, 64):
        for name, speed in NETWORKS.items():
            seconds = transferred(hparams, machines) / speed
            found[f"{machines} machines, {name}"] = {
                "times as fast": machines * seconds_a_row / (seconds_a_row + seconds),
                "rows at which the network takes half": seconds / seconds_a_row,
            }
    return found


def main(arguments: argparse.Namespace) -> None:
    efforts = FULL if arguments.full else USUAL
    figures: dict[str, Any] = {model: compared(model, effort) for model, effort in efforts.items()}
    a_row = figures["124M"]["one process"]["seconds"] / ROWS
    share = SIZES["1558M"].parameters / SIZES["124M"].parameters
    figures["on paper"] = {
        "124M": on_paper(a_row, SIZES["124M"]),
        "1558M": on_paper(a_row * share, SIZES["1558M"]),
    }
    print(json.dumps(figures) if arguments.json else json.dumps(figures, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        model, steps, rank, addresses = sys.argv[2:]
        work(model, int(steps), int(rank), addresses)
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--full", action="store_true", help="More rounds and steps: half an hour.")
        parser.add_argument("--json", action="store_true", help="One object on standard output.")
        main(parser.parse_args())

"""What several machines cost and bring: CPU seconds, wall time, bytes and memory of a training step.

One process on two cores in two parts, against two workers with one core each: they compute the same but for
rounding, as each has another number of threads, and how far their losses are apart is measured, too. All run
the product's own loop: `mini` learns this repository's posts; 124M's shape has random weights and tokens.
Bytes are those that cross the loopback device, for all workers together, beside the floor of any all-reduce:
2 x gradients x (N - 1) / N for each. From the times of 124M, on paper: more machines.

    python benchmarks/team.py [--full] [--json]

With the defaults (`mini` alone) it ends in five minutes on two cores; `--full` takes half an hour.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from resident import peak_memory

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import TrainingSettings
from blog_gen.corpus import read_corpus
from blog_gen.model.arrays import Arrays
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.training.memory import trained_parameters
from blog_gen.model.weights import initial_weights, open_weights
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

ROWS, LENGTH, WARM_STEPS = 2, 1024, 2
SHAPES = {"mini": HParams.load(EMBEDDED["mini"]), "124M": SIZES["124M"]}
SITE = Path(__file__).parents[1]
TICK = os.sysconf("SC_CLK_TCK")
NETWORKS = {"1 Gbit/s": 1e9 / 8, "10 Gbit/s": 10e9 / 8}  # bytes a second
ALONE, TWO = "one process", "two workers"
KINDS = {ALONE: 1, TWO: 2}  # workers


@dataclass(frozen=True)
class Effort:
    """How often one model is measured: rounds of all kinds, and steps in each."""

    rounds: int
    steps: int


USUAL = {"mini": Effort(1, 16)}
FULL = {"mini": Effort(3, 32), "124M": Effort(1, 6)}


@dataclass(frozen=True)
class Ended:
    """One training: its losses, what each step took by name, and a worker's bytes of memory at most."""

    losses: list[float]
    steps: list[dict[str, float]]
    peak: int


def work(model: str, steps: int, rank: int, addresses: str) -> None:
    """A worker, or a process alone where there is one address: says the loss of each step."""
    cluster = Cluster(tuple(addresses.split(",")), rank)
    team: Any = nullcontext()
    if len(cluster.workers) == 1:
        quiet()
    else:
        from blog_gen.model.distributed.strategy import connected

        team = connected(cluster, {"command": "benchmark"}, 120.0)
    with team as joined:
        if joined and not joined.is_chief:
            from blog_gen.model.distributed.fine_tuning import follower

            joined.follow(follower)
        else:
            tuning = _tuning(model, steps)
            tuning.run(_say_loss, save_seconds=math.inf)
    print(peak_memory())


def _say_loss(row: dict[str, float]) -> None:
    """To the process that measures, which answers once it has."""
    if "seconds" not in row:  # it is no evaluation
        print(row["loss"], flush=True)
        sys.stdin.readline()


def _tuning(model: str, steps: int) -> Any:
    from blog_gen.model.distributed import strategy
    from blog_gen.model.training.autopilot import choose
    from blog_gen.model.training.dataset import pack
    from blog_gen.model.training.training import FineTuning

    hparams = SHAPES[model]
    weights: Arrays
    if model in EMBEDDED:
        tokenizer = Tokenizer.load(EMBEDDED[model])
        weights = open_weights(EMBEDDED[model], hparams)
        texts = [tokenizer.encode(text) for text in read_corpus(load_settings(SITE)).texts.values()]
    else:
        rng = np.random.default_rng(0)
        weights = initial_weights(hparams)
        texts = [rng.integers(0, hparams.n_vocab - 1, LENGTH - 1).tolist() for _ in range(ROWS)]
    rows, none = (pack(of, hparams.n_vocab - 1, LENGTH) for of in (texts, []))
    asked = TrainingSettings(steps=steps, batch_tokens=ROWS * LENGTH, gradient_accumulation=ROWS)
    recipe = choose(asked, hparams, rows, strategy.machine()).recipe
    return FineTuning(hparams, weights, rows, none, recipe, Path(tempfile.mkdtemp()))


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


def _marked(running: Sequence[subprocess.Popen[str]], steps: int) -> Iterator[tuple[float, ...]]:
    """The loss of each step of the first, with the time, the CPU seconds and the bytes sent until then."""
    chief = running[0]
    assert chief.stdout is not None and chief.stdin is not None
    for _ in range(steps):
        loss = float(chief.stdout.readline())
        yield loss, time.perf_counter(), sum(map(_cpu, running)), _sent()
        chief.stdin.write("\n")
        chief.stdin.flush()


def measured(model: str, kind: str, steps: int) -> Ended:
    """One training of so many steps after the first, by the workers of `kind`, each on its cores."""
    workers = KINDS[kind]
    addresses, cores = _addresses(workers), sorted(os.sched_getaffinity(0))
    words = [model, str(WARM_STEPS + steps), addresses]
    pipe = subprocess.PIPE
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for rank in range(workers):
            command = [sys.executable, __file__, "--worker", str(rank), *words]
            process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, "TMPDIR": folder}
            )
            os.sched_setaffinity(process.pid, cores[rank::workers])
            running.append(process)
        losses, *marks = zip(*_marked(running, WARM_STEPS + steps), strict=True)
        peak = max(int(process.communicate()[0]) for process in running)
    taken = zip(*(np.diff(mark[WARM_STEPS - 1 :]).tolist() for mark in marks), strict=True)
    each = [dict(zip(("seconds", "cpu", "bytes"), step, strict=True)) for step in taken]
    return Ended(list(losses), each, peak)


def compared(model: str, effort: Effort) -> dict[str, Any]:
    """Medians over all steps of each kind, and what two workers are to one process."""
    found: dict[str, list[Ended]] = {kind: [] for kind in KINDS}
    for _ in range(effort.rounds):
        for kind, ended in found.items():
            ended.append(measured(model, kind, effort.steps))
            print(f"{model}, {kind}: {ended[-1].steps[-1]}", file=sys.stderr, flush=True)
    figures: dict[str, Any] = {kind: _medians(ended) for kind, ended in found.items()}
    one, two = figures[ALONE], figures[TWO]
    floor = 2 * transferred(SHAPES[model], 2)
    return {
        **figures,
        "cpu ratio": two["cpu"] / one["cpu"],
        "seconds ratio": two["seconds"] / one["seconds"],
        "bytes floor": floor,
        "bytes ratio": two["bytes"] / floor,
        "loss differs by": _difference(found[ALONE], found[TWO]),
    }


def _difference(some: list[Ended], others: list[Ended]) -> float:
    """The largest between losses of the same step."""
    return float(np.abs(np.subtract(some[0].losses, others[0].losses)).max())


def _medians(of: list[Ended]) -> dict[str, float]:
    steps = [step for ended in of for step in ended.steps]
    medians = {name: statistics.median(step[name] for step in steps) for name in steps[0]}
    return {**medians, "peak memory": statistics.median(ended.peak for ended in of)}


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
    if "124M" in figures:
        a_row = figures["124M"][ALONE]["seconds"] / ROWS
        share = SIZES["1558M"].parameters / SIZES["124M"].parameters
        figures["on paper"] = {
            "124M": on_paper(a_row, SIZES["124M"]),
            "1558M": on_paper(a_row * share, SIZES["1558M"]),
        }
    print(json.dumps(figures) if arguments.json else json.dumps(figures, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        rank, model, steps, addresses = sys.argv[2:]
        work(model, int(steps), int(rank), addresses)
    else:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--full", action="store_true", help="More rounds and steps, and 124M's shape.")
        parser.add_argument("--json", action="store_true", help="One object on standard output.")
        main(parser.parse_args())

"""Speed and memory of a training step beside the peers: one AdamW update of random weights, in turn.

keras-hub (GPT-2 alone) and transformers train in bfloat16 products with float32 weights, as we do, where they
are installed (`make peers`); a missing one is named. Every engine runs in a process of its own, which waits
while the others take their turn, so that the machine is the same for all.

    python benchmarks/train.py [--full] [--model 124M] [--rows 1] [--length 1024] [--rounds 5] [--lora 8]

Without arguments it takes some two minutes on two cores; `--full` has transformers too, which is slow;
smollm2 is measured beside transformers alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from resident import peak_memory

from blog_gen.config.settings import TrainingSettings
from blog_gen.model.formats import huggingface_llama
from blog_gen.model.hparams import HParams
from blog_gen.model.zoo.bases import SMOLLM2
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

SHAPES = {"mini": HParams.load(EMBEDDED["mini"]), "124M": SIZES["124M"], "smollm2": SMOLLM2}
WARM_STEPS = 2  # compile, and fill the allocator
RATE = 1e-4
PRODUCTS = "products"  # the worker that measures what the machine can do
Step = Callable[[], None]


@dataclass(frozen=True)
class Task:
    hparams: HParams
    rows: int
    length: int
    lora: int | None = None

    @property
    def operations(self) -> float:
        """Of one step, forward and backward: 6 for each weight and token, and causal attention."""
        tokens = self.rows * self.length
        weights = self.hparams.parameters - math.prod(self.hparams.shapes().get("wpe", (0,)))
        return 6.0 * tokens * (weights + self.hparams.n_layer * self.length * self.hparams.n_embd)

    def tokens(self) -> np.ndarray[Any, Any]:
        """(rows, length + 1) ids."""
        return np.random.default_rng(0).integers(0, self.hparams.n_vocab, (self.rows, self.length + 1))


def ours(task: Task) -> Step:
    from blog_gen.model.quiet import quiet

    quiet()
    from blog_gen.model.training.autopilot import choose
    from blog_gen.model.training.dataset import pack
    from blog_gen.model.training.machine import Machine, has_bfloat16
    from blog_gen.model.training.training import FineTuning
    from blog_gen.model.weights import initial_weights

    h = task.hparams
    texts = [row[1:-1].clip(max=h.n_vocab - 2).tolist() for row in task.tokens()]
    data, none = pack(texts, h.n_vocab - 1, task.length), pack([], h.n_vocab - 1, task.length)
    settings = TrainingSettings(steps=10_000, batch_tokens=task.rows * task.length, lora=task.lora)
    recipe = choose(settings, h, data, Machine(None, has_bfloat16())).recipe
    tuning = FineTuning(h, initial_weights(h), data, none, recipe, Path(tempfile.mkdtemp()))

    def step() -> None:
        assert tuning.advance() is not None

    return step


def keras_hub(task: Task) -> Step:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import keras_hub

    keras.config.set_dtype_policy("mixed_bfloat16")
    h = task.hparams
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=h.n_vocab,
        num_layers=h.n_layer,
        num_heads=h.n_head,
        hidden_dim=h.n_embd,
        intermediate_dim=4 * h.n_embd,
        dropout=0.1,
        max_sequence_length=h.n_ctx,
    )
    model = keras_hub.models.GPT2CausalLM(backbone)
    model.compile(
        optimizer=keras.optimizers.AdamW(RATE, weight_decay=0.1, global_clipnorm=1.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # faster on a CPU than with it
    )
    tokens = task.tokens().astype("int32")
    inputs = {"token_ids": tokens[:, :-1], "padding_mask": np.ones_like(tokens[:, :-1])}

    def step() -> None:
        model.train_on_batch(inputs, tokens[:, 1:])

    return step


def transformers(task: Task) -> Step:
    import torch
    import transformers

    torch.set_num_threads(os.cpu_count() or 1)
    h = task.hparams
    config: Any = transformers.GPT2Config(
        vocab_size=h.n_vocab, n_positions=h.n_ctx, n_embd=h.n_embd, n_layer=h.n_layer, n_head=h.n_head
    )
    if h.norm == "rms":
        config = transformers.LlamaConfig.from_dict(huggingface_llama.config_of(h))
    model = transformers.AutoModelForCausalLM.from_config(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.1)
    ids = torch.from_numpy(task.tokens()[:, :-1])

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


ENGINES: dict[str, tuple[str, Callable[[Task], Step]]] = {
    "ours": ("tensorflow", ours),
    "keras-hub": ("keras_hub", keras_hub),
    "transformers": ("transformers", transformers),
}
# Without `--full`, the first of them.
GPT2_PEERS, LLAMA_PEERS = ("keras-hub", "transformers"), ("transformers",)


class Worker:
    """One engine in a process of its own; each line it is sent is a step, answered by its seconds."""

    def __init__(self, engine: str, arguments: list[str]) -> None:
        self._engine = engine
        command = [sys.executable, __file__, "--engine", engine, *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, word: str) -> float:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"an engine ended: {self._engine}")
        return float(answer)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def serve(engine: str, task: Task) -> None:
    """The other side of `Worker`."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    step: Step = (lambda: None) if engine == PRODUCTS else ENGINES[engine][1](task)
    answers = {"step": lambda: seconds_of(step), "peak": peak_memory, "rate": plain_products}
    for _ in range(WARM_STEPS):
        step()
    for line in sys.stdin:
        print(answers[line.strip()](), file=out, flush=True)


def seconds_of(step: Step) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def plain_products() -> float:
    """Operations a second of the machine's matrix products in the faster precision."""
    from blog_gen.model.quiet import quiet

    quiet()
    from blog_gen.model.training.machine import has_bfloat16, product_rate

    return product_rate("bfloat16" if has_bfloat16() else "float32", seconds=1.0)


def measure(task: Task, engines: list[str], rounds: int, arguments: list[str]) -> dict[str, float]:
    """Medians of seconds, ratios within each round, the share of the rate of plain products, and memory."""
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    rates = []
    workers = {engine: Worker(engine, arguments) for engine in (*engines, PRODUCTS)}
    for worker in workers.values():
        worker.ask("peak")  # ready
    for _ in range(rounds):
        for engine in engines:
            seconds[engine].append(workers[engine].ask("step"))
        rates.append(workers[PRODUCTS].ask("rate"))
    found = {"products.flops": statistics.median(rates)}
    for engine in engines:
        times = seconds[engine]
        found[f"{engine}.seconds"] = statistics.median(times)
        found[f"{engine}.flops"] = task.operations / found[f"{engine}.seconds"]
        shares = [task.operations / t / rate for t, rate in zip(times, rates, strict=True)]
        found[f"{engine}.share"] = statistics.median(shares)
        found[f"{engine}.peak"] = workers[engine].ask("peak")
        if engine != "ours":
            ratios = [own / other for own, other in zip(seconds["ours"], times, strict=True)]
            found[f"{engine}.ratio"] = statistics.median(ratios)
    for worker in workers.values():
        worker.close()
    return found


def show(found: dict[str, float], engines: list[str], task: Task) -> None:
    print(f"one step of {task.rows} x {task.length} tokens, {task.operations / 1e12:.2f} TFLOP;", end=" ")
    print(f"plain products make {found['products.flops'] / 1e9:.0f} GFLOP/s")
    print(f"{'':14}{'seconds':>9}{'ours takes':>12}{'GFLOP/s':>9}{'of products':>13}{'peak, GiB':>11}")
    for engine in engines:
        ratio = f"{found[f'{engine}.ratio']:.2f} x" if engine != "ours" else ""
        print(
            f"{engine:14}{found[f'{engine}.seconds']:9.2f}{ratio:>12}{found[f'{engine}.flops'] / 1e9:9.0f}"
            f"{found[f'{engine}.share']:13.0%}{found[f'{engine}.peak'] / 2**30:11.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", choices=list(SHAPES), default="124M")
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lora", type=int, help="adapters of this rank, ours alone")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    options = parser.parse_args()
    task = Task(SHAPES[options.model], options.rows, options.length, options.lora)
    if options.engine:
        serve(options.engine, task)
        return
    peers = GPT2_PEERS if task.hparams.norm == "layer" else LLAMA_PEERS
    wanted = options.engines or ["ours", *(peers if options.full else peers[:1])]
    engines = [name for name in wanted if importlib.util.find_spec(ENGINES[name][0])]
    missing = sorted(set(wanted) - set(engines))
    arguments = ["--model", options.model, "--rows", str(options.rows), "--length", str(options.length)]
    if options.lora:
        arguments += ["--lora", str(options.lora)]
    found = measure(task, engines, options.rounds, arguments)
    if options.json:
        print(json.dumps(found))
        return
    show(found, engines, task)
    for name in missing:
        print(f"{name}: not installed")


if __name__ == "__main__":
    main()

"""Peak memory of fine-tuning beside what `model.training.memory` estimates, each case in its own process.

python benchmarks/memory.py [--full] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from resident import peak_memory

from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory
from blog_gen.model.training.machine import has_bfloat16
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

SHAPES = {"mini": HParams.load(EMBEDDED["mini"]), "124M": SIZES["124M"], "355M": SIZES["355M"]}
LEARNED: dict[str, dict[str, Any]] = {"all weights": {}, "lora 8": {"lora": 8}, "freeze": {}}
STRATEGIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "accumulation": {"gradient_accumulation": 2},
    "checkpointing": {"activation_checkpointing": True},
    "float32": {"precision": "float32"},
}
Case = tuple[str, str, str]
FULL: list[Case] = [(shape, what, how) for shape in SHAPES for what in LEARNED for how in STRATEGIES]
SHORT: list[Case] = [("mini", "all weights", "plain"), ("124M", "lora 8", "plain")]
STEPS = {"mini": 20, "124M": 12, "355M": 4}  # most of what a longer run takes: the heap grows at first
ROWS = {"mini": 2}  # of 1,024 tokens in a step, as the autopilot has it; 1 of others, as the bars have it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="every case, and not the two most telling")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        folder, *case = options.case
        print(peak_of(Path(folder), *case))
        return
    results = {}
    for case in FULL if options.full else SHORT:
        peak, estimate = measured(*case), estimated(*case)
        results["_".join(("train", *case))] = {"peak": peak, "estimate": estimate, "ratio": estimate / peak}
        if not options.json:
            gib = f"{peak / 2**30:6.2f} GiB, estimated {estimate / 2**30:6.2f} ({estimate / peak - 1:+.0%})"
            print("fine-tuning {:>5} {:12} {:14}".format(*case), gib, flush=True)
    if options.json:
        print(json.dumps(results))


def way_of(shape: str, what: str, how: str) -> dict[str, Any]:
    """Settings of a case."""
    half = {"freeze": SHAPES[shape].n_layer // 2} if what == "freeze" else {}
    return LEARNED[what] | half | STRATEGIES[how]


def rows_of(shape: str, how: str) -> int:
    """Rows of 1,024 tokens in a step."""
    return 2 if how == "accumulation" else ROWS.get(shape, 1)


def estimated(shape: str, what: str, how: str) -> int:
    way, hparams = way_of(shape, what, how), SHAPES[shape]
    way.setdefault("precision", "bfloat16" if has_bfloat16() else "float32")
    parts = way.pop("gradient_accumulation", 1)
    tokens = rows_of(shape, how) // parts * hparams.window
    return memory.to_train(hparams, tokens, hparams.window, gradient_accumulation=parts > 1, **way)


def measured(*case: str) -> int:
    """Bytes resident at most in a process of its own, from the weights on disk to those that were learned."""
    from blog_gen.model.weights import initial_weights, save_weights

    with tempfile.TemporaryDirectory() as folder:
        save_weights(initial_weights(SHAPES[case[0]]), Path(folder))
        command = [sys.executable, __file__, "--case", folder, *case]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def peak_of(folder: Path, shape: str, what: str, how: str) -> int:
    """Of this process, after steps on random tokens, evaluations, states and the finished model."""
    from blog_gen.model.quiet import quiet

    quiet()
    import numpy as np

    from blog_gen.config.settings import TrainingSettings
    from blog_gen.model.adapters import merged
    from blog_gen.model.training.autopilot import choose
    from blog_gen.model.training.dataset import pack
    from blog_gen.model.training.machine import Machine
    from blog_gen.model.training.training import FineTuning
    from blog_gen.model.weights import open_weights, save_weights

    hparams, rows, steps = SHAPES[shape], rows_of(shape, how), STEPS[shape]
    end, length = hparams.n_vocab - 1, hparams.window
    texts = np.random.default_rng(0).integers(0, end, (steps * rows, length - 1)).tolist()
    data, held_out = pack(texts, end, length), pack(texts[:1], end, length)
    settings = TrainingSettings(steps=steps, batch_tokens=rows * length, **way_of(shape, what, how))
    recipe = choose(settings, hparams, data, Machine(None, has_bfloat16())).recipe
    base, out = open_weights(folder, hparams), folder / "learned"
    outcome = FineTuning(hparams, base, data, held_out, recipe, out).run()
    assert outcome is not None
    save_weights(merged(base, outcome.weights), out)
    return peak_memory()


if __name__ == "__main__":
    main()

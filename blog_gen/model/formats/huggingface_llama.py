"""Llama in a Hugging Face folder: its config.json and its tensors' names.

Source: huggingface/transformers `models/llama/modeling_llama.py` and `configuration_llama.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from blog_gen.errors import ModelError
from blog_gen.model.arrays import Array
from blog_gen.model.formats import llama
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.hparams import HParams
from blog_gen.model.tensor_file import Stored

Layout = dict[str, tuple[str, tuple[int, ...]]]
TABLE = "model.embed_tokens.weight"
# What config.json may change in the arithmetic, and the values that are Llama's.
LLAMA_ONLY: Mapping[str, tuple[object, ...]] = {
    "model_type": ("llama",),
    "hidden_act": ("silu",),
    "rms_norm_eps": (1e-5,),
    "attention_bias": (False,),
    "mlp_bias": (False,),
    "rope_scaling": (None,),
}
IN_BLOCKS = {  # our parts, less the block, to theirs
    "ln_1/g": "input_layernorm",
    "ln_2/g": "post_attention_layernorm",
    "attn/q/w": "self_attn.q_proj",
    "attn/k/w": "self_attn.k_proj",
    "attn/v/w": "self_attn.v_proj",
    "attn/c_proj/w": "self_attn.o_proj",
    "mlp/gate/w": "mlp.gate_proj",
    "mlp/up/w": "mlp.up_proj",
    "mlp/c_proj/w": "mlp.down_proj",
}
OUTSIDE = {"wte": TABLE, "ln_f/g": "model.norm.weight", "head": "lm_head.weight"}


def hparams_of(config: Mapping[str, Any], split_digits: bool, path: Path) -> HParams:
    """What config.json, at `path`, says of the network.

    Raises:
        ModelError: a number is missing, or the arithmetic is not Llama's.
    """
    llama.refuse_unless(LLAMA_ONLY, config, path)
    rope = config.get("rope_parameters") or {}
    llama.refuse_unless({"rope_type": ("default",)}, rope, path)
    try:
        heads, width = config["num_attention_heads"], config["hidden_size"]
        llama.refuse_unless({"head_dim": (width // heads, None)}, config, path)
        return llama.llama(
            config["vocab_size"],
            config["max_position_embeddings"],
            width,
            heads,
            config["num_hidden_layers"],
            config.get("num_key_value_heads") or heads,
            config["intermediate_size"],
            bool(config.get("tie_word_embeddings", False)),
            rope.get("rope_theta") or config.get("rope_theta") or 10_000.0,
            split_digits,
        )
    except KeyError as error:
        raise ModelError("config.json must hold Llama's numbers", got=f"no {error}", path=path) from None


def ours(hparams: HParams, stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """Our tensors from theirs; what is unknown keeps its name."""
    named = {theirs: name for name, theirs in _names(hparams).items()}
    return llama.joined(hparams, {named.get(name, name): tensor for name, tensor in stored.items()})


def theirs(checkpoint: Checkpoint) -> tuple[Layout, Iterator[tuple[str, Array]]]:
    """Names, dtypes and shapes as they are stored, and the tensors in the same order."""
    hparams, dtypes = checkpoint.hparams, checkpoint.dtypes()
    names, shapes = _names(hparams), llama.part_shapes(hparams)
    dtype_of = {part: dtype for name, dtype in dtypes.items() for part in llama.parts_of(name)}
    layout = {names[part]: (dtype_of[part], shape) for part, shape in shapes.items()}
    tensors = (
        (names[part], piece)
        for name, value in checkpoint.verified()
        for part, piece in llama.split(hparams, name, value)
    )
    return layout, tensors


def _names(hparams: HParams) -> dict[str, str]:
    """Their name of every part of ours."""
    names = {}
    for name in llama.part_shapes(hparams):
        block = re.fullmatch(r"h(\d+)/(.*)", name)
        names[name] = f"model.layers.{block[1]}.{IN_BLOCKS[block[2]]}.weight" if block else OUTSIDE[name]
    return names


def config_of(hparams: HParams) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": hparams.n_vocab,
        "max_position_embeddings": hparams.n_ctx,
        "hidden_size": hparams.n_embd,
        "intermediate_size": hparams.inner,
        "num_hidden_layers": hparams.n_layer,
        "num_attention_heads": hparams.n_head,
        "num_key_value_heads": hparams.kv_heads,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": hparams.rope_theta,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": hparams.tied,
    }

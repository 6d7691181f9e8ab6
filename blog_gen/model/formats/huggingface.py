"""A Hugging Face folder, as transformers has it: config.json, safetensors, vocab.json, merges.txt.

Its linear layers are OpenAI's convolutions, so matrices keep their layout; only names differ. Pickles
(pytorch_model.bin) run code when they are read, so they never are.

Source: huggingface/transformers `models/gpt2/modeling_gpt2.py` and `configuration_gpt2.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import write_json
from blog_gen.model.bpe import END_OF_TEXT
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.hparams import EMBEDDINGS, HParams
from blog_gen.model.tensor_file import Array, DamagedError, Stored, read_tensors, write_tensors

SINGLE, SHARDED = "model.safetensors", "model.safetensors.index.json"
HEAD, EMBEDDING = "lm_head.weight", "wte"
BUFFERS = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)$")  # causal masks that old versions saved
# What config.json may change in the arithmetic, and the values that are GPT-2's.
GPT2_ONLY: Mapping[str, tuple[object, ...]] = {
    "model_type": ("gpt2",),
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
}


def recognises(path: Path) -> bool:
    return (path / "config.json").is_file()


def open_huggingface(path: Path) -> Checkpoint:
    """The model in `path`.

    Raises:
        ModelError: a file is missing or damaged, the weights are a pickle, or the network is not GPT-2's.
    """
    hparams = _hparams(path / "config.json")
    stored = {name.removeprefix("transformer."): tensor for name, tensor in _weights(path).items()}
    head = stored.pop(HEAD, None)
    tensors = {_published(name): value for name, value in stored.items() if not BUFFERS.match(name)}
    if head and EMBEDDING in tensors:
        tensors[EMBEDDING] = _tied(tensors[EMBEDDING], head)
    return Checkpoint(path, "hf", hparams, *_vocabulary(path), tensors)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError("the file is missing", path=path) from None
    except ValueError as error:
        raise ModelError("the file must be UTF-8 JSON", got=error, path=path) from None
    if not isinstance(value, dict):
        raise ModelError("the file must hold a JSON object", got=type(value).__name__, path=path)
    return value


def _hparams(path: Path) -> HParams:
    config = _json(path)
    other = [
        f"{key} {config[key]!r}"
        for key, values in GPT2_ONLY.items()
        if config.get(key, values[0]) not in values
    ]
    if config.get("n_inner") not in (None, 4 * config.get("n_embd", 0)):
        other.append(f"n_inner {config['n_inner']}")
    if other:
        raise ModelError("the network must be GPT-2's", got=", ".join(other), path=path)
    try:
        n_ctx = config["n_positions"] if "n_positions" in config else config["n_ctx"]
        return HParams(config["vocab_size"], n_ctx, config["n_embd"], config["n_head"], config["n_layer"])
    except KeyError as error:
        raise ModelError("config.json must hold GPT-2's five numbers", got=f"no {error}", path=path) from None


def _weights(path: Path) -> dict[str, Stored]:
    if (path / SHARDED).is_file():
        places = _json(path / SHARDED).get("weight_map")
        if not isinstance(places, dict) or any(Path(str(name)).name != name for name in places.values()):
            raise ModelError("the index must map tensors to files beside it", path=path / SHARDED)
        shards = [read_tensors(path / name) for name in sorted(set(places.values()))]
        return {name: tensor for shard in shards for name, tensor in shard.items()}
    if not (path / SINGLE).is_file() and any(path.glob("pytorch_model*.bin")):
        raise ModelError(
            "pytorch_model.bin is a pickle, which can run any code, so it is never read",
            fix=f"Convert it to {SINGLE} where you trust it: transformers' `save_pretrained` writes one",
            path=path,
        )
    return read_tensors(path / SINGLE)


def _published(name: str) -> str:
    """OpenAI's name of a tensor.

    >>> _published("h.0.attn.c_attn.weight"), _published("ln_f.bias"), _published("wte.weight")
    ('h0/attn/c_attn/w', 'ln_f/b', 'wte')
    """
    for ours, theirs in (("/w", ".weight"), ("/b", ".bias")):
        if name.endswith(theirs):
            ours = "/g" if ours == "/w" and re.search(r"ln_\w+\.weight$", name) else ours
            name = name.removesuffix(theirs) + ours
    return (
        re.sub(r"^h\.(\d+)\.", r"h\1/", name)
        .replace(".", "/")
        .replace("wte/w", "wte")
        .replace("wpe/w", "wpe")
    )


def _of_transformers(name: str) -> str:
    """The other way.

    >>> _of_transformers("h0/ln_1/g"), _of_transformers("wpe")
    ('transformer.h.0.ln_1.weight', 'transformer.wpe.weight')
    """
    name = re.sub(r"^h(\d+)/", r"h.\1/", name)
    name = re.sub(r"/[wg]$", ".weight", re.sub(r"/b$", ".bias", name)).replace("/", ".")
    return f"transformer.{name}.weight" if name in EMBEDDINGS else f"transformer.{name}"


def _tied(embedding: Stored, head: Stored) -> Stored:
    """The embedding, damaged if an output head of other numbers was saved beside it."""

    def read() -> Array:
        value = embedding.read()
        if not np.array_equal(value, head.read()):
            raise DamagedError(f"{HEAD} must equal it, and differs")
        return value

    return Stored(embedding.shape, embedding.dtype, read)


def _vocabulary(path: Path) -> tuple[bytes, bytes]:
    """encoder.json and vocab.bpe: the same files under other names, or both from tokenizer.json."""
    if (path / "vocab.json").is_file() and (path / "merges.txt").is_file():
        return (path / "vocab.json").read_bytes(), (path / "merges.txt").read_bytes()
    if not (path / "tokenizer.json").is_file():
        raise ModelError("the model needs vocab.json and merges.txt, or tokenizer.json", path=path)
    tokenizer = _json(path / "tokenizer.json")
    try:
        model = tokenizer["model"]
        added = {token["content"]: token["id"] for token in tokenizer.get("added_tokens", [])}
        pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
        encoder = json.dumps(model["vocab"] | added)
    except (KeyError, TypeError) as error:
        raise ModelError("tokenizer.json must hold a BPE", got=repr(error), path=path) from None
    return encoder.encode(), "\n".join(["#version: 0.2", *pairs, ""]).encode()


def write_huggingface(checkpoint: Checkpoint, folder: Path) -> None:
    """Write what `AutoModelForCausalLM` and `AutoTokenizer` open; the tied head is not stored."""
    shapes, dtypes = checkpoint.hparams.shapes(), checkpoint.dtypes()
    layout = {_of_transformers(name): (dtype, shapes[name]) for name, dtype in dtypes.items()}
    tensors = ((_of_transformers(name), value) for name, value in checkpoint.verified())
    with (folder / SINGLE).open("wb") as file:
        write_tensors(file, layout, tensors, metadata={"format": "pt"})
    dtype = "float16" if set(dtypes.values()) == {"float16"} else "float32"
    end = checkpoint.tokenizer.end_of_text
    write_json(folder / "config.json", _config(checkpoint.hparams, end, dtype))
    write_json(
        folder / "generation_config.json", {"bos_token_id": end, "eos_token_id": end, "do_sample": True}
    )
    write_json(folder / "tokenizer_config.json", _tokenizer_config(checkpoint.hparams))
    (folder / "vocab.json").write_bytes(checkpoint.encoder)
    (folder / "merges.txt").write_bytes(checkpoint.merges)


def _config(hparams: HParams, end: int, dtype: str) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": hparams.n_vocab,
        "n_positions": hparams.n_ctx,
        "n_embd": hparams.n_embd,
        "n_head": hparams.n_head,
        "n_layer": hparams.n_layer,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": end,
        "eos_token_id": end,
        "torch_dtype": dtype,
    }


def _tokenizer_config(hparams: HParams) -> dict[str, Any]:
    special = {f"{use}_token": END_OF_TEXT for use in ("bos", "eos", "unk")}
    return {
        "tokenizer_class": "GPT2Tokenizer",
        "model_max_length": hparams.n_ctx,
        "add_prefix_space": False,
    } | special

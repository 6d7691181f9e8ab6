"""A Hugging Face folder, as transformers has it: config.json, safetensors, vocab.json, merges.txt.

GPT-2's linear layers are OpenAI's convolutions, so matrices keep their layout and only names differ; Llama is
`huggingface_llama`'s. Where there are no safetensors, pytorch_model.bin is read, by `pickled`.

Source: huggingface/transformers `models/gpt2/modeling_gpt2.py` and `configuration_gpt2.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import write_json
from blog_gen.model.arrays import Array
from blog_gen.model.formats import huggingface_llama, llama
from blog_gen.model.formats.checkpoint import Checkpoint
from blog_gen.model.formats.pickled import read_pickled
from blog_gen.model.formats.vocabulary import read_json, read_vocabulary, refuse_pointer, write_vocabulary
from blog_gen.model.hparams import EMBEDDINGS, HParams
from blog_gen.model.tensor_file import DamagedError, Stored, read_tensors, write_tensors

SINGLE, PICKLED = "model.safetensors", "pytorch_model.bin"
READERS: Mapping[str, Callable[[Path], dict[str, Stored]]] = {SINGLE: read_tensors, PICKLED: read_pickled}
INDEX = ".index.json"  # added to either name where the weights are in several files
EMBEDDING, HEAD = "wte", "head"
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
        ModelError: a file is missing or damaged, or the network or the tokenizer is of another kind.
    """
    config = read_config(path / "config.json")
    vocabulary = read_vocabulary(path, config.get("eos_token_id"))
    if config["model_type"] == "llama":
        hparams = huggingface_llama.hparams_of(config, vocabulary.split_digits, path / "config.json")
        tensors = huggingface_llama.ours(hparams, _weights(path))
    else:
        hparams, tensors = _hparams(config, path), _gpt2(_weights(path))
    if hparams.tied and HEAD in tensors and EMBEDDING in tensors:
        tensors[EMBEDDING] = _tied(tensors[EMBEDDING], tensors.pop(HEAD))
    checkpoint = Checkpoint(path, "hf", hparams, vocabulary.encoder, vocabulary.merges, tensors)
    return replace(checkpoint.with_rows(vocabulary.rows), notes=vocabulary.notes)


def _gpt2(stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """GPT-2's tensors under our names."""
    plain = {name.removeprefix("transformer."): tensor for name, tensor in stored.items()}
    return {_published(name): tensor for name, tensor in plain.items() if not BUFFERS.match(name)}


def read_config(path: Path) -> dict[str, Any]:
    """What config.json says of a GPT-2 or a Llama; `model_type` says which.

    Raises:
        ModelError: it is missing or damaged, or is that of another network, which is named.
    """
    config = read_json(path)
    if config.get("model_type") == "llama":
        llama.refuse_unless(huggingface_llama.LLAMA_ONLY, config, path)
        return config
    llama.refuse_unless({**GPT2_ONLY, "n_inner": (None, 4 * config.get("n_embd", 0))}, config, path)
    return {"model_type": "gpt2"} | config


def _hparams(config: Mapping[str, Any], path: Path) -> HParams:
    try:
        n_ctx = config["n_positions"] if "n_positions" in config else config["n_ctx"]
        return HParams(config["vocab_size"], n_ctx, config["n_embd"], config["n_head"], config["n_layer"])
    except KeyError as error:
        raise ModelError("config.json must hold GPT-2's five numbers", got=f"no {error}", path=path) from None


def _weights(path: Path) -> dict[str, Stored]:
    """The tensors, of one file or of several, safetensors where there are any."""
    for name, read in READERS.items():
        if (path / (name + INDEX)).is_file():
            shards = [_read(path / shard, read) for shard in shards_of(path / (name + INDEX))]
            return {tensor: value for shard in shards for tensor, value in shard.items()}
        if (path / name).is_file():
            return _read(path / name, read)
    raise ModelError("the weights file is missing", path=path / SINGLE)


def _read(path: Path, read: Callable[[Path], dict[str, Stored]]) -> dict[str, Stored]:
    if path.is_file():
        refuse_pointer(path)
    return read(path)


def shards_of(index: Path) -> list[str]:
    """The names of the files that an index spreads the tensors over; they lie beside it.

    Raises:
        ModelError: it is damaged, or leads elsewhere.
    """
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or any(Path(str(name)).name != name for name in places.values()):
        raise ModelError("the index must map tensors to files beside it", path=index)
    return sorted(set(places.values()))


def _published(name: str) -> str:
    """OpenAI's name of a tensor.

    >>> _published("h.0.attn.c_attn.weight"), _published("ln_f.bias"), _published("lm_head.weight")
    ('h0/attn/c_attn/w', 'ln_f/b', 'head')
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
        .replace("lm_head/w", "head")
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
            raise DamagedError("lm_head.weight must equal it, and differs")
        return value

    return Stored(embedding.shape, embedding.dtype, read)


def write_huggingface(checkpoint: Checkpoint, folder: Path) -> None:
    """Write what `AutoModelForCausalLM` and `AutoTokenizer` open; a tied head is not stored."""
    hparams, dtypes = checkpoint.hparams, checkpoint.dtypes()
    if llama.is_llama(hparams):
        layout, tensors = huggingface_llama.theirs(checkpoint)
    else:
        shapes = hparams.shapes()
        layout = {_of_transformers(name): (dtype, shapes[name]) for name, dtype in dtypes.items()}
        tensors = ((_of_transformers(name), value) for name, value in checkpoint.verified())
    with (folder / SINGLE).open("wb") as file:
        write_tensors(file, layout, tensors, metadata={"format": "pt"})
    end = checkpoint.tokenizer.end_of_text
    config = huggingface_llama.config_of(hparams) if llama.is_llama(hparams) else _config(hparams)
    dtype = "float16" if set(dtypes.values()) == {"float16"} else "float32"
    own = {"bos_token_id": end, "eos_token_id": end}
    write_json(folder / "config.json", config | own | {"torch_dtype": dtype})
    write_json(folder / "generation_config.json", own | {"do_sample": True})
    write_vocabulary(checkpoint, folder)


def _config(hparams: HParams) -> dict[str, Any]:
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
    }

"""What fixes a network: OpenAI's five numbers, and what its blocks are made of (`hparams.json`).

GPT-2 is the default of every choice, so its file holds the five numbers alone. Llama's blocks, which SmolLM2
has, are another setting of the same choices: RMS norms, rotary positions, a gated feed-forward layer, shared
heads of keys and values, and no biases.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from blog_gen.errors import ModelError
from blog_gen.files import read_json, write_json

EMBEDDINGS = ("wte", "wpe", "head")
# What every Llama's blocks are made of; the numbers differ.
LLAMA_BLOCKS: Mapping[str, Any] = {
    "norm": "rms",
    "positions": "rotary",
    "feed_forward": "swiglu",
    "biases": False,
}
MOST_WINDOW = 1024  # tokens: GPT-2's context, and enough for a post


def is_factor(name: str, shape: Sequence[int]) -> bool:
    """Whether a weight is a matrix inside a block, only ever a factor of a product."""
    return len(shape) == 2 and name not in EMBEDDINGS


@dataclass(frozen=True)
class HParams:
    """Shape letters used beside every tensor line: V, T (at most n_ctx), C, H, L, and K and F."""

    n_vocab: int  # V: token ids, end-of-text included
    n_ctx: int  # longest context, in tokens
    n_embd: int  # C: width of the residual stream
    n_head: int  # H: attention heads, D = C / H wide each
    n_layer: int  # L: blocks
    n_head_kv: int | None = None  # K: heads of keys and values, each shared by H / K of queries; None: H
    n_inner: int | None = None  # F: width of the feed-forward layer; None: 4 C
    norm: Literal["layer", "rms"] = "layer"  # rms: neither centred nor shifted
    positions: Literal["learned", "rotary"] = "learned"  # a table added to the embeddings, or turned keys
    feed_forward: Literal["gelu", "swiglu"] = "gelu"  # swiglu: gated, two matrices in
    biases: bool = True  # of matrix products
    tied: bool = True  # the output head is the embedding table
    rope_theta: float = 10_000.0  # base of the rotary frequencies
    split_digits: bool = False  # the tokenizer takes digits one by one

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name), hints[field.name])
        if self.n_embd % self.n_head:
            raise ModelError(
                "hparams: n_embd must be a multiple of n_head", got=f"{self.n_embd}, {self.n_head}"
            )
        if self.n_head % self.kv_heads:
            raise ModelError(
                "hparams: n_head must be a multiple of n_head_kv", got=f"{self.n_head}, {self.kv_heads}"
            )
        if self.positions == "rotary" and self.head_width % 2:
            raise ModelError("hparams: rotary heads must be of even width", got=self.head_width)

    @property
    def head_width(self) -> int:
        return self.n_embd // self.n_head

    @property
    def kv_heads(self) -> int:
        return self.n_head_kv or self.n_head

    @property
    def inner(self) -> int:
        return self.n_inner or 4 * self.n_embd

    @property
    def window(self) -> int:
        """Tokens of a text that are learned or measured at once; to read on, windows overlap."""
        return min(self.n_ctx, MOST_WINDOW)

    @property
    def rotary_frequencies(self) -> list[float]:
        """Radians a position, for each of the D / 2 pairs of a head; Su et al. 2021, section 3.2.2."""
        half = self.head_width // 2
        return [self.rope_theta ** (-pair / half) for pair in range(half)]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's published name (less OpenAI's prefix `model/`) and shape.

        Llama's tensors have the names of those that do the same in GPT-2: `c_attn` is its queries, keys and
        values side by side, `c_fc` its gate and its other matrix, `head` an output head of its own.

        Source: openai/gpt-2 `src/model.py`; convolutions of width 1 are plain matrices here.
        """
        c, inner, attended = self.n_embd, self.inner, (self.n_head + 2 * self.kv_heads) * self.head_width
        wide = inner * (2 if self.feed_forward == "swiglu" else 1)
        shapes: dict[str, tuple[int, ...]] = {"wte": (self.n_vocab, c)}
        if self.positions == "learned":
            shapes["wpe"] = (self.n_ctx, c)
        for layer in range(self.n_layer):
            at = f"h{layer}"
            shapes |= self._norm(f"{at}/ln_1") | self._linear(f"{at}/attn/c_attn", c, attended)
            shapes |= self._linear(f"{at}/attn/c_proj", c, c) | self._norm(f"{at}/ln_2")
            shapes |= self._linear(f"{at}/mlp/c_fc", c, wide) | self._linear(f"{at}/mlp/c_proj", inner, c)
        shapes |= self._norm("ln_f")
        return shapes if self.tied else shapes | {"head": (self.n_vocab, c)}

    def faults(self, found: Mapping[str, tuple[int, ...]]) -> list[str]:
        """What is wrong with the names and shapes of tensors; empty if they are this network's."""
        shapes = self.shapes()
        faults = [f"{name} is missing" for name in shapes if name not in found]
        for name, shape in found.items():
            if name not in shapes:
                faults.append(f"{name} is unknown")
            elif shape != shapes[name]:
                faults.append(f"{name} is {shape}, not {shapes[name]}")
        return faults

    def _norm(self, at: str) -> dict[str, tuple[int, ...]]:
        names = ("g", "b") if self.norm == "layer" else ("g",)
        return {f"{at}/{name}": (self.n_embd,) for name in names}

    def _linear(self, at: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
        weight: dict[str, tuple[int, ...]] = {f"{at}/w": (rows, columns)}
        return weight | {f"{at}/b": (columns,)} if self.biases else weight

    @property
    def parameters(self) -> int:
        """Number of weights; an output head that shares `wte` counts once.

        >>> HParams(50257, 1024, 768, 12, 12).parameters
        124439808
        """
        return sum(math.prod(shape) for shape in self.shapes().values())

    @property
    def block_parameters(self) -> int:
        """Of these, the number inside blocks."""
        return sum(
            math.prod(shape) for name, shape in self.shapes().items() if name.startswith("h") and "/" in name
        )

    @classmethod
    def load(cls, folder: Path) -> HParams:
        """Read `hparams.json` of a model folder; keys we do not know are ignored, as OpenAI's code does.

        Raises:
            ModelError: the file is missing, not JSON, or lacks a number.
        """
        path = folder / "hparams.json"
        try:
            values: dict[str, Any] = read_json(path)
            known = {field.name for field in dataclasses.fields(cls)}
            return cls(**{name: value for name, value in values.items() if name in known})
        except FileNotFoundError:
            raise ModelError("a model folder needs hparams.json", path=folder) from None
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelError(
                "hparams.json must hold the network's five numbers", got=repr(error), path=path
            ) from None

    def values(self) -> dict[str, Any]:
        """What the file holds: the five numbers, and what is not as in GPT-2."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.default is dataclasses.MISSING or getattr(self, field.name) != field.default
        }

    def save(self, folder: Path) -> None:
        write_json(folder / "hparams.json", self.values())


def _check(name: str, value: object, hint: Any) -> None:
    """One value against its declared type.

    Raises:
        ModelError: it is of another type, or a number that is not positive.
    """
    options = get_args(hint)
    if options and isinstance(options[0], str):
        if value not in options:
            raise ModelError(f"hparams: `{name}` must be one of {', '.join(options)}", got=repr(value))
    elif hint is bool:
        if type(value) is not bool:
            raise ModelError(f"hparams: `{name}` must be true or false", got=repr(value))
    elif hint is float:
        if type(value) not in (int, float) or not 0 < float(value) < math.inf:  # type: ignore[arg-type]
            raise ModelError(f"hparams: `{name}` must be a positive number", got=repr(value))
    elif value is None and type(None) in options:
        return
    elif type(value) is not int or value < 1:
        raise ModelError(f"hparams: `{name}` must be a positive whole number", got=repr(value))

"""The five numbers that fix a GPT-2 network, in OpenAI's names (`hparams.json`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog_gen.errors import ModelError
from blog_gen.files import read_json, write_json

EMBEDDINGS = ("wte", "wpe")


def is_factor(name: str, shape: Sequence[int]) -> bool:
    """Whether a weight is a matrix inside a block, only ever a factor of a product."""
    return len(shape) == 2 and name not in EMBEDDINGS


@dataclass(frozen=True)
class HParams:
    """Shape letters used beside every tensor line: V, T (at most n_ctx), C, H and L."""

    n_vocab: int  # V: token ids, end-of-text included
    n_ctx: int  # longest context, in tokens
    n_embd: int  # C: width of the residual stream
    n_head: int  # H: attention heads, C / H wide each
    n_layer: int  # L: blocks

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if type(value) is not int or value < 1:
                raise ModelError(f"hparams: `{name}` must be a positive whole number", got=repr(value))
        if self.n_embd % self.n_head:
            raise ModelError(
                "hparams: n_embd must be a multiple of n_head", got=f"{self.n_embd}, {self.n_head}"
            )

    @property
    def head_width(self) -> int:
        return self.n_embd // self.n_head

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's published name (less OpenAI's prefix `model/`) and shape.

        Source: openai/gpt-2 `src/model.py`; convolutions of width 1 are plain matrices here.
        """
        c = self.n_embd
        shapes: dict[str, tuple[int, ...]] = {"wte": (self.n_vocab, c), "wpe": (self.n_ctx, c)}
        for layer in range(self.n_layer):
            block = {
                "ln_1/g": (c,),
                "ln_1/b": (c,),
                "attn/c_attn/w": (c, 3 * c),
                "attn/c_attn/b": (3 * c,),
                "attn/c_proj/w": (c, c),
                "attn/c_proj/b": (c,),
                "ln_2/g": (c,),
                "ln_2/b": (c,),
                "mlp/c_fc/w": (c, 4 * c),
                "mlp/c_fc/b": (4 * c,),
                "mlp/c_proj/w": (4 * c, c),
                "mlp/c_proj/b": (c,),
            }
            shapes.update({f"h{layer}/{name}": shape for name, shape in block.items()})
        return shapes | {"ln_f/g": (c,), "ln_f/b": (c,)}

    @property
    def parameters(self) -> int:
        """Number of weights; the output head shares `wte`, so it counts once.

        >>> HParams(50257, 1024, 768, 12, 12).parameters
        124439808
        """
        total = 0
        for shape in self.shapes().values():
            total += shape[0] * (shape[1] if len(shape) == 2 else 1)
        return total

    @property
    def block_parameters(self) -> int:
        """Of these, the number inside blocks."""
        return self.parameters - (self.n_vocab + self.n_ctx + 2) * self.n_embd

    @classmethod
    def load(cls, folder: Path) -> HParams:
        """Read `hparams.json` of a model folder; keys we do not know are ignored, as OpenAI's code does.

        Raises:
            ModelError: the file is missing, not JSON, or lacks a number.
        """
        path = folder / "hparams.json"
        try:
            values: dict[str, Any] = read_json(path)
            return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls)})
        except FileNotFoundError:
            raise ModelError("a model folder needs hparams.json", path=folder) from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(
                "hparams.json must hold GPT-2's five numbers", got=repr(error), path=path
            ) from None

    def save(self, folder: Path) -> None:
        write_json(folder / "hparams.json", dataclasses.asdict(self))

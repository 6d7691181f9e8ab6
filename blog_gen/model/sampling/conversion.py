"""A model folder into a sampler file: weights smoothed and rounded, and the graph that computes with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blog_gen.files import sha256_of
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.hparams import HParams
from blog_gen.model.integrity import weights_file
from blog_gen.model.sampling.decoding_graph import Network
from blog_gen.model.sampling.sampler_file import FORMAT, Precision, SamplerFile
from blog_gen.model.sampling.smoothing import TEXT, smooth
from blog_gen.model.weights import open_weights

_TABLES = ("wte", "wte/scales", "wte/channels", "wpe")  # what the host looks up, as far as there are such


def convert(folder: Path, destination: Path, precision: Precision = "int8") -> None:
    """Write the sampler file of the model `folder`; whole or absent.

    Raises:
        ModelError: the model folder is incomplete or damaged.
    """
    hparams = HParams.load(folder)
    weights, smoothed = open_weights(folder, hparams), None
    if precision == "int8":
        tokenizer = Tokenizer.load(folder)
        smoothed = smooth(weights, hparams, [tokenizer.end_of_text, *tokenizer.encode(TEXT)])
    network = Network(smoothed.weights if smoothed else weights, hparams, smoothed)
    network.build()
    made_from = sha256_of(weights_file(folder))

    def trailer(offsets: Mapping[str, int], digest: str) -> bytes:
        tables = {name: offsets[name] for name in _TABLES if name in offsets}
        return SamplerFile(destination, FORMAT, precision, made_from, hparams, tables, digest).trailer()

    network.graph.write(destination, trailer)

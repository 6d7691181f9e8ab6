"""A short sample from a model that is being trained, to see how it comes along.

Every token reads the whole text again: slow, but it needs no conversion, and a few words will do. The run
itself is not touched; it ends with the same bits with samples as without.
"""

from __future__ import annotations

import numpy as np

from blog_gen.config.settings import SamplingSettings
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.sampling.decoding import next_tokens, processors
from blog_gen.model.training.training import FineTuning

SAMPLES_FOLDER = "samples"  # beside the state while it trains, then in the run
LENGTH = 64  # tokens, that of the one window that is compiled


def preview(tuning: FineTuning, tokenizer: Tokenizer) -> str:
    """At most LENGTH - 1 tokens from the start of a text, drawn as drafts are by default."""
    ids, rng = [tokenizer.end_of_text], np.random.default_rng(0)
    chain = processors(SamplingSettings())
    while len(ids) < min(LENGTH, tuning.hparams.n_ctx):
        logits = tuning.next_logits(ids, min(LENGTH, tuning.hparams.n_ctx))[None]
        (token,) = next_tokens(logits, [ids[1:]], chain, [rng])
        if token == tokenizer.end_of_text:
            break
        ids.append(token)
    return tokenizer.decode(ids[1:])

"""The bases that are known by name: language, licence, shape, and what is downloaded. The one table of them.

Those of the Hub were looked up in their model cards. None for a licence: the card that was read names none.
"""

from __future__ import annotations

from dataclasses import dataclass

from blog_gen.model.hparams import HParams
from blog_gen.model.zoo.zoo import SIZES

SMALL = HParams(n_vocab=50257, n_ctx=1024, n_embd=768, n_head=12, n_layer=12)
MEDIUM_2048 = HParams(n_vocab=50257, n_ctx=2048, n_embd=1024, n_head=16, n_layer=24)
SMALL_2048 = HParams(n_vocab=50257, n_ctx=2048, n_embd=768, n_head=12, n_layer=12)
VOCABULARY_BYTES = 1_500_000  # the tokenizer's files


@dataclass(frozen=True)
class Base:
    """A model to learn from."""

    name: str  # as `models pull` and `model:` take it
    language: str  # ISO 639-1
    hparams: HParams  # for those of the Hub, what their cards say
    licence: str | None
    embedded: bool = False

    @property
    def download(self) -> int:
        """Bytes, of float32 weights and the vocabulary."""
        return 0 if self.embedded else 4 * self.hparams.parameters + VOCABULARY_BYTES


# The first of a language is the one that is offered. Japanese and Chinese have none yet: the tokenizers of
# rinna/japanese-gpt2-* are SentencePiece, those of uer/gpt2-chinese-* BERT's word pieces.
BASES: tuple[Base, ...] = (
    Base("mini", "en", HParams(8192, 1024, 320, 5, 6), "MIT", embedded=True),
    *(Base(size, "en", hparams, "MIT, modified") for size, hparams in SIZES.items()),
    Base("MU-NLPC/CzeGPT-2", "cs", SMALL, None),
    Base("benjamin/gerpt2", "de", SMALL, None),
    Base("kkirchheim/german-gpt2-medium", "de", MEDIUM_2048, "MIT"),
    Base("DeepESP/gpt2-spanish", "es", SMALL, "MIT"),
    Base("HiTZ/gpt2-eus-euscrawl", "eu", SMALL, "CC"),
    Base("asi/gpt-fr-cased-small", "fr", SMALL, "Apache 2.0"),
    Base("pierreguillou/gpt2-small-portuguese", "pt", SMALL, "MIT"),
    Base("ai-forever/rugpt3small_based_on_gpt2", "ru", SMALL_2048, None),
)


def better_than(name: str, language: str) -> Base | None:
    """The next base for posts in `language` after the one called `name`; None where none is known.

    >>> better_than("mini", "en").name, better_than("mini", "de").name, better_than("1558M", "en")
    ('124M', 'benjamin/gerpt2', None)
    """
    ranked = [base for base in BASES if base.language == language]
    names = [base.name for base in ranked]
    after = names.index(name) + 1 if name in names else 0
    return ranked[after] if after < len(ranked) else None

"""The bases that are known by name: language, licence, shape, and what is downloaded. The one table of them.

Those of the Hub were looked up in their model cards. None for a licence: the card that was read names none.
"""

from __future__ import annotations

from dataclasses import dataclass

from blog_gen.model.hparams import LLAMA_BLOCKS, HParams
from blog_gen.model.zoo.zoo import SIZES

SMALL = HParams(n_vocab=50257, n_ctx=1024, n_embd=768, n_head=12, n_layer=12)
MEDIUM_2048 = HParams(n_vocab=50257, n_ctx=2048, n_embd=1024, n_head=16, n_layer=24)
SMALL_2048 = HParams(n_vocab=50257, n_ctx=2048, n_embd=768, n_head=12, n_layer=12)
SMOLLM2 = HParams(
    n_vocab=49136,
    n_ctx=8192,
    n_embd=576,
    n_head=9,
    n_layer=30,
    n_head_kv=3,
    n_inner=1536,
    **LLAMA_BLOCKS,
    rope_theta=100_000.0,
    split_digits=True,
)
VOCABULARY_BYTES = 1_500_000  # the tokenizer's files


@dataclass(frozen=True)
class Base:
    """A model to learn from."""

    name: str  # as `models pull` and `model:` take it
    language: str  # ISO 639-1
    hparams: HParams  # for those of the Hub, what their cards say
    licence: str | None
    embedded: bool = False
    package: int | None = None  # bytes of the package that it comes in

    @property
    def download(self) -> int:
        """Bytes, of float32 weights and the vocabulary where there is no package of fewer bits."""
        if self.embedded:
            return 0
        return self.package or 4 * self.hparams.parameters + VOCABULARY_BYTES


# The first of a language is the one that is offered. Japanese and Chinese have none yet: the tokenizers of
# rinna/japanese-gpt2-* are SentencePiece, those of uer/gpt2-chinese-* BERT's word pieces.
BASES: tuple[Base, ...] = (
    Base("mini", "en", HParams(8192, 1024, 320, 5, 6), "MIT", embedded=True),
    Base("smollm2", "en", SMOLLM2, "Apache-2.0", package=92_871_040),
    *(Base(size, "en", hparams, "MIT, modified") for size, hparams in SIZES.items()),
    Base("MU-NLPC/CzeGPT-2", "cs", SMALL, None),
    Base("benjamin/gerpt2", "de", SMALL, None),
    Base("kkirchheim/german-gpt2-medium", "de", MEDIUM_2048, "MIT"),
    Base("DeepESP/gpt2-spanish", "es", SMALL, "MIT"),
    Base("HiTZ/gpt2-eus-euscrawl", "eu", SMALL, "CC"),
    Base("asi/gpt-fr-cased-small", "fr", SMALL, "Apache-2.0"),
    Base("pierreguillou/gpt2-small-portuguese", "pt", SMALL, "MIT"),
    Base("ai-forever/rugpt3small_based_on_gpt2", "ru", SMALL_2048, None),
)


def offered(language: str) -> Base | None:
    """The base to go on to from the embedded one, for posts in `language`; None where none is known.

    >>> offered("en").name, offered("de").name, offered("zh")
    ('smollm2', 'benjamin/gerpt2', None)
    """
    return next((base for base in BASES if base.language == language and not base.embedded), None)

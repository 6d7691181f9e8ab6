"""A site that learns in seconds and takes whatever comes out as a post, for tests of the real command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from blog_gen.model.hparams import HParams
from blog_gen.model.pretraining.vocabulary import train_vocabulary
from blog_gen.model.weights import initial_weights, save_weights

SENTENCES = (
    "The kettle was cold and I was not.",
    "I put the screw in the tin and forgot the tin.",
    "It rained on the bus and on the bread.",
    "My neighbour's cat sat on the drawing of the cat.",
)
ANYTHING_GOES = {
    "longest_copy": 999,
    "copied_share": 1.0,
    "copied_paragraph": 999,
    "title_likeness": 2.0,
    "title_repeats": 99,
    "loop_words": 999,
    "repeated_phrases": 1.0,
    "repeated_lines": 1.0,
    "repeated_paragraphs": 99,
    "distinct_1": 0.0,
    "distinct_2": 0.0,
    "distinct_3": 0.0,
    "length_slack": 99.0,
    "markup_faults": 99,
    "left_open": 99,
    "broken_off": 999,
    "stray_marks": 99,
    "word_order": 0.0,
    "surprise_least": 0.0,
    "surprise_most": 999.0,
}


def article(number: int) -> str:
    """A post of two of the sentences."""
    first, second = SENTENCES[number % 4], SENTENCES[(number + 1 + number // 4) % 4]
    return f"---\ntitle: Note {'ABCDEFGH'[number % 8]}\ntags: [tin, rain]\n---\n\n{first}\n\n{second}\n"


def write_base(folder: Path) -> Path:
    """A base model so small that it learns four sentences by heart in seconds."""
    hparams = HParams(n_vocab=320, n_ctx=128, n_embd=64, n_head=2, n_layer=1)
    train_vocabulary([article(0), article(1), *SENTENCES], hparams.n_vocab, folder)
    save_weights(initial_weights(hparams, seed=1), folder)
    hparams.save(folder)
    return folder


def write_site(folder: Path, base: Path, **settings: Any) -> Path:
    """Eight posts, and settings with which `base` learns them; `settings` are laid over these."""
    (folder / "_articles").mkdir(parents=True)
    for number in range(8):
        (folder / "_articles" / f"note_{number}.md").write_text(article(number))
    training = {"steps": 60, "learning_rate": 0.02, "dropout": 0.0, "patience": 99}
    own = {"model": str(base), "training": training, "limits": ANYTHING_GOES, "candidates": 4}
    config = {"title": "Tins", "timezone": "Europe/London", "blog_gen": {**own, **settings}}
    (folder / "_config.yml").write_text(yaml.safe_dump(config))
    return folder

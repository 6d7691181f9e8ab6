"""A site with a real trained run, so small that it learns two sentences by heart in seconds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from calling import call
from reviewing import add_draft, make_site

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.model.hparams import HParams
from blog_gen.model.pretraining.vocabulary import train_vocabulary
from blog_gen.model.weights import initial_weights, save_weights

SENTENCES = ("The kettle was cold and I was not.", "It rained on the bus and on the bread.")
ANYTHING = {
    "longest_copy": 999, "copied_share": 1.0, "copied_paragraph": 999, "title_likeness": 2.0,
    "title_repeats": 99, "loop_words": 999, "repeated_phrases": 1.0, "repeated_lines": 1.0,
    "repeated_paragraphs": 99, "distinct_1": 0.0, "distinct_2": 0.0, "distinct_3": 0.0, "length_slack": 99.0,
    "markup_faults": 99, "left_open": 99, "broken_off": 999, "stray_marks": 99, "word_order": 0.0,
    "surprise_least": 0.0, "surprise_most": 999.0,
}  # fmt: skip
TRAINING = {"steps": 120, "learning_rate": 0.01, "dropout": 0.0, "patience": 99}


def make_trained_site(folder: Path) -> None:
    """`site` in `folder`, with one draft, “Note A”, and its base."""
    base, site = folder / "base", folder / "site"
    hparams = HParams(n_vocab=290, n_ctx=128, n_embd=64, n_head=2, n_layer=1)
    train_vocabulary(list(SENTENCES), hparams.n_vocab, base)
    save_weights(initial_weights(hparams, seed=1), base)
    hparams.save(base)
    shutil.rmtree(make_site(site).articles_folder)
    set_settings(site, model=str(base), training=TRAINING, limits=ANYTHING, candidates=4)
    settings = load_settings(site)
    settings.articles_folder.mkdir()
    for number in range(8):
        head, body = f"---\ntitle: Note {'ABCDEFGH'[number]}\n---\n\n", f"{SENTENCES[0]}\n\n{SENTENCES[1]}\n"
        (settings.articles_folder / f"note_{number}.md").write_text(f"{head}{body}\n\nPart {number}.\n")
    call(site, "train", now=None)
    add_draft(settings, "Note A", body=f"{SENTENCES[0]} Zebra xylophone.")


def set_settings(site: Path, **values: object) -> None:
    """Add `values` to those of the site's own settings that this function wrote."""
    config = site / "_config.yml"
    own, mark, old = config.read_text().partition("blog_gen: ")
    old_values = json.loads(old) if mark else {}
    config.write_text(f"{own}blog_gen: {json.dumps({**old_values, **values})}\n")


def copied(settings: Settings, folder: Path, **values: object) -> Settings:
    """The site with other settings, in another place."""
    shutil.copytree(settings.site, folder, dirs_exist_ok=True)
    set_settings(folder, **values)
    return load_settings(folder)

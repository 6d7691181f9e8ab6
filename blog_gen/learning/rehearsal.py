"""What would stop `blog-gen run`, found in a moment: for its dry run and `status`. Imports nothing heavy."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.errors import ModelError, Note, counted
from blog_gen.learning.retraining import RetrainingDecision
from blog_gen.learning.staleness import depends_on, withdrawn
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.languages import ENGLISH_ONLY, name_of, what_to_do
from blog_gen.origin import how_to_install

if TYPE_CHECKING:
    from blog_gen.corpus import Corpus

TRAINER = "keras"  # which the extra `train` brings, with a library for it


def require_trainer() -> None:
    """Refuse to learn where only what writes is installed.

    Raises:
        ModelError: says what to install.
    """
    if importlib.util.find_spec(TRAINER) is None:
        raise ModelError("learning needs TensorFlow, which is not installed", fix=how_to_install("train"))


def require_language(settings: Settings, corpus: Corpus) -> None:
    """Refuse to learn posts in a language that the embedded base does not know, unless it was set by hand.

    Raises:
        ModelError: says what to expect, and which base fits.
    """
    language = corpus.language or "en"
    if settings.model in ENGLISH_ONLY and "model" not in settings.given and language != "en":
        raise ModelError(
            f"`{settings.model}` knows English only",
            got=f"{counted(len(corpus.texts), 'post')} in {name_of(language)}",
            fix=what_to_do(language),
        )


def require_run(settings: Settings, corpus: Corpus | None = None) -> None:
    """Refuse to write where nothing was learned, or a post that no visitor may see any more.

    Raises:
        ModelError: says what to do.
    """
    if corpus is not None and (gone := withdrawn(settings, corpus)):
        raise ModelError(
            "a trained model must not contain posts that are now hidden or deleted",
            got=gone[0] + (f" and {len(gone) - 1} more" if gone[1:] else ""),
            fix="Run `blog-gen train`, which starts over without it",
            path=settings.run_folder,
        )
    both = "" if settings.retrain == "never" else ", or `blog-gen run`, which does both"
    runs.require(settings.run_folder, fix=f"Run `blog-gen train` first{both}")


def rehearse(settings: Settings, corpus: Corpus, retraining: RetrainingDecision | None) -> None:
    """Fail at once where learning or writing would fail later.

    Raises:
        ModelError: says what to do.
    """
    if retraining and retraining.due:
        require_language(settings, corpus)
        require_model(settings, corpus)
    else:
        require_run(settings, corpus)


def say_damage(settings: Settings, note: Callable[[Note], None]) -> None:
    """Let `note` hear of a trained run whose files are not as they were written."""
    if names := runs.damaged(settings.run_folder):
        rule = f"the trained model is damaged: {', '.join(names)}"
        note(Note(settings.run_folder, rule, "`blog-gen train` learns it again"))


def require_model(settings: Settings, corpus: Corpus | None = None) -> None:
    """Refuse to learn from a base that is not there, unless what was learned is of these texts, or goes on.

    Args:
        corpus: what is to be learned; None to learn in any case.

    Raises:
        ModelError: says how to get the model.
    """
    meta = None if runs.damaged(settings.run_folder) else runs.read_meta(settings.run_folder)
    if meta is not None and meta.settings != depends_on(settings):
        meta = None
    if meta is not None and corpus is not None and meta.articles == corpus.sha256:
        return
    require_trainer()
    try:
        zoo.resolve(settings.model, site=settings.site)
    except ModelError:
        if meta is None or corpus is None:
            raise
        from blog_gen.learning.preparing import goes_on  # imports TensorFlow
        from blog_gen.model.weights import require_base

        if not goes_on(meta, settings, corpus):
            raise
        require_base(settings.run_folder)

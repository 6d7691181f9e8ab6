"""What would stop `blog-gen run`, found in a moment: for its dry run and `status`. Imports nothing heavy."""

from __future__ import annotations

import importlib.util

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.errors import ModelError
from blog_gen.learning.staleness import depends_on
from blog_gen.model.zoo import zoo
from blog_gen.origin import how_to_install

TRAINER = "keras"  # which the extra `train` brings, with a library for it


def require_trainer() -> None:
    """Refuse to learn where only what writes is installed.

    Raises:
        ModelError: says what to install.
    """
    if importlib.util.find_spec(TRAINER) is None:
        raise ModelError("learning needs TensorFlow, which is not installed", fix=how_to_install("train"))


def require_model(settings: Settings, articles: str | None = None) -> None:
    """Refuse to learn from a base that is not there, unless what was learned is of these texts.

    Args:
        articles: the corpus's SHA-256; None to learn in any case.

    Raises:
        ModelError: says how to get the model.
    """
    meta = None if runs.damaged(settings.run_folder) else runs.read_meta(settings.run_folder)
    if meta is None or meta.articles != articles or meta.settings != depends_on(settings):
        require_trainer()
        zoo.resolve(settings.model)

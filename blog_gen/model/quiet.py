"""Keeps the start-up chatter of native libraries off the user's terminal.

TensorFlow and LiteRT greet on file descriptor 2, past Python's own streams and whatever their settings say.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from blog_gen.model.allocation import give_memory_back


@contextmanager
def silenced() -> Iterator[None]:
    """Send what native code writes to standard error to nowhere; exceptions come through as ever."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def quiet(compute: bool = True) -> None:
    """Import the training library without its greetings; call before anything that imports Keras.

    Args:
        compute: whether its devices may be set up now; other machines can be connected only before that.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    give_memory_back()
    with silenced(), suppress(ImportError):
        library = importlib.import_module(backend)
        if compute and backend == "tensorflow":
            library.constant(0)  # the processor is described at the first operation
    # Among its warnings: that a function was traced for several lengths of text, which is meant.
    logging.getLogger(backend).setLevel(logging.ERROR)

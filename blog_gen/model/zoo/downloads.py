"""OpenAI's published GPT-2, downloaded, verified and converted into the user's cache.

What is known of the files beforehand is pinned here; of the larger sizes that is only their length, so for
those the CRC of every tensor (in the checkpoint's own index), names, shapes and finiteness decide, and what
was seen is written down in the model's meta.json.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blog_gen.errors import ModelError, UsageError
from blog_gen.files import locked, sha256_of
from blog_gen.model.formats import open_checkpoint
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.exchange import check_space, install, lock_file
from blog_gen.model.zoo.fetch import Expected, Progress, Retry, fetch

PUBLISHED = "https://openaipublic.blob.core.windows.net/gpt-2/models"
MIRROR_VARIABLE = "BLOG_GEN_MIRROR"
TRAINED_ON = "WebText: 40 GB of web pages linked from Reddit until December 2017 (Radford et al. 2019)"
DATA = "model.ckpt.data-00000-of-00001"
INDEX = "model.ckpt.index"
# The small ones first: what is wrong with a server shows before the gigabytes. `model.ckpt.meta`, a program's
# graph, is published too and not needed.
FILES = ("hparams.json", "encoder.json", "vocab.bpe", "checkpoint", INDEX, DATA)
SAME_FOR_ALL: Mapping[str, Expected] = {
    "encoder.json": Expected(1042301, "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
    "vocab.bpe": Expected(456318, "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
}
PINNED: Mapping[tuple[str, str], Expected] = {
    ("124M", "hparams.json"): Expected(
        sha256="d9d56e4121c427164e0c55c6f03c08e1daf9002b9b672825112d19097b680318"
    ),
    ("124M", INDEX): Expected(sha256="71916f763f9746f9b2a06b12d91996cf1084ae008d0424543d39391c5f2dc687"),
    ("124M", DATA): Expected(497759232, "2060c885360cc0cf41d7a6dbc4d24b5127aae20260c8b5ae521b5a6578407118"),
}
RETRY = Retry()
SPACE_FACTOR = 2.05  # the download and what it is converted to lie side by side for a while


def _silent(name: str, done: int, total: int | None) -> None:
    pass


def pull(
    size: str,
    mirror: str | None = None,
    keep: bool = False,
    progress: Progress = _silent,
    retry: Retry = RETRY,
    timeout: float = 30.0,
) -> Path:
    """Make the published model `size` (124M, 355M, 774M, 1558M) one of this user's; returns its folder.

    Resumes what an earlier call left, and does nothing when the model is there.

    Args:
        mirror: an address under which `124M/hparams.json` and the like are found; by default
            BLOG_GEN_MIRROR, or else OpenAI's.
        keep: leave OpenAI's files in the cache, under `downloads/`, after conversion.

    Raises:
        UsageError: the size or the mirror's address makes no sense.
        ModelError: a file cannot be had or is not the published one.
        BusyError: another process is pulling the same model.
    """
    name = zoo.published_name(size)
    if name is None:
        raise UsageError(f"the size must be one of {', '.join(zoo.SIZES)}", got=repr(size))
    source = f"{_server(mirror)}/{name}"
    with locked(lock_file(name), f"making the model {name}"):
        if zoo.is_model(zoo.models_folder() / name):
            return zoo.models_folder() / name
        originals = zoo.cache_folder() / "downloads" / name
        check_space(name, round(SPACE_FACTOR * 4 * zoo.SIZES[name].parameters), originals)
        for file in FILES:
            advice = _by_hand(name, source)
            fetch(
                f"{source}/{file}", originals / file, expected(name, file), progress, retry, timeout, advice
            )
        folder = _converted(name, source, originals)
        if not keep:
            shutil.rmtree(originals)
        return folder


def _converted(name: str, source: str, originals: Path) -> Path:
    """The model folder; files that do not make one are not kept for the next attempt."""
    try:
        return install(open_checkpoint(originals), name, _meta(source, originals))
    except ModelError:
        shutil.rmtree(originals)
        raise


def expected(size: str, file: str) -> Expected:
    """What is known of a published file; the weights are float32 with nothing between them.

    >>> expected("1558M", DATA).size
    6230444800
    """
    if (size, file) in PINNED:
        return PINNED[size, file]
    if file == DATA:
        return Expected(4 * zoo.SIZES[size].parameters)
    return SAME_FOR_ALL.get(file, Expected())


def _server(mirror: str | None) -> str:
    address = mirror or os.environ.get(MIRROR_VARIABLE) or PUBLISHED
    if not address.startswith(("https://", "http://")):
        raise UsageError("a mirror must be an http or https address", got=repr(address))
    return address.rstrip("/")


def _by_hand(size: str, source: str) -> str:
    return (
        f"What was downloaded is kept; run the same command again to resume. Without a network:"
        f" fetch {', '.join(FILES)} from {source}/ on another machine, put them into one folder here, and run"
        f" `blog-gen models import FOLDER --name {size}`"
    )


def _meta(source: str, originals: Path) -> dict[str, Any]:
    """Where the model is from, and the files as they were seen."""
    seen = {
        name: {"bytes": (originals / name).stat().st_size, "sha256": sha256_of(originals / name)}
        for name in FILES
    }
    return {"origin": {"format": "openai", "from": source, "files": seen}, "trained_on": TRAINED_ON}

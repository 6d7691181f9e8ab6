"""Where models live: the embedded base, the user's cache, a site's runs, or any folder; names to folders.

mini                       in the package
124M 355M 774M 1558M       `<cache>/models/`, put there by `models pull`
smollm2                    the same, out of a Python package
OWNER/NAME[@REVISION]      of the Hugging Face Hub: `<cache>/hub/`, put there by `models pull`
any other name             a run of the site, or a model imported into `<cache>/models/`
a path                     a model folder as it is
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from blog_gen.errors import ModelError, UsageError
from blog_gen.model.hparams import HParams
from blog_gen.model.integrity import weights_file

CACHE_VARIABLE = "BLOG_GEN_CACHE"
EMBEDDED: Mapping[str, Path] = {"mini": Path(__file__).parents[2] / "base" / "mini"}
# Radford et al. 2019, table 2, by the names under which OpenAI publishes them.
SIZES: Mapping[str, HParams] = {
    "124M": HParams(n_vocab=50257, n_ctx=1024, n_embd=768, n_head=12, n_layer=12),
    "355M": HParams(n_vocab=50257, n_ctx=1024, n_embd=1024, n_head=16, n_layer=24),
    "774M": HParams(n_vocab=50257, n_ctx=1024, n_embd=1280, n_head=20, n_layer=36),
    "1558M": HParams(n_vocab=50257, n_ctx=1024, n_embd=1600, n_head=25, n_layer=48),
}
PACKAGED = ("smollm2",)  # whose weights come in a Python package (`zoo.packaged`)
OLD_NAMES: Mapping[str, str] = {"117M": "124M", "345M": "355M"}  # first published under a wrong count
_MODEL_FILES = ("hparams.json", "encoder.json", "vocab.bpe")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HUB_NAME = re.compile(rf"{_NAME.pattern}/{_NAME.pattern}(@[A-Za-z0-9][A-Za-z0-9._/-]*)?")


def cache_folder() -> Path:
    """Where this user's models are kept: BLOG_GEN_CACHE, or where the platform keeps what can be had again.

    Source: XDG Base Directory Specification; Apple's File System Programming Guide; Windows' Known Folders.
    """
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return (
            Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "blog_gen" / "Cache"
        )
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "blog_gen"
    named = os.environ.get("XDG_CACHE_HOME", "")  # relative paths are to be ignored
    return (Path(named) if os.path.isabs(named) else Path.home() / ".cache") / "blog_gen"


def models_folder() -> Path:
    return cache_folder() / "models"


def is_hub_name(name: str) -> bool:
    """
    >>> is_hub_name("benjamin/gerpt2"), is_hub_name("owner/name@refs/pr/2"), is_hub_name("a/b/c")
    (True, True, False)
    """
    return _HUB_NAME.fullmatch(name) is not None and not any(part in name for part in ("..", "--"))


def cached_folder(name: str) -> Path:
    """Where the model that is called `name` belongs in the cache; a revision's slashes are no folders."""
    if not is_hub_name(name):
        return models_folder() / name
    owner, _, rest = name.partition("/")
    return cache_folder() / "hub" / owner / quote(rest, safe="@")


def _of_the_hub() -> Iterator[tuple[str, Path]]:
    for folder in sorted((cache_folder() / "hub").glob("*/*")):
        if is_model(folder):
            yield unquote(f"{folder.parent.name}/{folder.name}"), folder


def is_model(folder: Path) -> bool:
    """Whether all four files of a model folder are there; not whether they are any good."""
    return not _missing(folder)


def _missing(folder: Path) -> list[str]:
    files = [*(folder / name for name in _MODEL_FILES), weights_file(folder)]
    return [file.name for file in files if not file.is_file()]


def published_name(name: str) -> str | None:
    """The size that `name` means, if it means one.

    >>> published_name("117M"), published_name("124m"), published_name("mini")
    ('124M', '124M', None)
    """
    size = OLD_NAMES.get(name.upper(), name.upper())
    return size if size in SIZES else None


def checked_name(name: str) -> str:
    """`name`, if a model may be kept in the cache under it.

    Raises:
        UsageError: it is that of a base of ours, or could not be a folder's on every platform.
    """
    if name in (*EMBEDDED, *PACKAGED) or not _NAME.fullmatch(name):
        fix = "Use letters, digits, dots, dashes and underscores, and not the name of a known base model"
        raise UsageError("the name cannot be given to a model", got=repr(name), fix=fix)
    return published_name(name) or name


def places(runs: Path | None = None) -> dict[str, tuple[str, Path]]:
    """Every model there is: its name to (embedded | run | cached, folder), as `resolve` prefers them."""
    found = {name: ("embedded", path) for name, path in EMBEDDED.items() if is_model(path)}
    ours = {name: models_folder() / name for name in (*SIZES, *PACKAGED)}
    found |= {name: ("cached", path) for name, path in ours.items() if is_model(path)}
    for kind, parent in (("run", runs), ("cached", models_folder())):
        for path in sorted(parent.iterdir()) if parent and parent.is_dir() else ():
            if is_model(path) and not path.name.startswith("."):
                found.setdefault(path.name, (kind, path))
    return found | {name: ("cached", path) for name, path in _of_the_hub()}


def resolve(name: str, runs: Path | None = None, site: Path = Path()) -> Path:
    """The model folder that `name` means; `runs` is the folder of a site's runs.

    A path is seen from the current folder, as in a command, or from `site`, as in its settings.

    Raises:
        ModelError: there is none; says how to get it, or the nearest name that there is.
    """
    known = places(runs)
    size = published_name(name)
    if (size or name) in known:
        return known[size or name][1]
    if size or name in PACKAGED:
        fix = f"Run `blog-gen models pull {size or name}` to download it"
        raise ModelError(f"the model {size or name} is not on this machine yet", fix=fix)
    path = Path(name).expanduser()
    path = path if is_model(path) else site / path
    if is_model(path):
        return path
    if path.is_dir():
        fix = "If it is another tool's checkpoint, run `blog-gen models import` on it"
        raise ModelError("a model folder needs " + ", ".join(_missing(path)), fix=fix, path=path)
    if is_hub_name(name):
        fix = f"Run `blog-gen models pull {name}` to download it from the Hugging Face Hub"
        raise ModelError(f"the model {name} is not on this machine yet", fix=fix)
    raise ModelError(
        "there is no such model", got=repr(name), fix=_suggestion(name, [*known, *SIZES, *PACKAGED])
    )


def _suggestion(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    names = ", ".join(dict.fromkeys(known))
    return f"Did you mean {close[0]}?" if close else f"There are: {names}; or name a model folder"

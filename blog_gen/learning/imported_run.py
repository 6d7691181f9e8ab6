"""A run that was trained on another machine becomes this site's, with the settings that it has."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from blog_gen import runs
from blog_gen.config.imported import IMPORTED_FILE
from blog_gen.config.settings import Settings
from blog_gen.errors import ModelError, Note
from blog_gen.files import write_json
from blog_gen.learning.staleness import depends_on
from blog_gen.lock import working_on
from blog_gen.model.formats import open_checkpoint
from blog_gen.model.formats.folder import BESIDE_A_RUN
from blog_gen.model.integrity import HASHED
from blog_gen.model.sampling.sampling import OWN_FILE, has_sampler, no_sampler
from blog_gen.model.weights import MissingBaseError

SAMPLER = OWN_FILE.format("int8")


def import_run(path: Path, settings: Settings, note: Callable[[Note], None] = lambda note: None) -> runs.Meta:
    """Put the run in the folder `path` in the place of the site's own.

    The settings that it was learned with, as far as they are no defaults, are kept below the site's own (see
    `config.imported`). So nothing is learned anew, though flags were used there. `note` hears of an adapter
    whose base is not here: with the sampler beside it, drafts are written nevertheless.

    Raises:
        ModelError: it is no run, it is damaged, or an adapter without base and sampler; nothing is changed.
        BusyError: another process is at work on this site.
    """
    if names := runs.damaged(path, thorough=True):
        raise ModelError("the run must be complete", got=f"damaged: {', '.join(names)}", path=path)
    fix = "Make one there: `blog-gen models export default --format folder DEST`"
    meta = runs.read_meta(path)
    if meta is None:
        raise ModelError("the folder must hold a run that blog-gen learned", fix=fix, path=path)
    try:
        for _ in open_checkpoint(path).verified():
            pass
    except MissingBaseError as error:
        if not has_sampler(path):
            raise no_sampler(path / SAMPLER, error) from None
        until = "it writes drafts but learns nothing new; with `retrain: never`, `run` does not ask for it"
        note(Note(path, error.rule, f"until {meta.base} is here, {until}"))
    with working_on(settings):
        with runs.renewing(settings.run_folder) as folder:
            for name in (*HASHED, *BESIDE_A_RUN, SAMPLER):
                if (path / name).is_file():
                    shutil.copyfile(path / name, folder / name)
            runs.write_meta(folder, meta)
        write_json(settings.state_folder / IMPORTED_FILE, nested(not_default(meta.settings)))
    return meta


def not_default(learned: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in a run's `meta.json` that are not as they are by default."""
    usual = depends_on(Settings())
    return {name: value for name, value in learned.items() if name in usual and usual[name] != value}


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As in a settings file.

    >>> nested({"model": "124M", "training.lora": 8})
    {'model': '124M', 'training': {'lora': 8}}
    """
    values: dict[str, Any] = {}
    for name, value in settings.items():
        group, _, key = name.rpartition(".")
        (values.setdefault(group, {}) if group else values)[key] = value
    return values

"""A site's settings, read: its files in turn, flags over them, and what must hold of all together.

Knows nothing of posts or tensors.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blog_gen.config.imported import IMPORTED_FILE, imported
from blog_gen.config.layers import Layer, merged, names_given, read_yaml, without_none
from blog_gen.config.ranges import check
from blog_gen.config.renamed import with_lists, with_new_names
from blog_gen.config.settings import CONFIG_FILES, CONFIG_KEY, Settings, articles_named
from blog_gen.errors import ConfigError, Note


def load_settings(
    site: Path, overrides: Mapping[str, Any] | None = None, config_files: Sequence[str] = CONFIG_FILES
) -> Settings:
    """Read a site's settings; `overrides` are flags, nested like the file, and `None` values are not set.

    Raises:
        ConfigError: a file is not valid YAML, or is missing though it was named; a key is unknown, or its
            value of the wrong type or out of range.
    """
    config_files = config_files_in(site, config_files)
    jekyll: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    settings = Settings(site=site)
    own: list[tuple[Path | None, Any]] = [
        (settings.state_folder / IMPORTED_FILE, imported(settings.state_folder))
    ]
    notes: list[Note] = []
    for name in config_files:
        path = site / name
        layer = _read(path, needed=config_files != CONFIG_FILES)
        jekyll = merged(jekyll, layer)
        origins |= dict.fromkeys(layer, path)
        values, renamed = with_new_names(with_lists(layer.get(CONFIG_KEY) or {}), path)
        own.append((path, values))
        notes += renamed
    own.append((None, without_none(overrides or {})))
    for file, values in own:
        at = "" if file is None or file.name == IMPORTED_FILE else CONFIG_KEY
        settings = Layer(file, at, check).over(settings, values)
    settings = dataclasses.replace(
        settings,
        jekyll=jekyll,
        origins=origins,
        notes=tuple(notes),
        given=frozenset(name for _, values in own for name in names_given(values)),
    )
    _check_collections(settings)
    _check_together(settings, own)
    return settings


def config_files_in(site: Path, named: Sequence[str] = CONFIG_FILES) -> tuple[str, ...]:
    """The settings files of `site`: those that are named, or the one of Jekyll's own names that is there.

    Raises:
        ConfigError: there is only one in TOML, which Jekyll reads and `blog-gen` does not.
    """
    if tuple(named) != CONFIG_FILES or (site / CONFIG_FILES[0]).exists():
        return tuple(named)
    if (site / "_config.yaml").exists():
        return ("_config.yaml",)
    if (toml := site / "_config.toml").exists():
        fix = "Write the same settings as _config.yml, which Jekyll then reads in its place"
        raise ConfigError("the site's settings must be in YAML", got="TOML", fix=fix, path=toml)
    return CONFIG_FILES


def _read(path: Path, needed: bool) -> dict[str, Any]:
    """A settings file; a site may have none at all, but one that is asked for must be there."""
    found = read_yaml(path)
    if found is None and needed:
        fix = "--config takes paths relative to the site's folder, separated by commas"
        raise ConfigError("a settings file must be there", got="no such file", fix=fix, path=path)
    return found or {}


def _check_collections(settings: Settings) -> None:
    """Refuse what Jekyll itself cannot build."""
    given = settings.jekyll.get("collections")
    if given is not None and not isinstance(given, Mapping | list):
        rule = "`collections` must be a mapping, or a list of names"
        raise ConfigError(rule, got=repr(given)[:80], path=settings.file_of("collections"))


def _check_together(settings: Settings, own: Sequence[tuple[Path | None, Any]]) -> None:
    """Refuse settings that are each right, but not together; the last file that has one of them is named."""

    def refused(rule: str, got: object, *names: str) -> ConfigError:
        files = [file for file, values in own if any(values.get(name) for name in names)]
        return ConfigError(rule, got=got, path=files[-1] if files else None)

    site, output = _whole(settings.site), _whole(settings.output_folder)
    folders = [_whole(settings.site / name) for name in articles_named(settings.articles) if "*" not in name]
    if output == site or not output.is_relative_to(site):
        rule = f"`{CONFIG_KEY}.output` must be a folder in the site"
        raise refused(rule, repr(settings.output), "output")
    if any(map(output.is_relative_to, folders)):
        rule = f"`{CONFIG_KEY}.output` must not be the folder of your articles, nor in it"
        raise refused(rule, f"{settings.output!r} and {settings.articles!r}", "output", "articles")
    if settings.training.lora is not None and settings.training.freeze:
        rule = "`training.lora` and `training.freeze` cannot be used together"
        raise refused(rule, "both", "training")


def _whole(path: Path) -> Path:
    return Path(os.path.abspath(path))  # as it is written, links and all

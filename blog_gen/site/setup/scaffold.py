"""`blog-gen init`: what an existing Jekyll site lacks, as a plan that a person sees first.

Knows Jekyll's folders and the files that `init` makes. A plan is made from the files alone and changes none;
`changes` makes it true and takes it back. Whatever the site already says is left as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blog_gen.config import yaml_values
from blog_gen.config.loading import config_files_in, load_settings
from blog_gen.config.settings import CONFIG_FILES, CONFIG_KEY, STATE_FOLDER, Settings
from blog_gen.errors import ConfigError, Note
from blog_gen.site.days import schedule_of
from blog_gen.site.folder import require_source
from blog_gen.site.found import Found, find_posts
from blog_gen.site.scheduling.daily import DailyJob
from blog_gen.site.scheduling.github import repository_of
from blog_gen.site.setup.additions import Addition, config_additions
from blog_gen.site.setup.changes import Change, text_of
from blog_gen.site.setup.own_files import plugin_changes, workflow_changes
from blog_gen.site.setup.yaml_edit import CannotAdd, added


@dataclass(frozen=True)
class SetupPlan:
    """The changes that would make a site ready, and what a person must know or do by hand."""

    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    found: Found  # the posts that there are
    ready: Settings  # those of the site once the changes are made


def plan(
    site: Path,
    config_files: Sequence[str] = ("_config.yml",),
    plugin: bool | None = None,
    workflow: bool | None = None,
    model: str | None = None,
) -> SetupPlan:
    """What `site` lacks.

    `model` is the base that a person chose. For the others `None` is: the plugin, unless GitHub Pages builds
    the site; the workflow, if GitHub has the repository.

    Raises:
        ConfigError: there is no `_config.yml` or `source` and no post, it is not valid, or its time zone
            is none.
    """
    named, config_files = tuple(config_files), config_files_in(site, config_files)
    if named != CONFIG_FILES or not _is_jekylls(site):
        require_config(site, config_files)
    settings = load_settings(site, config_files=config_files)
    schedule_of(settings)
    require_source(settings)
    found = find_posts(settings)
    articles, output = _folders(settings, found)
    additions, notes = config_additions(settings, articles, output, model)
    changes, by_hand = _config_changes(site, config_files, additions)
    ready = load_settings(site, {"articles": articles, "output": output}, config_files)
    if _ignores_are_wanted(site):
        changes += _gitignore(site)
    if plugin if plugin is not None else not _is_built_by_pages(site):
        changes += _plugin(ready, notes)
    if workflow if workflow is not None else _is_on_github(site):
        changes += workflow_changes(DailyJob(ready, config_files=named), notes)
    return SetupPlan(tuple(changes), (*notes, *by_hand), found, ready)


def require_config(site: Path, config_files: Sequence[str]) -> None:
    """Refuse a folder without the settings that make it a Jekyll site.

    Raises:
        ConfigError: a file is missing.
    """
    for name in config_files:
        if (site / name).is_file():
            continue
        others = [path.name for path in sorted(site.glob("_config.*")) if path.name not in config_files]
        fix = (
            f"Rename {others[0]}" if others else "Name the folder of a Jekyll site, or make one: jekyll new ."
        )
        raise ConfigError(
            "a Jekyll site has its settings here", got="no such file", fix=fix, path=site / name
        )


def _is_jekylls(site: Path) -> bool:
    """Whether Jekyll builds a blog of it: its settings may all be the defaults, and their file not there."""
    return any((site / name).is_dir() for name in ("_posts", "_layouts"))


def _folders(settings: Settings, found: Found) -> tuple[str, str]:
    """Where posts are and where drafts go: what the settings say, else what the site's folders say."""
    if CONFIG_KEY in settings.jekyll:
        return settings.articles, settings.output
    output = os.path.relpath(settings.collections_folder / "_generated", settings.site)
    return found.taken, output.replace(os.sep, "/")


def _config_changes(
    site: Path, config_files: Sequence[str], additions: Sequence[Addition]
) -> tuple[list[Change], list[Note]]:
    """The additions, each in the file whose word counts: the last that has the key, else the first."""
    before = {name: text_of(site / name) for name in config_files}
    after = {name: text or "" for name, text in before.items()}
    whys: dict[str, list[str]] = {name: [] for name in config_files}
    notes: list[Note] = []
    for addition in additions:
        top = addition.parent[0] if addition.parent else None
        holding = [name for name in config_files if top in (yaml_values.load(after[name]) or {})]
        name = holding[-1] if holding else config_files[0]
        try:
            after[name] = added(after[name], addition.parent, addition.block)
            whys[name].append(addition.why)
        except CannotAdd as reason:
            where = ".".join(addition.parent) or "the top"
            lines = " | ".join(addition.block.splitlines())
            rule = f"{addition.why}: this belongs at `{where}`: {lines}"
            notes.append(Note(site / name, rule, f"add it by hand, since {reason}"))
    changed = [name for name in config_files if after[name] != (before[name] or "")]
    return [Change(Path(name), before[name], after[name], "; ".join(whys[name])) for name in changed], notes


def _ignores_are_wanted(site: Path) -> bool:
    return (site / ".gitignore").exists() or repository_of(site) is not None


def _gitignore(site: Path) -> list[Change]:
    before = text_of(site / ".gitignore")
    lines = {line.strip().strip("/") for line in (before or "").splitlines()}
    if STATE_FOLDER in lines:
        return []
    newline = "\r\n" if "\r\n" in (before or "") else "\n"
    gap = newline if before and not before.endswith("\n") else ""
    after = f"{before or ''}{gap}{STATE_FOLDER}/{newline}"
    return [Change(Path(".gitignore"), before, after, "trained models stay out of the repository")]


def _plugin(settings: Settings, notes: list[Note]) -> list[Change]:
    """The plugin, where Jekyll looks for plugins: many sites have names of gems under `plugins_dir`."""
    folders = plugin_folders(settings)
    there = [folder for folder in folders if (settings.site / folder).is_dir()]
    there += [folder for folder in folders if folder.name.startswith("_")]  # as no gem is called
    if not there:
        named = ", ".join(f"`{folder}`" for folder in folders)
        rule = f"no folder under `plugins_dir` is there, {named}, so the plugin has no place"
        action = (
            "not written; name `_plugins` there and run init again, or run `blog-gen run` before each build"
        )
        notes.append(Note(settings.file_of("plugins_dir"), rule, action))
        return []
    return plugin_changes(settings, there[0], notes)


def plugin_folders(settings: Settings) -> list[Path]:
    """`plugins_dir`, of which Jekyll takes one or a list, as seen from the site."""
    named = settings.jekyll.get("plugins_dir")
    if not named or named == "_plugins":
        return [Path(str(settings.jekyll.get("source") or "")) / "_plugins"]
    return [Path(str(name)) for name in (named if isinstance(named, list) else [named])]


def _is_built_by_pages(site: Path) -> bool:
    """Whether GitHub Pages' own builder makes the site, which ignores plugins in `_plugins`."""
    return re.search(r"^[^#\n]*['\"]github-pages['\"]", text_of(site / "Gemfile") or "", re.M) is not None


def _is_on_github(site: Path) -> bool:
    return (site / ".github").is_dir() or "github.com" in (text_of(site / ".git" / "config") or "")

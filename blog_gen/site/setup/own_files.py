"""The plugin and the workflow as `init` makes them: new, brought up to date, or left where somebody edited.

Knows what the two are made of; `changes` writes them.
"""

from __future__ import annotations

from pathlib import Path

from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError, Note
from blog_gen.site.scheduling import github
from blog_gen.site.scheduling.daily import DailyJob
from blog_gen.site.setup.changes import Change, text_of
from blog_gen.site.setup.hunks import shown
from blog_gen.site.setup.stamps import lacking, stamped, unedited
from blog_gen.site.templates import render

PLUGIN = "blog_gen.rb"
_EARLIER_PLUGINS = frozenset({"9aae2db5ab80afa5c1a953ea75a8f28b"})  # of version 0.1.0, which wrote no stamp


def plugin_changes(settings: Settings, folder: Path, notes: list[Note]) -> list[Change]:
    """What makes the plugin in `folder` today's."""
    path, today = folder / PLUGIN, stamped(render(PLUGIN, settings.site))
    before = text_of(settings.site / path)
    mine = before is not None and unedited(before, _EARLIER_PLUGINS)
    why = "writes what is due before each `jekyll build`"
    return _changes(settings.site, Change(path, before, today, why), mine, "move it away and run init", notes)


def workflow_changes(job: DailyJob, notes: list[Note]) -> list[Change]:
    """What makes the workflow today's, and what a person must know of the deploy that is there."""
    site = job.settings.site
    path = github.workflow_file(site)
    before = text_of(site / path)
    try:
        today = github.text(job)
    except BlogGenError as error:
        how = "not written; `blog-gen schedule github` says what to give"
        notes.append(Note(site / path, f"{error.rule}, {error.got}", how))
        return []
    found = github.deployed_by(job)
    if found:
        rule = "the site has a deploy of its own, so the daily workflow has none"
        notes.append(Note(site / found.path, rule, found.started_by))
    mine = before is not None and github.is_unedited(job, before)
    change = Change(path, before, today, "writes a post each day on GitHub")
    return _changes(site, change, mine, "compare it with `blog-gen schedule github`", notes)


def _changes(site: Path, change: Change, mine: bool, how: str, notes: list[Note]) -> list[Change]:
    """The change to a file that is not there or is ours as it was; else a note of what is out of date."""
    if change.before is None or change.before == change.after:
        return [change] if change.before is None else []
    if mine:
        why = f"{change.why}; this one is from an earlier version, and was not edited"
        return [Change(change.path, change.before, change.after, why)]
    missing = lacking(change.before, change.after)
    if missing:
        rule = f"this differs from what `init` writes today: it lacks {shown(missing)}"
        notes.append(Note(site / change.path, rule, f"left as it is; {how}"))
    return []

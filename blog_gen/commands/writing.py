"""`run`, `train` and `generate`: the commands that make something."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blog_gen.commands import parts
from blog_gen.commands.hooks import hooks_on, quiet_hooks
from blog_gen.commands.interruption import interruptible
from blog_gen.commands.options import (
    SAMPLING,
    TRAINING,
    Site,
    listed,
    only,
    options,
    sampling_options,
    training_options,
)
from blog_gen.commands.output import say_note
from blog_gen.commands.progress import progress
from blog_gen.commands.reporting import show_scores, summarise
from blog_gen.commands.watching import watched
from blog_gen.commands.workers import about_site, follow, stop_request, taken_from, together, worker_options
from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import UsageError
from blog_gen.site.days import moment_now

if TYPE_CHECKING:
    from blog_gen.drafting.writing import Asked

strict_option = click.option(
    "--strict", is_flag=True, default=None, help="Fail on a post that must be left out."
)
date_option = click.option("--date", metavar="YYYY-MM-DD", help="Write for this day, today or earlier.")


@click.command()
@date_option
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--quiet", is_flag=True, help="Print only what was written, and failures.")
@click.option("--no-train", is_flag=True, help="Never train: write from what was learned before.")
@options(strict_option, training_options, sampling_options)
@click.pass_obj
def run(
    site: Site,
    /,
    date: str | None,
    dry_run: bool,
    quiet: bool,
    no_train: bool,
    strict: bool | None,
    **given: Any,
) -> int:
    """Learn if your posts changed, write the posts that are due, else do nothing.

    This is the command for every day and for before each build. It can be called as often as you like: a
    day that has its post gets no second one.
    """
    from blog_gen import pipeline

    settings = _settings(site, strict, given)
    now = moment_now(settings)
    with progress() as bar, interruptible(unsaved=False, leave=bar.close) as interrupted:
        stop = stop_request(None, interrupted)
        hooks = quiet_hooks(stop) if quiet else hooks_on(bar, settings, stop)
        hooks = replace(hooks, writing=interrupted.at_once, before_writing=interrupted.at_once)
        report = pipeline.run(settings, now, hooks, _day(date), dry_run, not no_train)
    waits = report.retraining.waits if report.retraining else ""
    if dry_run:
        would = "would" if report.retraining and report.retraining.due else "would not"
        because = f" (`retrain: {settings.retrain}`: {waits})" if waits else ""
        click.echo(f"blog-gen {would} train{because}; posts due: {listed(report.due) or 'none'}")
        return 0
    if waits and not quiet:
        say_note(f"`retrain: {settings.retrain}`: {waits}")
    if report.nothing_to_do and not quiet:
        unchanged = "no post" if waits or no_train else "the posts have not changed and none"
        ignored = ", and --no-train does not look for changes" if no_train else ""
        click.echo(f"Nothing to do: {unchanged} is due{ignored}.")
    if report.trained and not quiet:
        _say_what_is_in_no_file(site, settings)
    return summarise(settings, report, quiet)


@click.command()
@options(strict_option, training_options, worker_options)
@click.option("--fresh", is_flag=True, help="Start over, ignoring what was learned before.")
@click.option(
    "--sample-every", type=click.IntRange(1), metavar="N", help="Show a short sample every N steps."
)
@click.option(
    "--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Log losses for TensorBoard."
)
@click.pass_obj
def train(
    site: Site,
    /,
    fresh: bool,
    sample_every: int | None,
    tensorboard: Path | None,
    strict: bool | None,
    **given: Any,
) -> int:
    """Learn from your posts now.

    Resumes where it was interrupted; Ctrl-C saves and stops. Does nothing when neither posts nor settings
    have changed. With --workers, or TF_CONFIG, several machines learn together.
    """
    from blog_gen import pipeline

    workers, settings = taken_from(given), _settings(site, strict, given)
    with together(partial(about_site, settings), **workers) as team:
        if team and not team.is_chief:
            from blog_gen.model.distributed.fine_tuning import follower

            return follow(team, follower)
        with progress() as bar, interruptible(unsaved=bool(team), leave=bar.close) as interrupted:
            hooks = hooks_on(bar, settings, stop_request(team, interrupted))
            if hooks.training is not None and (sample_every or tensorboard):
                hooks = replace(hooks, training=watched(hooks.training, sample_every, tensorboard))
            report = pipeline.train(settings, hooks, fresh)
    if report.trained:
        _say_what_is_in_no_file(site, settings)
    code = summarise(settings, report)
    if fresh and report.interrupted:
        click.echo("Leave out --fresh, which would start over again.", err=True)
    return code


@click.command()
@click.option("-n", "count", type=click.IntRange(1, 1000), default=1, help="How many drafts.")
@click.option("--title", help="Write a post with this title.")
@click.option("--tags", help="With --title: its tags, with commas between.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="The same seed gives the same post; the second draft has the next one.",
)
@click.option("--explain", is_flag=True, help="Show how every candidate was judged.")
@options(date_option, strict_option, sampling_options, parts.part_options)
@click.pass_obj
def generate(
    site: Site,
    /,
    count: int,
    title: str | None,
    tags: str | None,
    seed: int | None,
    explain: bool,
    date: str | None,
    strict: bool | None,
    **given: Any,
) -> int:
    """Write drafts now, whether one is due or not.

    For each, several candidates are sampled and judged, and the best is written: not copied from
    your posts, complete, and not repetitive. Many can be sampled in --processes, or on several machines
    with --part and --output, and judged from these FILES.
    """
    from blog_gen import pipeline
    from blog_gen.drafting.parts import drafts_in

    how, asked = parts.taken_from(given), _asked(title, tags, seed, count)
    settings = _settings(site, strict, given)
    now, day, files = moment_now(settings), _day(date), how.files
    with progress() as bar, ExitStack() as stack:
        hooks = hooks_on(bar, settings)
        if how.part is not None and how.output is not None:
            part = parts.part_of(how.part)
            pipeline.sample_part(settings, now, hooks, part, how.output, count, day, asked)
            return 0
        if how.processes > 1:
            files = tuple(stack.enter_context(parts.sampled_in(how.processes)))
        count = drafts_in(files[0]) if how.judge else count
        report = pipeline.generate(settings, now, hooks, count, day, asked, files)
    if explain:
        for _, result in report.written:
            show_scores(result.cards)
    return summarise(settings, report)


def _asked(title: str | None, tags: str | None, seed: int | None, count: int) -> Asked:
    """What is wanted of `count` drafts.

    Raises:
        UsageError: flags make no sense together; says which.
    """
    from blog_gen.drafting.writing import Asked

    if title is not None and not title.strip():
        raise UsageError("--title must not be blank")
    if tags and not title:
        raise UsageError("--tags needs --title", fix="Tags are for a post with a given title")
    if title and count > 1:
        fix = "A title is used once; for another try, reject the first draft, or use --seed"
        raise UsageError(
            "-n and --title cannot be used together", got=f"{count} drafts of one title", fix=fix
        )
    names = [name.strip() for name in (tags or "").split(",") if name.strip()]
    return Asked(title, tuple(names), seed)


def _settings(site: Site, strict: bool | None, given: Mapping[str, Any]) -> Settings:
    return site.settings(
        model=given.get("model"),
        strict=strict,
        training=only(given, *TRAINING),
        sampling=only(given, *SAMPLING),
    )


def _day(text: str | None) -> datetime.date | None:
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise UsageError("--date must be a day", got=repr(text), fix="Write it as 2026-11-23") from None


def _say_what_is_in_no_file(site: Site, settings: Settings) -> None:
    """Flags hold once: what was learned with them is not what the site's settings ask for."""
    from blog_gen.learning.staleness import depends_on, settings_that_differ

    given = settings_that_differ(depends_on(settings), depends_on(site.settings()))
    if given:
        where = f"under `{CONFIG_KEY}:` in {site.config_files[-1]}"
        again = f"write it {where}, or the next `run` without the flag trains again"
        say_note(f"learned with {given}, which was given by flag: {again}")

"""`init` and `schedule`: making a Jekyll site ready, and running every day."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blog_gen.commands.options import Site
from blog_gen.commands.output import say_note
from blog_gen.config.settings import CONFIG_KEY
from blog_gen.errors import BlogGenError, ModelError, UsageError

if TYPE_CHECKING:
    from blog_gen.config.settings import Settings
    from blog_gen.corpus import Corpus
    from blog_gen.site.scheduling.daily import DailyJob
    from blog_gen.site.setup.changes import Change


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", is_flag=True, help="Undo what init did, except in lines edited since.")
@click.option("--plugin/--no-plugin", default=None, help="The Jekyll plugin that runs before each build.")
@click.option("--workflow/--no-workflow", default=None, help="The GitHub Actions workflow.")
@click.pass_obj
def init(
    site: Site, /, folder: Path | None, yes: bool, undo: bool, plugin: bool | None, workflow: bool | None
) -> None:
    """Make the Jekyll site in FOLDER ready for blog-gen.

    Shows what is missing as a diff and asks before each change. Nothing is overwritten, comments are kept,
    and running it twice changes nothing more.
    """
    from blog_gen.site.setup import changes, scaffold

    at = folder or site.folder
    if undo:
        undone, notes = changes.undo(at)
        for path in undone:
            click.echo(f"took back {path}")
        for note in filter(None, [*notes, changes.remains(at)]):
            say_note(note)
        return
    plan = scaffold.plan(at, site.config_files, plugin, workflow)
    click.echo(plan.found.sentence)
    corpus = _corpus(plan.ready) if plan.changes else None
    new = CONFIG_KEY not in plan.ready.jekyll
    model = _base_chosen(plan.ready, corpus) if corpus and new and not yes and sys.stdin.isatty() else None
    if model:
        plan = scaffold.plan(at, site.config_files, plugin, workflow, model)
    made = changes.apply(at, plan.changes, (lambda change: True) if yes else _ask)
    for note in plan.notes:
        say_note(note)
    for change in made:
        click.echo(f"wrote {change.path}")
    if not plan.changes:
        click.echo("Nothing is missing.")
    elif made and not (plan.found.counts or plan.found.files):
        click.echo("Write a post first. To undo all of this: `blog-gen init --undo`.")
    elif made and (model or not _is_of_another_language(plan.ready, corpus)):
        pull = f"`blog-gen models pull {model}`, then " if model and not _is_here(model) else ""
        click.echo(f"Next: {pull}`blog-gen run`. To undo all of this: `blog-gen init --undo`.")
        if new and corpus and not model and (better := _better(plan.ready, corpus)):
            click.echo(better)


def _corpus(settings: Settings) -> Corpus | None:
    """The posts; None where there is none to learn from, which `run` explains."""
    from blog_gen.corpus import read_corpus

    try:
        return read_corpus(settings)
    except BlogGenError:
        return None


def _is_of_another_language(settings: Settings, corpus: Corpus | None) -> bool:
    """Say so where the posts are in a language that the embedded base does not know."""
    from blog_gen.learning.rehearsal import require_language

    if corpus is None:
        return False
    try:
        require_language(settings, corpus)
    except ModelError as error:
        say_note(error)
        return True
    return False


def _base_chosen(settings: Settings, corpus: Corpus) -> str | None:
    """The base that a person chooses, of those that know the language of the posts; None: the default."""
    from blog_gen.commands.bases import bases_of, lines_of, tokens_in

    bases = bases_of(corpus.language)
    if not bases[1:]:
        return None
    click.echo("A base model learns your voice. What each takes here, with your posts:")
    for line in lines_of(bases, settings, tokens_in(corpus.texts.values())):
        click.echo(line)
    knows = next(base.name for base in bases if base.language == (corpus.language or "en"))
    names = click.Choice([base.name for base in bases])
    chosen: str = click.prompt("Which one?", default=knows, type=names, show_choices=False)
    return None if chosen == knows == settings.model else chosen


def _is_here(model: str) -> bool:
    from blog_gen.model.zoo import zoo

    return zoo.is_model(zoo.cached_folder(model))


def _better(settings: Settings, corpus: Corpus) -> str | None:
    """What the next base costs, for one who was not asked."""
    from blog_gen.commands.bases import tokens_in
    from blog_gen.commands.reporting import better_base

    return better_base(settings, corpus.language or "en", tokens_in(corpus.texts.values()))


def _ask(change: Change) -> bool:
    click.echo(f"\n{change.why}\n{change.diff()}")
    try:
        return click.confirm("Do this?", default=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        fix = "Run it in a terminal, or accept every change with --yes"
        raise UsageError(
            "init asks before each change, and there is no terminal to ask in", fix=fix
        ) from None


@click.command()
@click.argument("scheduler", type=click.Choice(["cron", "systemd", "github"]))
@click.option("--install", is_flag=True, help="Install the daily run.")
@click.option("--remove", is_flag=True, help="Remove the daily run.")
@click.option("--show", is_flag=True, help="Show what is installed for this site.")
@click.option("--pull-request", is_flag=True, help="github: open a pull request for each draft.")
@click.option(
    "--deploy/--no-deploy",
    default=None,
    help="github: build the site and publish it.",
)
@click.option("--package", metavar="WHAT", help="github: what its runner passes to `pip install`.")
@click.pass_obj
def schedule(
    site: Site,
    /,
    scheduler: str,
    install: bool,
    remove: bool,
    show: bool,
    pull_request: bool,
    deploy: bool | None,
    package: str | None,
) -> None:
    """Print, install, show or remove the daily run.

    Without an option, prints exactly what --install would write.
    """
    from blog_gen.site.scheduling.schedules import SCHEDULERS

    if install + remove + show > 1:
        raise UsageError(
            "only one of --install, --remove and --show can be used", fix="Run them one after the other"
        )
    if scheduler != "github" and (pull_request or package or deploy is not None):
        raise UsageError("--pull-request, --deploy and --package are for `schedule github` only")
    given = {"pull_request": pull_request, "deploy": deploy, "package": package}
    job, one = _job(site, scheduler, **given), SCHEDULERS[scheduler]
    if install:
        click.echo(f"Installed in {one.install(job)}: `blog-gen run`, {one.explained(job)}.")
        click.echo(f"To undo this: `blog-gen schedule {scheduler} --remove`.")
    elif remove:
        click.echo("Removed." if one.remove(job) else "There was nothing to remove.")
    elif show:
        click.echo(one.installed(job) or "Nothing is installed for this site.")
    else:
        click.echo(one.text(job), nl=False)


def _job(site: Site, scheduler: str, **given: Any) -> DailyJob:
    """The daily job; `given` is for GitHub."""
    from blog_gen.site.scheduling.daily import DailyJob, own_command
    from blog_gen.site.setup.scaffold import require_config

    require_config(site.folder, site.config_files)
    command = "blog-gen" if scheduler == "github" else own_command()
    return DailyJob(site.settings(), command, config_files=site.config_files, **given)

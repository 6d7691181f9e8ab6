"""`init` and `schedule`: making a Jekyll site ready, and running every day."""

from __future__ import annotations

from pathlib import Path

import click

from blog_gen.commands import Site
from blog_gen.errors import UsageError


@click.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", is_flag=True, help="Take back what init did, except in files edited since.")
@click.option("--plugin/--no-plugin", default=None, help="The Jekyll plugin that runs before each build.")
@click.option("--workflow/--no-workflow", default=None, help="The GitHub Actions workflow.")
@click.pass_obj
def init(
    site: Site, /, folder: Path | None, yes: bool, undo: bool, plugin: bool | None, workflow: bool | None
) -> None:
    """Make the Jekyll site in FOLDER ready for blog-gen.

    Shows what is missing as a diff and asks before each change. Nothing is overwritten, comments stay, and
    doing it twice changes nothing more.
    """
    from blog_gen.site import changes, scaffold

    at = folder or site.folder
    if undo:
        undone, notes = changes.undo(at)
        for path in undone:
            click.echo(f"put back {path}")
        for note in notes:
            click.echo(f"note: {note}", err=True)
        return
    plan = scaffold.plan(at, site.config_files, plugin, workflow)
    made = changes.apply(at, plan.changes, (lambda change: True) if yes else _ask)
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)
    for change in made:
        click.echo(f"wrote {change.path}")
    if not plan.changes:
        click.echo("Nothing is missing.")
    elif made:
        click.echo("Next: `blog-gen run`. To take all this back: `blog-gen init --undo`.")


def _ask(change: object) -> bool:
    from blog_gen.site.changes import Change

    assert isinstance(change, Change)
    click.echo(f"\n{change.why}\n{change.diff()}")
    return click.confirm("Do this?", default=True)


@click.command()
@click.argument("scheduler", type=click.Choice(["cron", "systemd", "github"]))
@click.option("--install", "action", flag_value="install", help="Hand the daily run to the scheduler.")
@click.option("--remove", "action", flag_value="remove", help="Take it from the scheduler.")
@click.option("--show", "action", flag_value="show", help="Show what the scheduler holds for this site.")
@click.option("--pull-request", is_flag=True, help="github: open a pull request for each draft.")
@click.option("--deploy/--no-deploy", default=True, help="github: build the site and publish it.")
@click.pass_obj
def schedule(site: Site, /, scheduler: str, action: str | None, pull_request: bool, deploy: bool) -> None:
    """Print, install, show or remove the daily run.

    Without an option, prints exactly what --install would write.
    """
    from blog_gen.site.daily import Job, own_command
    from blog_gen.site.scaffold import require_config
    from blog_gen.site.schedules import SCHEDULERS

    if scheduler != "github" and (pull_request or not deploy):
        raise UsageError("--pull-request and --no-deploy are for `schedule github` only")
    require_config(site.folder, site.config_files)
    command = "blog-gen" if scheduler == "github" else own_command()
    job = Job(site.settings(), command=command, pull_request=pull_request, deploy=deploy)
    one = SCHEDULERS[scheduler]
    if action == "install":
        click.echo(one.install(job))
    elif action == "remove":
        click.echo("Removed." if one.remove(job) else "There was nothing to remove.")
    elif action == "show":
        click.echo(one.installed(job) or "Nothing is installed for this site.")
    else:
        click.echo(one.text(job), nl=False)

"""What a command that made something says of it: what was learned, written, refused, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blog_gen.config.settings import Settings
from blog_gen.report import Report
from blog_gen.runs import read_meta

if TYPE_CHECKING:
    from blog_gen.judge import Scorecard
    from blog_gen.runs import Meta

MORE = "More posts help, or another base: `blog-gen models list`."
NAMES_WIDTH, SCORE_WIDTH = 33, 9  # of a check's name and limit, and of one candidate's value


def _say_learned(settings: Settings, meta: Meta, before: Meta | None) -> None:
    """What was learned, or that there was nothing to learn beyond the run `before`."""
    from blog_gen.learning.curve import CURVE_FILE, sparkline

    if before is not None and replace(before, fingerprint=meta.fingerprint) == meta:
        same = f"the texts of the {_posts(meta.posts)} and the settings have not changed since"
        click.echo(f"Nothing to learn: {same}. To train anyway: `blog-gen train --fresh`.")
        return
    minutes = f"{meta.seconds:.0f} s" if meta.seconds < 120 else f"{meta.seconds / 60:.1f} min"
    kept = f", with {_posts(len(meta.held_out))} held out," if meta.held_out else ""
    learned = _posts(meta.posts - len(meta.held_out))
    click.echo(f"Learned from {learned}{kept} in {minutes} ({meta.stopped}). {meta.summary}")
    losses, bars = sparkline(meta.history)
    if bars:
        shown = display_path(settings.run_folder / CURVE_FILE, settings)
        click.echo(f"{losses.capitalize()} loss, from the first to the last: {bars} (as a chart: {shown})")


def _say_whose(meta: Meta, drafts: int) -> None:
    """Where learning gained nothing, drafts show what the base can do and not what the blog is like."""
    they_are = "drafts will be" if not drafts else "this draft is" if drafts == 1 else "these drafts are"
    if meta.is_base:
        click.echo(
            f"No weight was changed, so {they_are} the base's (`{meta.base}`) and not yet the blog's. {MORE}"
        )
    elif meta.continued == 0 and meta.gained is False:
        click.echo(
            f"Held-out loss hardly fell, so {they_are} perhaps the base's more than the blog's. {MORE}"
        )


def _posts(count: int) -> str:
    return f"{count} post{'' if count == 1 else 's'}"


def summarise(settings: Settings, report: Report, quiet: bool = False) -> int:
    """Say what was made, where, and what to do next; the exit code.

    Raises:
        BlogGenError: what went wrong after the first draft.
    """
    if report.trained is not None and not quiet:
        _say_learned(settings, report.trained, report.before)
    for path, result in report.written:
        shown = display_path(path, settings)
        words = len(result.draft.body.split())
        chosen = f"best of {len(result.cards) + len(result.unparsed)}"
        click.echo(f"Wrote {shown}: “{result.draft.title}”, {words} words, {chosen}.")
    meta = report.trained or (read_meta(settings.run_folder) if report.written else None)
    if meta is not None and not quiet:
        _say_whose(meta, len(report.written))
    for error in report.rejected:
        click.echo(error.report, err=True)
        click.echo(f"blog-gen: {error}", err=True)
    if report.failure is not None:
        raise report.failure
    if report.interrupted:
        click.echo("Saved. Run the same command again to resume.", err=True)
        return 130
    if report.written and settings.review != "auto" and not quiet:
        click.echo(
            "Next: read it with `blog-gen review serve`, or approve it with `blog-gen review approve NAME`."
        )
        if better := better_base(settings, report.language or "en"):
            click.echo(better)
    return 1 if report.rejected else 0


def better_base(settings: Settings, language: str, tokens: int | None = None) -> str | None:
    """What the next base costs here, for drafts by the embedded one; None where there is nothing to say.

    Args:
        tokens: of the posts, where nothing was learned yet.
    """
    from blog_gen.model.training.machine import remembered
    from blog_gen.model.zoo import costs, zoo
    from blog_gen.model.zoo.bases import offered
    from blog_gen.model.zoo.languages import name_of

    meta = read_meta(settings.run_folder)
    base = offered(language)
    model, tokens = (meta.base, meta.tokens) if meta else (settings.model, tokens)
    if tokens is None or base is None or model not in zoo.EMBEDDED:
        return None
    how = f"`blog-gen models pull {base.name}` ({base.download / 1e6:.0f} MB)"
    if zoo.is_model(zoo.cached_folder(base.name)):
        how = f"`blog_gen: model: {base.name}`"
    cost = costs.cost_of(base.hparams, tokens, remembered(costs.machine_file()), settings.training)
    time = f", then {cost.time} of learning on this machine" if cost.time else ""
    return f"Better {name_of(language)}: {how}{time}." if cost.bytes else None


def display_path(path: Path, settings: Settings) -> Path:
    """As seen from the site, where it lies in it."""
    return path.relative_to(settings.site) if path.is_relative_to(settings.site) else path


def show_scores(cards: Sequence[Scorecard]) -> None:
    """How every candidate was judged: which they are, then as many side by side as there is room for."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    from blog_gen.judge import as_table

    console = Console(highlight=False, markup=False)
    for number, card in enumerate(cards, 1):
        console.print(f"#{number}  seed {card.candidate.seed}  “{card.candidate.title}”")
    room = max(1, (console.width - NAMES_WIDTH) // SCORE_WIDTH)
    for start in range(0, len(cards), room):
        head, *rows = as_table(cards[start : start + room], start + 1)
        table = Table(*head, box=SIMPLE, pad_edge=False)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    if any(card.own for card in cards):
        console.print("* the blog's own limit: its posts need it. A limit set in _config.yml wins.")

"""`review`: the human's part, on the terminal. Each sub-command names drafts by file or slug."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from blog_gen.commands.options import Site
from blog_gen.commands.output import say_json
from blog_gen.config.settings import Settings
from blog_gen.errors import DraftError
from blog_gen.files import write_text
from blog_gen.review.entries import Entry
from blog_gen.review.store import ConflictError, Store, address_of, check, reason_of
from blog_gen.site.composing import UNDATED
from blog_gen.site.slugs import numbered

WIDE = 44  # characters of a title in the table

draft_argument = click.argument("draft")


@click.group()
def review() -> None:
    """Say yes or no to drafts. DRAFT is a file or a slug, as `review list` shows them."""


@review.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a draft.")
@click.pass_obj
def list_(site: Site, /, as_json: bool) -> None:
    """Show all drafts, those waiting for review first."""
    from blog_gen.review import scorecard

    rows = [
        {
            "date": entry.day,
            "state": entry.state,
            "title": scorecard.visible(entry.title) if as_json else _short(scorecard.visible(entry.title)),
            "words": scorecard.words(entry),
            "novelty": scorecard.novel_share(entry) if as_json else scorecard.novelty(entry),
            "flags": scorecard.flag_words(entry),
            "draft": scorecard.visible(entry.name),
        }
        for entry in Store(site.settings()).entries()
    ]
    if as_json:
        for row in rows:
            say_json(row)
    elif not rows:
        click.echo(f"No drafts. {_why_none(site.settings())}")
    else:
        _print_table([tuple(rows[0]), *(tuple(map(str, row.values())) for row in rows)])


def _why_none(settings: Settings) -> str:
    """What to do where there is none: after a refusal the next try may go the same way."""
    from blog_gen.drafting.tries import TRIES_FILE

    if not (settings.state_folder / TRIES_FILE).exists():
        return "`blog-gen generate` writes one."
    explain = "`blog-gen generate --explain` tries again and shows what each check says"
    return f"If the last try was refused: {explain}."


def _short(title: str) -> str:
    return title if len(title) <= WIDE else title[: WIDE - 1] + "…"


def _print_table(table: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@review.command()
@draft_argument
@click.option("--markdown", is_flag=True, help="The scorecard as Markdown, for a pull request.")
@click.pass_obj
def show(site: Site, /, draft: str, markdown: bool) -> None:
    """Show a draft, its scores, and the passages that are also in your posts."""
    from blog_gen.review import scorecard
    from blog_gen.review.evidence import evidence_of

    settings = site.settings()
    entry = Store(settings).find(draft)
    evidence = evidence_of(entry.body, settings)
    if markdown:
        click.echo(scorecard.as_markdown(entry, evidence, settings), nl=False)
        return
    _print_facts(entry)
    for row in scorecard.rows(entry, settings):
        click.echo(f"  {row.name:50} {row.value:>8}" + (f"  {row.limit}" if row.limit else ""))
    for line in [evidence.missing] if evidence.missing else scorecard.passages(entry.body, evidence):
        click.echo(f"copied: {scorecard.visible(str(line))}")
    if evidence.cut:
        click.echo("look:   it is very long, and only its beginning was checked")
    for finding in evidence.findings:
        click.echo(f"look:   line {finding.line}: {finding.kind}: {scorecard.visible(finding.detail)}")
    click.echo()
    _print_body(scorecard.visible(entry.body))


def _print_facts(entry: Entry) -> None:
    from blog_gen.review import scorecard

    click.echo(f"{scorecard.visible(entry.title)}\n{entry.name}")
    click.echo(f"{entry.state}, {entry.day}, {scorecard.words(entry)} words")
    for word, value in (("fault", entry.fault), ("rejected", reason_of(entry))):
        if value:
            click.echo(f"{word}: {scorecard.visible(value)}")


def _print_body(body: str) -> None:
    """Rendered on a terminal, as it is elsewhere."""
    if not sys.stdout.isatty():
        click.echo(body)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(body))


@review.command()
@draft_argument
@click.pass_obj
def approve(site: Site, /, draft: str) -> None:
    """Approve a draft, so that the site shows it. It moves to `blog_gen.publish`, if that is set."""
    store = Store(site.settings())
    entry = store.approve(store.find(draft))
    address = address_of(entry, store.settings)
    where = f" at {address}" if address else ""
    shown = f"The next build shows it{where}; `blog-gen review unpublish {entry.name}` hides it"
    if entry.path.parent.name == UNDATED:
        shown = (
            f"`jekyll build --drafts` shows it; jekyll-compose's `jekyll publish {entry.path}` publishes it"
        )
    click.echo(f"Approved: {entry.path}. {shown}.")


@review.command()
@draft_argument
@click.option("--reason", "-r", default="", help="The reason; kept with the draft.")
@click.pass_obj
def reject(site: Site, /, draft: str, reason: str) -> None:
    """Move a draft out of the site. It counts as written for its day."""
    store = Store(site.settings())
    entry = store.reject(store.find(draft), reason)
    click.echo(f"Rejected: {entry.path}. `blog-gen review undo {entry.name}` undoes that.")


@review.command()
@draft_argument
@click.pass_obj
def undo(site: Site, /, draft: str) -> None:
    """Undo a rejection."""
    store = Store(site.settings())
    click.echo(f"Waiting again: {store.undo(store.find(draft)).path}")


@review.command()
@draft_argument
@click.pass_obj
def unpublish(site: Site, /, draft: str) -> None:
    """Hide an approved draft again."""
    store = Store(site.settings())
    click.echo(f"Waiting again: {store.unpublish(store.find(draft)).path}")


@review.command()
@draft_argument
@click.pass_obj
def edit(site: Site, /, draft: str) -> None:
    """Edit a draft in $EDITOR; it is checked before it is saved."""
    store = Store(site.settings())
    entry = store.find(draft)
    if entry.fault:
        click.echo(f"to fix: {entry.fault}", err=True)
    text = _edited(entry)
    if text is None:
        click.echo("Nothing changed.")
        return
    try:
        click.echo(f"Saved: {store.save(entry, text).path}")
    except DraftError as error:
        kept = _kept(text, store.settings.state_folder, entry.name)
        if isinstance(error, ConflictError):
            raise DraftError(error.rule, fix=f"Your text is in {kept}", path=entry.path) from error
        raise DraftError(str(error), fix=f"Nothing was lost: your text is in {kept}") from error


def _kept(text: str, folder: Path, name: str) -> Path:
    """Where `text`, which could not be saved, is from now on: in no file that holds another."""
    draft = Path(name)
    places = (folder / f"{slug}{draft.suffix}" for slug in numbered(f"unsaved-{draft.stem}"))
    path = next(path for path in places if not path.exists())
    write_text(path, text)
    return path


def _edited(entry: Entry) -> str | None:
    """What the editor gives back; it opens again while that is no sound draft and the person wants it to."""
    text = entry.text
    while True:
        back = click.edit(text, extension=".md")
        if back is None:
            return text if text != entry.text else None
        text = back
        try:
            check(text, entry.path)
            return text
        except DraftError as error:
            click.echo(str(error), err=True)
            if not _wants_to_go_on():
                return text


def _wants_to_go_on() -> bool:
    try:
        return click.confirm("Edit again?", default=True, err=True)
    except click.Abort:  # no terminal, or Ctrl-C: what was written is still to be kept
        return False


@review.command()
@draft_argument
@click.pass_obj
def diff(site: Site, /, draft: str) -> None:
    """Show what was changed since the draft was generated."""
    from blog_gen.review.differences import difference
    from blog_gen.review.scorecard import visible

    settings = site.settings()
    found = difference(Store(settings).find(draft), settings)
    click.echo(f"Against {found.against}:", err=True)
    for line in found.lines:
        click.echo(visible(line))
    if not found.lines:
        click.echo("Nothing was changed.", err=True)


@review.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=4001, show_default=True, help="On this machine only."
)
@click.option("--open", "show_it", is_flag=True, help="Open it in your browser.")
@click.pass_obj
def serve(site: Site, /, port: int, show_it: bool) -> None:
    """Serve a page for reviewing drafts, on this machine only."""
    from blog_gen.review.server import serve as serve_page

    serve_page(site.settings(), port, show_it)

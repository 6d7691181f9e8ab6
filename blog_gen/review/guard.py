"""Who may speak to the review page: a browser on this machine, on a page that this process made.

Other sites are kept out by the Host header (DNS rebinding), the Origin header and a token in every form
(cross-site posts); drafts, by a policy under which nothing that they bring can run or call out.
"""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, Response, abort, request

# Our own pages: files of ours, no inline code or style, and frames for the preview.
OWN_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What shows a draft: another origin than ours to the browser, without scripts, forms or calls out.
SHOWN_POLICY = (
    "sandbox; default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "Content-Security-Policy": OWN_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # `no-referrer` would take the Origin from our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def protect(app: Flask, port: int) -> None:
    """Check each request to `app`, and put the headers on each answer."""
    token = secrets.token_urlsafe(32)
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
    hosts |= {"127.0.0.1", "localhost"} if port == 80 else set()

    @app.before_request
    def check() -> None:
        if "Host" not in request.headers:
            abort(400, "A request must have a Host header.")
        if request.host not in hosts:
            abort(403, f"This page is at http://127.0.0.1:{port} only.")
        if request.method in ("GET", "HEAD"):
            return
        if request.headers.get("Origin") not in {f"http://{host}" for host in hosts}:
            abort(403, "Another site sent this form.")
        if not hmac.compare_digest(request.form.get("token", "").encode(), token.encode()):
            abort(
                403,
                "The server was restarted. Go back, copy your text, and reload the page.",
            )

    @app.after_request
    def guarded(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.jinja_env.globals["token"] = token

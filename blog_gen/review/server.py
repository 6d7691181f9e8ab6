"""Serving the review page on the loopback address, and on no other."""

from __future__ import annotations

import socket
import webbrowser

import click
from werkzeug.serving import WSGIRequestHandler, make_server

from blog_gen.config.settings import Settings
from blog_gen.errors import UsageError
from blog_gen.review.app import create_app

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    """Says nothing of what goes well."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def serve(settings: Settings, port: int, show_it: bool = False) -> None:
    """Serve until Ctrl-C.

    Raises:
        UsageError: the port is taken or may not be used.
    """
    with socket.socket() as taken:
        _take(taken, port)
        port = taken.getsockname()[1]
        app = create_app(settings, port)
        server = make_server(HOST, port, app, threaded=True, request_handler=_Quiet, fd=taken.fileno())
        address = f"http://{HOST}:{port}/"
        click.echo(f"Review at {address} (Ctrl-C ends it)")
        if show_it:
            webbrowser.open(address)
        server.serve_forever()


def _take(taken: socket.socket, port: int) -> None:
    """Listen on `port`: here, since Werkzeug would end the process where it cannot."""
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
        taken.listen()
    except OSError as error:
        fix = f"Try --port {port + 1}"
        raise UsageError(f"port {port} must be free", got=error.strerror, fix=fix) from error

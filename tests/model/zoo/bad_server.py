"""An HTTP server on the loopback address that misbehaves as told, one request after the other."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = b"<!DOCTYPE html>\n<html><body>Please log in to the network.</body></html>"
Behaviour = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    server: BadServer

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Range")))
        behave = self.server.script.pop(0) if self.server.script else good
        name = self.path.removeprefix(self.server.prefix)
        if name not in self.server.files:
            self.send_error(404)
            return
        behave(self, self.server.files[name])

    def begin(
        self, status: int, length: int | None, kind: str = "application/octet-stream", **more: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        pass


class BadServer(ThreadingHTTPServer):
    """`files` by path below `prefix`; `script` holds what to do with the next requests, `good` after it."""

    daemon_threads = True

    def __init__(self, prefix: str = "/") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.prefix = prefix
        self.files: dict[str, bytes] = {}
        self.script: list[Behaviour] = []
        self.requests: list[tuple[str, str | None]] = []
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *args: Any) -> None:
        pass  # clients that hang up are what is tested

    def stop(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


def _asked(handler: Handler, body: bytes) -> int:
    wanted = handler.headers.get("Range")
    return int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0


def _begin_body(handler: Handler, body: bytes, extra: int = 0) -> bytes:
    """Headers that announce the rest of `body`, and that rest."""
    start = _asked(handler, body)
    if not start:
        handler.begin(200, len(body) + extra)
    elif start >= len(body):
        handler.begin(416, 0)
    else:
        handler.begin(
            206, len(body) - start + extra, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}"
        )
    return body[start:]


def good(handler: Handler, body: bytes) -> None:
    handler.send(_begin_body(handler, body))


def breaks_off(handler: Handler, body: bytes) -> None:
    rest = _begin_body(handler, body)
    handler.send(rest[: len(rest) // 2])


def dies(handler: Handler, body: bytes) -> None:
    """The connection is reset, as when a server is killed."""
    breaks_off(handler, body)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def stalls(handler: Handler, body: bytes) -> None:
    breaks_off(handler, body)
    handler.server.closing.wait(20)


def never_answers(handler: Handler, body: bytes) -> None:
    handler.server.closing.wait(20)


def web_page(handler: Handler, body: bytes) -> None:
    handler.begin(200, len(PAGE), "text/html; charset=utf-8")
    handler.send(PAGE)


def web_page_in_disguise(handler: Handler, body: bytes) -> None:
    handler.begin(200, len(PAGE))
    handler.send(PAGE)


def ignores_range(handler: Handler, body: bytes) -> None:
    handler.begin(200, len(body))
    handler.send(body)


def sends_another_range(handler: Handler, body: bytes) -> None:
    rest = len(body) - _asked(handler, body)
    handler.begin(206, rest, Content_Range=f"bytes 0-{rest - 1}/{len(body)}")
    handler.send(body[:rest])


def announces_too_much(handler: Handler, body: bytes) -> None:
    handler.send(_begin_body(handler, body, extra=100))


def announces_too_little(handler: Handler, body: bytes) -> None:
    handler.begin(200, len(body) // 2)
    handler.send(body)


def announces_nonsense(handler: Handler, body: bytes) -> None:
    handler.begin(200, None, Content_Length="many")
    handler.send(body)


def sends_other_bytes(handler: Handler, body: bytes) -> None:
    handler.begin(200, len(body))
    handler.send(bytes(255 - byte for byte in body))


def never_ends(handler: Handler, body: bytes) -> None:
    handler.begin(200, None)
    while not handler.server.closing.is_set():
        handler.send(bytes(65536))


def fails(status: int) -> Behaviour:
    def behave(handler: Handler, body: bytes) -> None:
        handler.begin(status, 0)

    return behave

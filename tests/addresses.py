"""Addresses of this machine alone, for workers of one test."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing


def free_addresses(count: int) -> tuple[str, ...]:
    """So many `host:port` at which nobody listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)

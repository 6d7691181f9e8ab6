"""Where a worker can be reached: not at another machine's address, and at public ones only when asked."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
from contextlib import closing

import pytest
from addresses import free_addresses

from blog_gen.errors import ModelError
from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.distributed.listening import addresses, prepare

# In a machine of its own with a public and a private address of each family. What listens is like TensorFlow.
HOST = "ip link set lo up; for each in 8.8.8.8/32 10.0.0.1/32; do ip address add $each dev lo; done;"
HOST += "for each in 2001:4860::1/128 fd00::1/128; do ip address add $each dev lo nodad; done;"
WORKER = """
import os, socket, sys
from blog_gen.errors import ModelError
from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.distributed.listening import SHARED, prepare

def reached(address):
    try:
        socket.create_connection((address, 2222), timeout=1).close()
        return True
    except TimeoutError:
        return False

own, public = sys.argv[1], sys.argv[2] == "public"
try:
    closed = prepare(Cluster((f"{own}:2222", "10.0.0.2:2222"), 0), public, named=True)
except ModelError as error:
    sys.exit(str(error))
listens = socket.socket(socket.AF_INET6)
listens.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, SHARED in os.environ)
listens.bind(("::", 2222))
listens.listen()
everywhere = "8.8.8.8", "10.0.0.1", "127.0.0.1", "2001:4860::1", "fd00::1"
assert set(closed) == {address for address in everywhere if not reached(address)}, closed
print(*closed)
"""


def _worker(own: str, *asked: str) -> subprocess.CompletedProcess[str]:
    words = ["sh", "-c", f'{HOST} exec "$@"', "sh", sys.executable, "-c", WORKER, own, *(asked or ("",))]
    return subprocess.run(["unshare", "-n", *words], capture_output=True, text=True, check=False)


@pytest.mark.two_hosts
def test_public_addresses_are_closed_unless_they_are_meant() -> None:
    private = _worker("10.0.0.1")
    assert private.stdout.split() == ["2001:4860::1", "8.8.8.8"], private.stderr
    assert _worker("10.0.0.1", "public").stdout == "\n"
    assert _worker("8.8.8.8", "public").stdout == "\n"
    refused = _worker("8.8.8.8")
    assert "must not listen on a public address unasked; got 8.8.8.8" in refused.stderr


def test_all_addresses_are_known() -> None:
    found = addresses()
    assert "127.0.0.1" in found and all(map(ipaddress.ip_address, found))


def test_where_a_worker_cannot_listen_is_said_at_once() -> None:
    ours = free_addresses(2)
    prepare(Cluster(ours, 0), public=True, named=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ModelError, match=f"{port} cannot be taken"):
            prepare(Cluster((f"127.0.0.1:{port}", ours[1]), 0), public=True, named=True)
    elsewhere = Cluster(("192.0.2.7:2222", ours[0]), 0)
    with pytest.raises(ModelError, match=r"192\.0\.2\.7 is not an address of this machine"):
        prepare(elsewhere, public=True, named=True)
    prepare(elsewhere, public=True, named=False)  # a scheduler's address may lead here another way

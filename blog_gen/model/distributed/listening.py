"""Where a worker can be reached: TensorFlow listens on all addresses, and trusts whoever connects.

So a worker's public addresses are taken first, by sockets that answer nobody: of two that listen at a port,
Linux gives a connection to the one that names its address.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import re
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from blog_gen.errors import ModelError
from blog_gen.model.distributed.cluster import Cluster

SHARED = "TF_GRPC_REUSE_PORT"  # TensorFlow's variable for a port at which others listen, too
_NOWHERE = "192.0.2.1", "2001:db8::1"  # of RFC 5737 and 3849: nothing is sent there, but it takes the way out
_IPV4, _IPV6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux, which Python has no name for
_DROP_ALL = struct.pack("HBBI", 6, 0, 0, 0)  # one instruction of a BPF filter: return 0 bytes of each packet


def prepare(cluster: Cluster, public: bool, named: bool) -> list[str]:
    """Refuse to listen where that cannot work; the public addresses at which it will not.

    Args:
        public: public addresses are meant.
        named: a person gave the address: it must be one of this machine's. One from a scheduler may lead here
            another way.

    Raises:
        ModelError: the port is in use; the address is another machine's, or public and not meant.
    """
    host = cluster.own.rpartition(":")[0].strip("[]")
    if named:
        _require_own(host, cluster.rank)
    _require_free(cluster.port)
    if public:
        return []
    own = sorted(filter(_is_public, addresses()))
    for address in {host, *_resolved(host)} & set(own):
        raise _unasked(address)
    for address in own:
        _occupy(address, cluster.port)
    return own


def _require_own(host: str, rank: int) -> None:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as trial:
            trial.bind(place)
    except OSError:
        got = f"{rank}, and {host} is not an address of this machine"
        raise ModelError("--rank must be this machine's place in --workers", got=got) from None


def _require_free(port: int) -> None:
    with closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", port))
        except OSError as error:
            rule = f"a worker needs a port of its own, and {port} cannot be taken"
            raise ModelError(rule, got=error.strerror) from None


def _resolved(host: str) -> set[str]:
    with suppress(OSError):
        return {str(found[4][0]) for found in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)}
    return set()


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


def addresses() -> set[str]:
    """All of this machine's; where the system does not list them, those from which packets leave it."""
    found = set(_ways_out())
    with suppress(OSError):
        found.update(re.findall(r"\|-- (\S+)\s+/32 host LOCAL", _IPV4.read_text()))
    with suppress(OSError):
        numbers = [line.split()[0] for line in _IPV6.read_text().splitlines()]
        found.update(str(ipaddress.ip_address(bytes.fromhex(each))) for each in numbers)
    return found


def _ways_out() -> Iterator[str]:
    for family, address in zip((socket.AF_INET, socket.AF_INET6), _NOWHERE, strict=True):
        with suppress(OSError), closing(socket.socket(family, socket.SOCK_DGRAM)) as trial:
            trial.connect((address, 9))
            yield str(trial.getsockname()[0])


def _occupy(address: str, port: int) -> None:
    """Answer nobody there as long as this process lives, which is as long as TensorFlow listens.

    Raises:
        ModelError: this system cannot do that.
    """
    if sys.platform != "linux":
        raise _unasked(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    silent = socket.socket(family, socket.SOCK_STREAM)
    code = ctypes.create_string_buffer(_DROP_ALL)
    try:
        silent.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(code)))
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        silent.bind((address, port))
        silent.listen(1)
    except OSError:
        raise _unasked(address) from None
    silent.detach()
    os.environ[SHARED] = "true"


def _unasked(address: str) -> ModelError:
    return ModelError(
        "workers trust whoever connects, and must not listen on a public address unasked",
        got=address,
        fix="Connect the machines by a private network or a VPN, or pass --public",
    )

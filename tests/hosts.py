"""Two hosts in this machine, each a network namespace with an address of its own, and a cable between them.

They live as long as the processes that hold them; nothing has a name that another test could take.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

CABLE = "cable0"  # the device at either end
CUT = "ip", "link", "set", CABLE, "down"
_NEWNET = 0x40000000  # CLONE_NEWNET of Linux


@dataclass(frozen=True)
class Host:
    """`holder` is the process in whose network namespace it lies."""

    address: str
    holder: int

    def enter(self) -> None:
        """Put the calling thread there, and with it all that it starts."""
        namespace = os.open(f"/proc/{self.holder}/ns/net", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(namespace, _NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(namespace)

    def run(self, *command: str) -> None:
        """A command to its end, there."""
        subprocess.run(command, check=True, preexec_fn=self.enter)

    def plug_in(self) -> None:
        self.run("ip", "link", "set", CABLE, "up")


@contextmanager
def two_hosts() -> Iterator[list[Host]]:
    """Joined by a cable that is plugged in at both ends."""
    with ExitStack() as stack:
        hosts = [Host(f"10.77.0.{number}", stack.enter_context(_holder())) for number in (1, 2)]
        one, other = hosts
        peer = "peer", "name", CABLE, "netns", str(other.holder)
        one.run("ip", "link", "add", CABLE, "type", "veth", *peer)
        for host in hosts:
            host.run("ip", "address", "add", f"{host.address}/24", "dev", CABLE)
            host.run("ip", "link", "set", "lo", "up")
            host.plug_in()
        yield hosts


@contextmanager
def _holder() -> Iterator[int]:
    """A process with a network namespace of its own, which waits until it is left."""
    pipe: Any = subprocess.PIPE
    with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; cat"], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()  # from here on it has one
        yield process.pid
        process.kill()

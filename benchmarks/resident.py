"""What a process takes of the machine's memory."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_memory() -> int:
    """Bytes resident at most in this process so far."""
    try:
        status = Path("/proc/self/status").read_text()  # Linux hands ru_maxrss down from the parent process
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except OSError:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

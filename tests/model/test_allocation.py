"""What is freed goes back to the system, so that one phase's peak is not added to the next one's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_CODE = """
import sys
from blog_gen.model.allocation import LARGE, give_memory_back, trim
if sys.argv[1] == "arranged":
    give_memory_back(LARGE)
import numpy as np
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

np.ones(3 << 20)  # of 24 MiB: from now on, the C library would keep smaller ones
before = resident()
rows = [(np.ones(1 << 17), bytes(1 << 10)) for _ in range(64)]  # 1 MiB each, and what lies between them
kept = [small for _, small in rows]
del rows
print(resident() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux counts what is resident there")
def test_large_arrays_go_back_when_they_are_freed() -> None:
    found = {}
    for way in ("arranged", "usual"):
        done = subprocess.run([sys.executable, "-c", _CODE, way], capture_output=True, text=True, check=True)
        found[way] = int(done.stdout)
    assert found["arranged"] < 2 << 20 < 32 << 20 < found["usual"]

"""What this machine can do, asked before anything is trained: memory, bfloat16, speed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog_gen.errors import BlogGenError
from blog_gen.files import read_json, write_json

_CPU_INFO, _MEM_INFO = (Path("/proc") / name for name in ("cpuinfo", "meminfo"))
# Version 2 of control groups and version 1: how a container is told its share.
_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_GROUP_USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
# Of oneDNN's instruction sets. Source: oneDNN's developer guide, "CPU Dispatcher Control".
_WITHOUT_BFLOAT16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI")


@dataclass(frozen=True)
class Machine:
    """As far as training depends on it."""

    memory: int | None  # bytes that may still be taken; None: unknown
    has_bfloat16: bool  # in hardware; where it is emulated, float32 is several times as fast
    flops: float | None = None  # of a matrix product in the faster precision, a second
    replicas: int = 1  # devices that compute a step together
    bandwidth: float | None = None  # bytes a second that element-wise operations read and write


def this_machine() -> Machine:
    fast = has_bfloat16()
    rate = product_rate("bfloat16" if fast else "float32")
    return Machine(free_memory(), fast, rate, bandwidth=bandwidth())


def remember(machine: Machine, path: Path) -> None:
    """Keep how fast the machine is, so that it need not be measured, with TensorFlow, to give an estimate."""
    with suppress(BlogGenError):
        rates = {"flops": machine.flops, "bandwidth": machine.bandwidth}
        write_json(path, {"has_bfloat16": machine.has_bfloat16, **rates})


def remembered(path: Path) -> Machine:
    """This machine with the memory that is free now, as fast as it was when something was learned on it."""
    try:
        known = read_json(path)
        moved = known.get("bandwidth")  # which version 0.1 did not measure
        fast, rate = bool(known["has_bfloat16"]), float(known["flops"])
        return Machine(free_memory(), fast, rate, bandwidth=moved and float(moved))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Machine(free_memory(), has_bfloat16=False)


def has_bfloat16() -> bool:
    """Whether products of bfloat16 matrices are computed as such: AVX-512 BF16 or AMX, or a GPU in sight.

    A fact and not a timing, since the precision is part of what a resumed run must find unchanged.
    """
    # oneDNN computes them, and can be told to leave out what a processor has.
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in _WITHOUT_BFLOAT16:
        return False
    try:
        flags = _CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        flags = ""
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        return True
    import keras  # which imports its backend

    name = keras.backend.backend()
    if name == "jax":
        return bool(sys.modules[name].default_backend() == "gpu")
    return name == "tensorflow" and bool(sys.modules[name].config.list_physical_devices("GPU"))


def free_memory() -> int | None:
    """Bytes that may be taken without swapping, by the machine's count and by the container's limit."""
    found = []
    try:
        lines = dict(line.split(":", 1) for line in _MEM_INFO.read_text(encoding="ascii").splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:  # macOS
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4)
    for limit, used in zip(_GROUP_LIMITS, _GROUP_USED, strict=True):
        try:
            found.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such version, or `max`: no limit
            continue
    return min(found, default=None)


def product_rate(dtype: str, seconds: float = 0.15) -> float:
    """Operations a second of one (1024, 768) by (768, 3072) product, over and over for `seconds`."""
    from keras import ops

    one, other = ops.ones((1024, 768), dtype), ops.ones((768, 3072), dtype)
    return 2.0 * 1024 * 768 * 3072 / _seconds_per_call(lambda: ops.matmul(one, other), seconds)


def bandwidth(seconds: float = 0.15) -> float:
    """Bytes a second that are read and written where every number of a large array (64 MiB) is changed."""
    from keras import ops

    large = ops.ones((1 << 14, 1 << 10), "float32")
    return 2.0 * (64 << 20) / _seconds_per_call(lambda: ops.multiply(large, 1.5), seconds)


def _seconds_per_call(compute: Callable[[], Any], seconds: float) -> float:
    """Seconds that `compute` takes, over and over for so long."""
    from keras import ops

    ops.convert_to_numpy(compute()[:1, :1])  # the first is always slow
    start, times = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        ops.convert_to_numpy(compute()[:1, :1])
        times += 1
    return (time.perf_counter() - start) / times

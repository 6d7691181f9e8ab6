"""How this process takes memory and gives it back: arranged before TensorFlow is imported.

TensorFlow's own allocator on a CPU keeps whatever it ever held, in pieces that fit what asked for them first:
one phase's peak is no use to the next. With the C library's, large arrays go back when they are freed.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

# <malloc.h> of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
# Bytes from which on the pages of an array are mapped anew each time (docs/experiments.md, 33 and 38).
ROOMY = 32 << 20  # a small model's arrays stay in the heap: time is what counts
LARGE = 512 << 10  # a large model's do not while its functions are compiled, which leaves holes,
STEADY = 4 << 20  # and those of up to 4 MiB do in the steps after, which fill the same places again and again
SMALL = 50_000_000  # parameters


def give_memory_back(large: int = ROOMY) -> None:
    """Let the C library hold all arrays, in one heap, and return `large` ones when freed; elsewhere, nothing.

    May be called again with another size; the first time, before TensorFlow is imported.
    """
    with suppress(OSError, AttributeError, TypeError):
        arrange = ctypes.CDLL(None).mallopt
        for setting, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, large), (_TRIM_THRESHOLD, 4 * large)):
            arrange(setting, value)
        os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")


def before_compiling(parameters: int) -> None:
    """Arrange memory for a model of that size whose functions are to be compiled."""
    if parameters > SMALL:
        give_memory_back(LARGE)


def after_compiling(parameters: int) -> None:
    """From here on each step takes the memory that the last gave back."""
    trim()
    if parameters > SMALL:
        give_memory_back(STEADY)


def trim() -> None:
    """Return what the heap holds and nobody uses: after a compilation, that is much."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)

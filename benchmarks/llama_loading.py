"""How the benchmarks load a model with llama.cpp."""

from __future__ import annotations

from typing import Any


def loading() -> Any:
    """Its settings, without what it rearranges for AMX, which ends in a segmentation fault.

    Of q8_0 there is nothing else that it would rearrange on x86.
    """
    from llama_cpp import llama_cpp

    settings = llama_cpp.llama_model_default_params()
    settings.use_extra_bufts = False
    return settings

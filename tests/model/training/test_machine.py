"""What a machine says of itself."""

from __future__ import annotations

import pytest

from blog_gen.model.training.machine import has_bfloat16


def test_bfloat16_is_not_used_where_products_are_told_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    free = has_bfloat16()
    found = {}
    for allowed in ("AVX2", "avx512_core_vnni", "AVX512_CORE_BF16", "ALL"):
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
        found[allowed] = has_bfloat16()
    assert found == {"AVX2": False, "avx512_core_vnni": False, "AVX512_CORE_BF16": free, "ALL": free}

"""What the next base would cost is said after drafts by the embedded one, and listed for all."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_models import write_model, write_run

from blog_gen.commands.reporting import better_base
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.model.training.machine import Machine, remember
from blog_gen.model.zoo.costs import machine_file


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site that learned with `mini`, on a machine of which nothing is known yet."""
    monkeypatch.setenv("BLOG_GEN_CACHE", str(tmp_path / "cache"))
    write_run(tmp_path / ".blog_gen" / "runs" / "default", tokens=40_000)
    return load_settings(tmp_path)


def test_after_a_draft_by_mini_the_next_base_is_named_with_its_cost(
    settings: Settings, tmp_path: Path
) -> None:
    assert better_base(settings, "en") == "Better English: `blog-gen models pull smollm2` (93 MB)."
    remember(Machine(None, has_bfloat16=True, flops=4e11), machine_file())
    said = better_base(settings, "de") or ""
    assert said.startswith("Better German: `blog-gen models pull benjamin/gerpt2` (499 MB), then about ")
    assert said.endswith(" minutes of learning on this machine.")
    write_model(tmp_path / "cache" / "models" / "smollm2")
    assert (better_base(settings, "en") or "").startswith(
        "Better English: `blog_gen: model: smollm2`, then about "
    )


def test_nothing_is_said_where_no_better_base_is_known(settings: Settings) -> None:
    assert better_base(settings, "zh") is None
    write_run(settings.run_folder, base="124M")
    assert better_base(settings, "en") is None

"""Settings and flags of version 0.1 are still read, with a note that names the new one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from blog_gen.cli import RENAMED_FLAGS, cli
from blog_gen.config.loading import load_settings
from blog_gen.config.renamed import RENAMED
from blog_gen.config.settings import TrainingSettings


@pytest.mark.parametrize(("group", "old"), RENAMED)
def test_an_old_setting_is_read_as_the_new_one(tmp_path: Path, group: str, old: str) -> None:
    new = RENAMED[group, old]
    value = "1" if old == "accumulate" else "true"
    (tmp_path / "_config.yml").write_text(f"blog_gen: {{{group}: {{{old}: {value}}}}}\n")
    settings = load_settings(tmp_path)
    assert getattr(getattr(settings, group), new) == 1
    (note,) = settings.notes
    assert f"`{group}.{old}` is now called `{group}.{new}`" in str(note)


def test_where_both_names_stand_the_new_one_holds(tmp_path: Path) -> None:
    text = "blog_gen: {training: {gradient_accumulation: 3, accumulate: 2}}\n"
    (tmp_path / "_config.yml").write_text(text)
    assert load_settings(tmp_path).training == TrainingSettings(gradient_accumulation=3)


@pytest.mark.parametrize("flag", RENAMED_FLAGS)
def test_an_old_flag_is_known_and_not_listed(flag: str) -> None:
    words = [f"--{flag}", "2"] if flag == "accumulate" else [f"--{flag}"]
    command = "sample" if "words" in flag else "train"
    done = CliRunner().invoke(cli, [command, *words, "--help"])
    assert done.exit_code == 0
    assert f"--{flag} is now called --{RENAMED_FLAGS[flag]}" in done.output
    listed = CliRunner().invoke(cli, [command, "--help"]).output
    assert f"--{flag} " not in listed and f"--{RENAMED_FLAGS[flag]}" in listed

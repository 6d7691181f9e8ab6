"""Settings: each may have what its range says and nothing else; what is wrong is named with its file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from blog_gen.config.layers import names_in
from blog_gen.config.loading import load_settings
from blog_gen.config.ranges import RANGES, Range
from blog_gen.config.settings import Settings
from blog_gen.errors import ConfigError
from blog_gen.site.days import schedule_of


def _value(settings: object, name: str) -> Any:
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings


def _with(name: str, value: Any) -> dict[str, Any]:
    """`value` under its name, nested as in a file."""
    for part in reversed(name.split(".")):
        value = {part: value}
    return dict(value)


def _write(path: Path, own: object) -> None:
    path.write_text(yaml.safe_dump({"blog_gen": own}))


NAMES = list(names_in(Settings()))
NUMBERS = [
    name
    for name in NAMES
    if type(_value(Settings(), name)) in (int, float) or (name in RANGES and _value(Settings(), name) is None)
]


def test_every_number_has_a_range_that_holds_its_default() -> None:
    assert set(NUMBERS) == set(RANGES)
    for name, allowed in RANGES.items():
        value = _value(Settings(), name)
        assert value is None or value in allowed


@pytest.mark.parametrize("name", RANGES)
def test_beyond_its_range_a_setting_is_refused_from_a_file_and_from_a_flag(name: str, tmp_path: Path) -> None:
    allowed = RANGES[name]
    outside = [float("inf"), float("nan")]
    outside += [allowed.least - (0 if allowed.above else 1)] if allowed.least > -1e9 else []
    outside += [allowed.most + (0 if allowed.below else 1)] if allowed.most < 1e9 else []
    for value in outside:
        if isinstance(_value(Settings(), name), int):
            if value in (float("inf"),) or value != value:
                continue
            value = int(value)
        _write(tmp_path / "_config.yml", _with(name, value))
        for given in ({}, _with(name, value)):
            if given:
                (tmp_path / "_config.yml").unlink()
            with pytest.raises(ConfigError) as error:
                load_settings(tmp_path, given)
            assert f"{name}` must be" in str(error.value)
            assert (error.value.path is None) == bool(given)


@pytest.mark.parametrize("name", RANGES)
def test_at_the_ends_of_its_range_a_setting_is_taken(name: str, tmp_path: Path) -> None:
    allowed = RANGES[name]
    ends = [allowed.least] if not allowed.above else []
    ends += [allowed.most] if not allowed.below else []
    whole = isinstance(_value(Settings(), name), int) or _value(Settings(), name) is None
    for end in (end for end in ends if abs(end) < 1e9):
        _write(tmp_path / "_config.yml", _with(name, int(end) if whole else end))
        assert _value(load_settings(tmp_path), name) == end


def test_the_file_in_which_the_wrong_value_stands_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "_config.yml", {"candidates": 4})
    for wrong in ({"candidates": 0}, {"weekdays": "mon blursday"}, {"time": "noon"}, {"output": ".."}):
        _write(tmp_path / "_dev.yml", wrong)
        with pytest.raises(ConfigError, match=re.escape(f"_dev.yml: `blog_gen.{next(iter(wrong))}`")):
            load_settings(tmp_path, config_files=("_config.yml", "_dev.yml"))
    (tmp_path / "_dev.yml").write_text("timezone: Mars")
    with pytest.raises(ConfigError, match=r"_dev\.yml: `timezone`"):
        schedule_of(load_settings(tmp_path, config_files=("_config.yml", "_dev.yml")))


def test_a_file_that_is_named_must_be_there_and_the_usual_one_need_not(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings(site=tmp_path)
    with pytest.raises(ConfigError, match=r"nope\.yml: a settings file must be there; got no such file"):
        load_settings(tmp_path, config_files=("nope.yml",))
    _write(tmp_path / "_config.yml", {})
    with pytest.raises(ConfigError, match=r"nope\.yml"):
        load_settings(tmp_path, config_files=("_config.yml", "nope.yml"))


def test_a_limit_is_chosen_in_any_file_or_by_flag_and_stays_so(tmp_path: Path) -> None:
    _write(tmp_path / "_config.yml", {"candidates": 4, "limits": {"loop_words": 3}})
    for later, more in (({"limits": None}, set()), ({"limits": {"left_open": 1}}, {"left_open"})):
        _write(tmp_path / "_dev.yml", later)
        flags = {"limits": {"stray_marks": 1, "broken_off": None}}
        settings = load_settings(tmp_path, flags, ("_config.yml", "_dev.yml"))
        assert settings.limits.loop_words == 3
        assert settings.chosen_limits == {"loop_words", "stray_marks"} | more


def test_weekdays_may_be_a_list_with_the_same_hint_for_a_wrong_name(tmp_path: Path) -> None:
    _write(tmp_path / "_config.yml", {"weekdays": ["mon", "Wednesday"]})
    assert schedule_of(load_settings(tmp_path)).weekdays == {0, 2}
    _write(tmp_path / "_config.yml", {"weekdays": ["mon", "wen"]})
    with pytest.raises(
        ConfigError, match=r"names of weekdays; got 'wen'. For example: weekdays: mon wed fri"
    ):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("own", "rule"),
    [
        ({"output": "."}, "a folder in the site"),
        ({"output": "../drafts"}, "a folder in the site"),
        ({"output": "/tmp"}, "a folder in the site"),
        ({"output": "_articles"}, "nor in it"),
        ({"output": "_articles/./new"}, "nor in it"),
        ({"articles": "_generated"}, "nor in it"),
        ({"training": {"lora": 4, "freeze": 1}}, "cannot be used together"),
        ({"run": "../other"}, "the name of a folder"),
    ],
)
def test_what_makes_no_sense_together_is_refused(own: dict[str, Any], rule: str, tmp_path: Path) -> None:
    _write(tmp_path / "_config.yml", own)
    for flags in ({}, {"training": {"lora": None}}):  # a flag that is not given changes nothing
        with pytest.raises(ConfigError, match=rf"_config\.yml: .*{rule}"):
            load_settings(tmp_path, flags)


def test_folders_that_only_begin_alike_are_two(tmp_path: Path) -> None:
    _write(tmp_path / "_config.yml", {"articles": "blog/_posts", "output": "blog/_posts_new"})
    assert load_settings(tmp_path).output == "blog/_posts_new"


@pytest.mark.parametrize(
    ("own", "meant"),
    [
        ({"temperature": 0.7}, "blog_gen.sampling.temperature"),
        ({"temprature": 0.7}, "blog_gen.sampling.temperature"),
        ({"training": {"candidates": 8}}, "blog_gen.candidates"),
        ({"modle": "mini"}, "model"),
        ({"training": {"step": 8}}, "steps"),
    ],
)
def test_a_setting_in_the_wrong_place_is_told_where_it_belongs(
    own: dict[str, Any], meant: str, tmp_path: Path
) -> None:
    _write(tmp_path / "_config.yml", own)
    with pytest.raises(ConfigError, match=re.escape(f"Did you mean `{meant}`?")):
        load_settings(tmp_path)


def test_the_words_of_a_range() -> None:
    assert str(Range(0, 1, above=True)) == "above 0 and at most 1"

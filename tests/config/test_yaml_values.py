"""Whatever a YAML file holds, of each type and tag that there is: plain values, or one error of one kind."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from blog_gen.cli import cli
from blog_gen.config import yaml_values
from blog_gen.errors import BlogGenError, ConfigError

TAGS = ["int", "float", "bool", "null", "timestamp", "binary", "str", "seq", "map", "set", "omap", "pairs"]
TAGS += ["merge", "value", "yaml", "python/none", "python/object/apply:os.getcwd"]
CONTENTS = [
    "",
    "''",
    "abc",
    "maybe",
    "soon",
    "1",
    "0x",
    "0b_",
    "1:a",
    "._",
    "é",
    "2020-02-30",
    "[a]",
    "{a: b}",
]
CONTENTS += ["[a: 1]", "[[a, b, c]]", "'2021-04-31 10:00:00'", "2020-01-01 25:00:00"]
PLAIN = ["0x_", "0b_", "0x" + 4000 * "f", "0b" + 20_000 * "1", 5000 * "9", ":".join(600 * "1") + ".5"]
PLAIN += [
    ":".join(300 * "1") + ".5",
    "1_" * 200_000 + "1",
    ":".join(200_000 * "1"),
    "0000-00-00",
    "0000-01-01",
    "9999-12-31 23:59:60",
]
PLAIN += [
    "2020-01-01 10:00:00 +99:00",
    ".nan",
    "-.inf",
    "{[a]: b}",
    "{<<: 5}",
    "{<<: [5]}",
    "=",
    "<<",
    "*nope",
]
PLAIN += ["&a [*a]", "&a {b: *a}", '"\\0"', '"\\ud800"', "@x", "[a", "? a", "!own x", "!<a b> x"]
VALUES = [f"!!{tag} {content}" for tag in TAGS for content in CONTENTS] + PLAIN


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:40])
def test_a_value_is_plain_or_one_error(value: str) -> None:
    try:
        found = yaml_values.load(f"a: {value}")["a"]
    except yaml.YAMLError as error:
        assert str(error)
    else:
        assert isinstance(found, str | int | float | list | dict | bytes | date | datetime | None)
        assert repr(found) == repr(yaml_values.load(f"a: {value}")["a"]) and str(found) is not None


@given(st.sampled_from(TAGS), st.text(max_size=20))
def test_any_text_under_any_tag(tag: str, text: str) -> None:
    try:
        yaml_values.load(yaml.dump({"a": text}, default_style="'").replace(": ", f": !!{tag} ", 1))
    except yaml.YAMLError as error:
        assert str(error)


def _site(folder: Path, config: str, post: str) -> Path:
    (folder / "_articles").mkdir(parents=True)
    (folder / "_config.yml").write_text(config, encoding="utf-8")
    (folder / "_articles" / "good.md").write_text("---\ntitle: Good\n---\nSome words.\n")
    (folder / "_articles" / "odd.md").write_text(post, encoding="utf-8")
    return folder


@pytest.mark.parametrize("key", ["title", "date", "tags", "published", "x", "blog_gen"])
def test_a_post_with_any_value_never_stops_the_rest(key: str, tmp_path: Path) -> None:
    for number, value in enumerate(VALUES[::3] + PLAIN):
        site = _site(tmp_path / str(number), "", f"---\n{key}: {value}\n---\nOther words.\n")
        done = CliRunner().invoke(cli, ["--site", str(site), "corpus"])
        assert done.exit_code == 0 and "Some words." in done.stdout, f"{key}: {value[:40]}"
        assert "Other words." in done.stdout or "odd.md" in done.stderr or key in ("published", "blog_gen")


@pytest.mark.parametrize(
    "key",
    ["x", "collections", "defaults", "exclude", "timezone", "collections_dir", "plugins_dir", "blog_gen"],
)
def test_settings_of_any_value_are_taken_or_one_error(key: str, tmp_path: Path) -> None:
    for number, value in enumerate([*VALUES[::5], *PLAIN, "5", "text", "true", "[a, 5]", "{a: 5}", "[[a]]"]):
        site = _site(tmp_path / str(number), f"{key}: {value}\n", "Text.\n")
        for command in (["status"], ["init", "--yes"]):
            done = CliRunner().invoke(cli, ["--site", str(site), *command])
            explained = done.exception is None or isinstance(done.exception, BlogGenError)
            assert explained, f"{command} {key}: {value[:40]}: {done.exception!r}"


@pytest.mark.parametrize(
    "line", ["n: !!int abc", "n: !!float x", "n: !!bool maybe", "n: 0x_", "a: &a [*a]", "collections: 5"]
)
def test_what_no_settings_can_be_is_one_error_with_its_file(line: str, tmp_path: Path) -> None:
    site = _site(tmp_path / "site", f"{line}\n", "Text.\n")
    for command in (["status"], ["run", "--dry-run"], ["init", "--yes"]):
        error = CliRunner().invoke(cli, ["--site", str(site), *command]).exception
        assert isinstance(error, ConfigError)
        assert "\n" not in str(error) and "_config.yml: " in str(error)

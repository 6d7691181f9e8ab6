"""Adding to YAML by text: golden pairs, and the law that the old data and the addition are read back."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.site.setup.yaml_edit import CannotAdd, added

PAIRS = {
    "an empty file": ("", [], "a: 1\n", "a: 1\n"),
    "only a comment": ("# c\n", [], "a: 1\n", "# c\n\na: 1\n"),
    "no line break at the end": ("a: 1", [], "b: 2\n", "a: 1\n\nb: 2\n"),
    "a list at its key's own column": (
        "e:\n- a # x\n\n# z\nz: 1\n",
        ["e"],
        "- b\n",
        "e:\n- a # x\n- b\n\n# z\nz: 1\n",
    ),
    "a list in brackets": ("e: [a, b]\n", ["e"], "- c\n", "e: [a, b, c]\n"),
    "a last comma": ("e: [a, b, ]\n", ["e"], "- c\n", "e: [a, b, c, ]\n"),
    "brackets over lines": (
        "e: [\n  a, # 1\n  b # 2\n]\n",
        ["e"],
        "- c\n",
        "e: [\n  a, # 1\n  b, c # 2\n]\n",
    ),
    "empty brackets": ("e: []\n", ["e"], "- c\n", "e: [c]\n"),
    "a key without a value": ("e: # none\nz: 1\n", ["e"], "- c\n", "e: # none\n  - c\nz: 1\n"),
    "a comment that belongs inside": (
        "m:\n  a: 1\n  # b\n\nz: 1\n",
        ["m"],
        "c: 2\n",
        "m:\n  a: 1\n  # b\n  c: 2\n\nz: 1\n",
    ),
    "a nested mapping in braces": ("m: {a: {b: 1}}\n", ["m", "a"], "c: 2\n", "m: {a: {b: 1, c: 2}}\n"),
    "a block of text before": (
        "m:\n  a: |\n    x\n\nz: 1\n",
        ["m"],
        "b: 2\n",
        "m:\n  a: |\n    x\n  b: 2\n\nz: 1\n",
    ),
    "missing parents": ("a: 1\n", ["x", "y"], "- 2\n", "a: 1\n\nx:\n  y:\n    - 2\n"),
    "carriage returns": ("a: 1\r\nb:\r\n  - c\r\n", ["b"], "- d\n", "a: 1\r\nb:\r\n  - c\r\n  - d\r\n"),
    "a byte-order mark": ("\ufeffa: 1\n", ["x"], "b: 1\n", "\ufeffa: 1\n\nx:\n  b: 1\n"),
    "an alias as the last value": (
        "q: &q 1\nm:\n  c: *q\nz: 2\n",
        ["m"],
        "d: 3\n",
        "q: &q 1\nm:\n  c: *q\n  d: 3\nz: 2\n",
    ),
    "a merge key": (
        "x: &x {a: 1}\nm:\n  <<: *x\nz: 3\n",
        ["m"],
        "d: 3\n",
        "x: &x {a: 1}\nm:\n  <<: *x\n  d: 3\nz: 3\n",
    ),
}


@pytest.mark.parametrize(("before", "parent", "block", "after"), PAIRS.values(), ids=PAIRS.keys())
def test_the_text_is_as_a_person_would_have_written_it(
    before: str, parent: list[str], block: str, after: str
) -> None:
    assert added(before, parent, block) == after


REFUSED = {
    "an alias": ("x: &x\n  a: 1\nm: *x\n", ["m"], "b: 1\n"),
    "an anchor that others use": ("x: &x {a: 1}\nm: *x\n", ["x"], "b: 1\n"),
    "a list where a mapping is wanted": ("m: [a]\n", ["m"], "b: 1\n"),
    "a word where a list is wanted": ("e: foo\n", ["e"], "- b\n"),
    "a key that is there": ("a: 1\n", [], "a: 2\n"),
    "an end of document": ("---\na: 1\n...\n", [], "b: 1\n"),
    "a list at the top": ("- a\n", ["x"], "b: 1\n"),
}


@pytest.mark.parametrize(("before", "parent", "block"), REFUSED.values(), ids=REFUSED.keys())
def test_what_has_no_safe_place_is_refused(before: str, parent: list[str], block: str) -> None:
    with pytest.raises(CannotAdd):
        added(before, parent, block)


@pytest.mark.parametrize("text", ["\ta: 1\n", "a: [1\n", "a: *nowhere\n", "a: b: c\n"])
def test_a_file_that_is_not_yaml_is_that_and_nothing_else(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        added(text, ["x"], "b: 1\n")


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)
values = st.recursive(
    words | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(words, values, max_size=4), st.booleans() | st.none(), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_any_data_in_any_style_keeps_what_it_holds(
    data: dict[str, Any], flow: bool | None, indent: int
) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, indent=indent or None)
    keys = list(data)
    parent = [keys[0]] if keys and isinstance(data[keys[0]], dict) else ["a new key"]
    if "an addition" in (data.get(parent[0]) or {}):
        return
    after = yaml.safe_load(added(text, parent, "an addition: 1\n"))
    expected = {**data, parent[0]: {**(data.get(parent[0]) or {}), "an addition": 1}}
    assert after == expected


def test_a_tab_after_a_colon_is_as_good_as_a_blank() -> None:
    assert added("a:\t\t1\n", ["b"], "c: 2\n") == "a:\t\t1\n\nb:\n  c: 2\n"

"""Front matter as the fields of a form, and back. Knows no form and no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blog_gen.review.patching import with_key
from blog_gen.site import front_matter
from blog_gen.site.front_matter import FlowList

_EDITABLE = (
    "title",
    "date",
    "tags",
    "tag",
    "category",
    "categories",
    "description",
    "excerpt",
    "summary",
    "subtitle",
)


@dataclass(frozen=True)
class Field:
    """One key of the front matter as a line of text."""

    key: str
    value: str
    is_list: bool  # names with commas between


def fields_of(text: str) -> list[Field]:
    """The keys that a reviewer may want to change, in the order of the file.

    >>> fields_of("---\\ntags: [a, b]\\nlayout: post\\n---\\n")
    [Field(key='tags', value='a, b', is_list=True)]
    """
    try:
        raw, _ = front_matter.split(text)
        values = front_matter.parse(raw or "")
    except front_matter.FrontMatterError:
        return []
    found = [_field(key, value) for key, value in values.items() if key in _EDITABLE]
    return [field for field in found if field is not None]


def _field(key: str, value: Any) -> Field | None:
    if not isinstance(value, list):
        shown = "" if value is None else str(value)
        return None if "\n" in shown or isinstance(value, dict) else Field(key, shown, False)
    names = [str(item) for item in value]
    # A name with a comma in it could not be told from two.
    return None if any("," in name or "\n" in name for name in names) else Field(key, ", ".join(names), True)


def with_fields(text: str, given: Mapping[str, str]) -> str:
    """`text` with the fields that were changed, each as it was written before: a list stays a list."""
    for field in fields_of(text):
        value = " ".join(given.get(field.key, field.value).split())
        if value != field.value:
            names = FlowList(name.strip() for name in value.split(",") if name.strip())
            text = with_key(text, field.key, names if field.is_list else value)
    return text

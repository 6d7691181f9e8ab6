"""Front matter: the YAML between two `---` lines at the top of a post. Knows YAML, nothing of posts.

Reading is as strict as Jekyll's, where one bad line loses all keys; `mended` then repairs what can only have
meant one thing. Writing quotes whatever YAML 1.1, Ruby's or Python's, would take for something else.
Nothing that is read can run code or grow beyond its file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from blog_gen.config import yaml_values
from blog_gen.errors import Note

_FENCED = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_OPENED = re.compile(r"---[ \t]*(?:\n|\Z)")
# A top-level key and its value, with (2) or without white space between them.
_KEY_LINE = re.compile(r"([A-Za-z_][\w-]*):([ \t]*)(\S.*)")
_NOT_PLAIN = re.compile(r"[\[{\"'|>&*!%@`#]|[-?:] |//")  # how a plain scalar cannot begin, nor a link's rest
# Bare text for every YAML parser: a word first, then nothing that could be syntax (`: `, ` #`).
_BARE = re.compile(r"[^\W\d_](?:[\w.,()!?'’–—…/&+*;\-]| (?=[^\s#])|:(?=[\w/]))*")
_ASTRAL = re.compile(r"[\U00010000-\U0010ffff]")
_JOINER = "\u200d"  # makes one emoji of several
# Read as values by Ruby in any mixture of capitals, by PyYAML in three.
_LITERAL_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class FrontMatterError(ValueError):
    """The front matter cannot be read; the message says why, on one line."""


def split(text: str) -> tuple[str | None, str]:
    r"""The YAML of the front matter, None where there is none, and the body after it. LF line ends only.

    >>> split("---\ntitle: A\n...\nBody\n")
    ('title: A\n', 'Body\n')

    Raises:
        FrontMatterError: it is opened and never closed.
    """
    fenced = _FENCED.match(text)
    if fenced:
        return fenced[1], text[fenced.end() :]
    if _OPENED.match(text):
        raise FrontMatterError("the front matter is opened by `---` and never closed")
    return None, text


def parse(raw: str) -> dict[str, Any]:
    """The keys and values of front matter, in the file's order. A date that is none stays text.

    >>> parse("title: Why Vim?\\ntags: [vim, linguistics]")
    {'title': 'Why Vim?', 'tags': ['vim', 'linguistics']}

    Raises:
        FrontMatterError: it is not valid YAML, or not a mapping.
    """
    try:
        values = yaml_values.load(raw)
    except yaml.YAMLError as error:
        raise FrontMatterError(f"the front matter is not valid YAML: {_reason(error)}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise FrontMatterError("the front matter must be lines of `key: value`")
    return {str(key): value for key, value in values.items()}


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return " ".join(problem.split()) + (f" (line {mark.line + 1} of it)" if mark else "")


def mended(raw: str, path: Path) -> tuple[str, list[Note]]:
    """Invalid front matter with what is unambiguous set right, and a note, at `path`, for each such line.

    Two slips are: a bare value that holds `: ` or ends in `:`, and a key without white space after its
    colon. The result need not be valid.

    >>> mended("title: A: B\\nimage:b.png", Path("a.md"))[0]
    "title: 'A: B'\\nimage: b.png"
    """
    lines, notes = [], []
    for line in raw.split("\n"):
        right, slip = _mended_line(line)
        lines.append(right)
        if slip:
            notes.append(Note(path, f"`{line.strip()}` is not valid YAML: {slip}", f"read as `{right}`"))
    return "\n".join(lines), notes


def _mended_line(line: str) -> tuple[str, str | None]:
    """The line, set right if it must be, and what was wrong with it."""
    found = _KEY_LINE.fullmatch(line.rstrip(" \t"))
    if found is None or _NOT_PLAIN.match(found[3]) or " #" in found[3]:
        return line, None
    key, space, value = found.groups()
    if ": " in value or value.endswith(":"):
        quoted = value.replace("'", "''")
        return f"{key}: '{quoted}'", "text that holds a colon must be quoted"
    return f"{key}: {value}", None if space else "a space must follow the colon"


class FlowList(list[Any]):
    """A list that `dump` writes on one line: `[a, b]`."""


class FlowMap(dict[str, Any]):
    """A mapping that `dump` writes on one line, with all that is in it: `{a: 1, b: [2, 3]}`."""


class Bare(str):
    """Text that `dump` writes without quotes, whatever parsers then take it for: a date."""


def dump(values: Mapping[str, Any]) -> str:
    """`values` as YAML in their order, which every parser reads back as they are: `parse(dump(x)) == x`.

    Lists are written one item a line, a `FlowList` on one line; a `date` bare; text bare only if no parser
    could take it for anything else, and else in quotes, on one line.

    >>> from datetime import date
    >>> print(dump({"title": "A: B", "tags": FlowList(["vim", "No"]), "date": date(2019, 1, 1)}), end="")
    title: "A: B"
    tags: [vim, "No"]
    date: 2019-01-01
    """
    return yaml.dump(
        dict(values),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=sys.maxsize,
        default_flow_style=False,
    )


class _Dumper(yaml.SafeDumper):
    """YAML as bloggers write it: lists indented, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _BARE.fullmatch(text) and text.lower() not in _LITERAL_WORDS else '"'
    if style and _ASTRAL.search(text) and text.replace(_JOINER, "").isprintable():
        style = "'"  # in which PyYAML leaves an emoji as it is
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_flow(dumper: yaml.SafeDumper, items: FlowList) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


def _represent_flow_map(dumper: yaml.SafeDumper, values: FlowMap) -> yaml.MappingNode:
    # As pairs: PyYAML sorts the keys of a mapping, and the flow style holds for all that is in it.
    return dumper.represent_mapping("tag:yaml.org,2002:map", values.items(), flow_style=True)


def _represent_bare(dumper: yaml.SafeDumper, text: Bare) -> yaml.ScalarNode:
    tag: str = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(text))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(FlowList, _represent_flow)
_Dumper.add_representer(FlowMap, _represent_flow_map)
_Dumper.add_representer(Bare, _represent_bare)

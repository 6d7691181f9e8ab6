"""The page of all settings: `python tests/settings_page.py > docs/settings.md`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any, Literal

from blog_gen.config import settings as config
from blog_gen.config.ranges import RANGES
from blog_gen.config.settings import Settings

HEAD = """\
# Settings

Settings stand in your site's `_config.yml`, all under one key. You need none of them to begin with; what you
leave out has its default.

    blog_gen:
      articles: _posts       # where most Jekyll sites keep their posts; `blog-gen init` finds that out
      weekdays: [mon, thu]
      sampling:
        temperature: 0.7

An option on the command line is for that call only, and wins over the file. With `--config a.yml,b.yml` the
later file wins, as in Jekyll. A wrong name or value is an error that says where it stands and what was meant.
A dash is no value: `blog-gen` chooses, and says what it chose.

(`python tests/settings_page.py` makes this page from `blog_gen/config/settings.py`; a test compares the two.)
"""


def page() -> str:
    """The whole page: the settings by themselves, then each group."""
    return "\n".join([HEAD, *_tables(Settings(), "")])


def _tables(settings: Any, within: str) -> Iterator[str]:
    """A table of the single settings, then those of the groups in it."""
    if within:
        yield f"## Under `{within}:`\n\n{inspect.getdoc(type(settings))}\n"
    yield "| setting | default | may be | |\n| --- | --- | --- | --- |"
    hints, comments = typing.get_type_hints(type(settings)), _comments(type(settings).__name__)
    fields = [field.name for field in dataclasses.fields(settings) if not field.metadata.get("derived")]
    single = [name for name in fields if not dataclasses.is_dataclass(getattr(settings, name))]
    for name in single:
        full = f"{within}.{name}".lstrip(".")
        default = _code(getattr(settings, name))
        yield f"| `{name}` | {default} | {_allowed(hints[name], full)} | {_escaped(comments[name])} |"
    yield ""
    for name in fields:
        if name not in single:
            yield from _tables(getattr(settings, name), name)


def _comments(name: str) -> dict[str, str]:
    """The comment of each field of a class: behind it, else above it."""
    source = inspect.getsource(config)
    lines = source.split("\n")
    (found,) = (
        node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name
    )
    comments = {}
    for node in found.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            behind = re.search(r"  # (.*)", lines[node.lineno - 1])
            above = re.fullmatch(r" *# (.*)", lines[node.lineno - 2])
            if comment := behind or above:
                comments[node.target.id] = comment[1]
    return comments


def _code(value: object) -> str:
    shown = str(value).lower() if isinstance(value, bool) else f"{value}"
    return "–" if value is None else f"`{shown}`"


def _allowed(kind: Any, name: str) -> str:
    if typing.get_origin(kind) is Literal:
        return ", ".join(map(_code, typing.get_args(kind)))
    if name in RANGES:
        whole = kind is int or int in typing.get_args(kind)
        return f"{'whole, ' if whole else ''}{RANGES[name]}"
    switch = "`true`, `false`"
    return {bool: switch, bool | None: switch, bool | str: f"{switch}, text"}.get(kind, "text")


def _escaped(text: str) -> str:
    """`text` as Markdown in a table, but for what is code in it.

    >>> _escaped("a | b, `c_d`, _e_")
    'a \\\\| b, `c_d`, \\\\_e\\\\_'
    """
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([|*_<])", r"\\\1", piece) for piece in pieces
    )


if __name__ == "__main__":
    print(page(), end="")

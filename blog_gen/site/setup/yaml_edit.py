"""Adding to a YAML file as a careful person would: a few lines of text, everything else as it was.

Knows YAML's syntax and nothing of Jekyll. An edit is checked by reading the result again: it must hold
exactly the old data and the addition, else it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from blog_gen.config import yaml_values

Path = Sequence[str]  # of keys, from the top


class CannotAdd(ValueError):
    """The addition has no safe place; the reason is a person's to read."""


def added(text: str, parent: Path, block: str) -> str:
    """`text` with the YAML lines `block` at the end of the mapping or list at `parent`, made if missing.

    >>> added("a:\\n  b: 1  # one\\n\\nc: 2\\n", ["a"], "d: 3\\n")
    'a:\\n  b: 1  # one\\n  d: 3\\n\\nc: 2\\n'
    >>> added("a: {b: 1}\\n", ["a"], "d: 3\\n")
    'a: {b: 1, d: 3}\\n'
    >>> added("a: 1\\n", ["x", "y"], "- 2\\n")
    'a: 1\\n\\nx:\\n  y:\\n    - 2\\n'

    Raises:
        CannotAdd: `parent` holds something else, stands elsewhere (an alias), or the result would not be
            the old data and the addition.
        yaml.YAMLError: `text` is not YAML.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        result = _inserted(text, parent, block.replace("\n", newline), newline)
        after = yaml_values.load(result)
    except yaml.YAMLError as error:
        yaml_values.load(text)  # the file's own fault is the file's own error
        raise CannotAdd("it would no longer be YAML") from error
    if after != _with(yaml_values.load(text), parent, yaml.safe_load(block)):
        raise CannotAdd("it would change other settings in the file")
    return result


def _with(data: Any, parent: Path, addition: Any) -> Any:
    """`data` with `addition` merged in at `parent`; nothing is replaced."""
    if parent:
        merged = dict(data or {})
        merged[parent[0]] = _with(merged.get(parent[0]), parent[1:], addition)
        return merged
    if isinstance(addition, Mapping) and isinstance(data, Mapping | None):
        return {**addition, **(data or {})}
    if isinstance(addition, list) and isinstance(data, list | None):
        return [*(data or []), *addition]
    raise CannotAdd(f"it is not a {'mapping' if isinstance(addition, Mapping) else 'list'} there")


def _inserted(text: str, parent: Path, block: str, newline: str) -> str:
    """`text` with `block` put in by position, not yet checked."""
    node = yaml.compose(text, Loader=yaml_values.SafeLoader)  # libyaml, as Jekyll: a tab may follow a colon
    for depth, name in enumerate(parent):
        key, value = _entry(node, name)
        if key is None or value is None:
            return _at_end_of(node, text, _nested(parent[depth:], block, newline), newline, top=depth == 0)
        if value.start_mark.index < key.end_mark.index:
            raise CannotAdd(f"`{name}` is an alias of something elsewhere in the file")
        if _is_empty(value):
            line_end = _line_end(text, key.end_mark.index)
            lines = _indented(_nested(parent[depth + 1 :], block, newline), key.start_mark.column + 2)
            return _spliced(text, line_end, lines, newline)
        node = value
    return _at_end_of(node, text, block, newline, top=not parent)


def _entry(node: yaml.Node | None, name: str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Key and value of the last entry called `name`: the one that counts."""
    if node is not None and not isinstance(node, yaml.MappingNode):
        raise CannotAdd(f"there is no mapping to hold `{name}`")
    found = [(key, value) for key, value in (node.value if node else []) if key.value == name]
    return found[-1] if found else (None, None)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.start_mark.index == node.end_mark.index


def _nested(names: Path, block: str, newline: str) -> str:
    """`block` under new keys, one inside the other."""
    for name in reversed(names):
        block = f"{name}:{newline}" + _indented(block, 2)
    return block


def _indented(block: str, columns: int) -> str:
    return re.sub(r"^(?=.)", " " * columns, block, flags=re.M)


def _at_end_of(node: yaml.Node | None, text: str, block: str, newline: str, *, top: bool) -> str:
    """`block` after the last child of `node`, indented as the children are, or inside its braces."""
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        return _in_braces(node, text, block)
    if top:
        gap = newline if text.strip() else ""
        return _spliced(text, len(text), gap + block, newline)
    if not isinstance(node, yaml.CollectionNode) or not node.value:
        raise CannotAdd("there is neither a mapping nor a list there")
    return _spliced(text, _end_of_children(node, text), _indented(block, node.start_mark.column), newline)


def _in_braces(node: yaml.CollectionNode, text: str, block: str) -> str:
    """`block`, in flow style, behind the last child, so that commas and comments that follow stay."""
    flow = yaml.safe_dump(yaml.safe_load(block), default_flow_style=True, width=10**6, sort_keys=False)
    inner = flow.strip()[1:-1]
    if not node.value:
        inside = node.end_mark.index - 1
        return text[:inside] + inner + text[inside:]
    behind = _last_leaf(node).end_mark.index
    return f"{text[:behind]}, {inner}{text[behind:]}"


def _last_leaf(node: yaml.CollectionNode) -> yaml.Node:
    last = node.value[-1]
    key: yaml.Node
    value: yaml.Node
    key, value = last if isinstance(last, tuple) else (last, last)
    return key if value.start_mark.index < key.start_mark.index else value  # an alias stands elsewhere


def _end_of_children(node: yaml.CollectionNode, text: str) -> int:
    """Where the line begins that follows the last thing inside `node` and the comments that go with it."""
    leaf = _last_leaf(node)
    if isinstance(leaf, yaml.CollectionNode) and leaf.value and not leaf.flow_style:
        end = _end_of_children(leaf, text)
    elif isinstance(leaf, yaml.ScalarNode) and leaf.style in ("|", ">"):
        end = _line_end(text, len(text[: leaf.end_mark.index].rstrip()))  # its mark is at what comes next
    else:
        end = _line_end(text, leaf.end_mark.index)
    column = node.start_mark.column
    comment = re.compile(rf"[ ]{{{column},}}#.*(?:\n|\Z)")
    while column and (found := comment.match(text, end)):
        end = found.end()
    return end


def _line_end(text: str, index: int) -> int:
    """Just behind the line break that ends the line at `index`, or the end of the text."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _spliced(text: str, index: int, lines: str, newline: str) -> str:
    """`lines` put in at the beginning of a line."""
    gap = newline if index and text[index - 1] != "\n" else ""
    return text[:index] + gap + lines + text[index:]

"""YAML files laid over dataclasses of settings, one on another, each value checked against its declared type.

Knows YAML and types, nothing of which settings there are or what they mean.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from blog_gen.config import yaml_values
from blog_gen.errors import ConfigError

_T = TypeVar("_T")
# Looks at a value of the right type: its name in dots, the value, how it is called to a person, its file.
Check = Callable[[str, object, str, "Path | None"], None]
LARGEST = 1 << 63  # no setting counts so far


def read_yaml(path: Path) -> dict[str, Any] | None:
    """The mapping in a YAML file; None where there is no file.

    Raises:
        ConfigError: it cannot be read, is not valid YAML or no mapping.
    """
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = yaml_values.load(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError("the site's settings cannot be read", got=error.strerror, path=path) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _invalid(error, text, path) from error
    if content is not None and not isinstance(content, dict):
        raise ConfigError("the site's settings must be a mapping", got=type(content).__name__, path=path)
    if any("\0" in each for each in _texts_in(content)):
        raise ConfigError("the site's settings must not hold a NUL character", got='"\\0"', path=path)
    return content or {}


def _texts_in(value: object) -> Iterator[str]:
    """Every text in plain values, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from itertools.chain(*map(_texts_in, [*value, *value.values()]))
    elif isinstance(value, list | tuple):
        yield from itertools.chain(*map(_texts_in, value))


def _invalid(error: Exception, text: str, path: Path) -> ConfigError:
    """`error` in one line. What to do is told by the character it stands at, and not by its words."""
    mark = getattr(error, "problem_mark", None)
    reason = " ".join(str(getattr(error, "problem", None) or error).split())
    fix = None
    if mark is not None:
        reason += f" at line {mark.line + 1}, column {mark.column + 1}"
        line = "".join(text.splitlines()[mark.line : mark.line + 1])
        if line[mark.column : mark.column + 1] in set("\t@`%"):
            fix = "Indent with spaces, never with tabs; quote what begins with @, % or `"
    return ConfigError("the site's settings must be valid YAML", got=reason, fix=fix, path=path)


def merged(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """As Jekyll does for `--config a,b`: mappings are merged key by key, all else is replaced."""
    both = dict(base)
    for key, value in layer.items():
        below = both.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = merged(below, value)
        both[key] = value
    return both


def as_mapping(value: object) -> Mapping[str, Any]:
    """`value` where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` less those that are None, at any depth."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            kept[key] = without_none(value)
        elif value is not None:
            kept[key] = value
    return kept


def names_given(values: Mapping[str, Any]) -> Iterator[str]:
    """The names of settings in a layer, those of groups in dots, and the groups'.

    >>> list(names_given({"model": "mini", "sampling": {"top_p": 0.9}}))
    ['model', 'sampling', 'sampling.top_p']
    """
    for key, value in values.items():
        yield str(key)
        if isinstance(value, Mapping):
            yield from (f"{key}.{name}" for name in value)


@dataclasses.dataclass(frozen=True)
class Layer:
    """Where values come from: the file (None: flags), and the key under which they stand in it."""

    path: Path | None
    at: str
    check: Check

    def over(self, base: _T, values: object, within: str = "") -> _T:
        """`base` with the fields named in `values` replaced; `within` is where `base` belongs, in dots.

        Raises:
            ConfigError: a key is unknown, or a value is of the wrong type or out of range.
        """
        return self._over(base, values, within, base)

    def _over(self, base: _T, values: object, within: str, whole: Any) -> _T:
        if not isinstance(values, Mapping):
            rule = f"`{self._shown(within)}` must be a mapping of settings"
            raise ConfigError(rule, got=repr(values), path=self.path)
        declared = dict(_fields(base))
        changes: dict[str, Any] = {}
        for key, value in values.items():
            name = _joined(within, str(key))
            if key not in declared:
                fix = self._nearest(str(key), [*declared], whole)
                raise ConfigError(f"`{self._shown(name)}` is not a setting", fix=fix, path=self.path)
            current = getattr(base, key)
            if dataclasses.is_dataclass(current):
                changes[key] = self._over(current, value or {}, name, whole)
            else:
                changes[key] = self._checked(value, declared[key], name)
        return dataclasses.replace(base, **changes)  # type: ignore[type-var]

    def _nearest(self, key: str, allowed: Sequence[str], whole: object) -> str:
        """The setting that `key` may be meant for: of this name in another group, else of a name like it."""
        elsewhere: dict[str, str] = {}
        for name in names_in(whole):
            elsewhere.setdefault(name.rpartition(".")[2], name)
        close = difflib.get_close_matches(key, [*allowed, *elsewhere], n=1, cutoff=0.7)
        close = close or difflib.get_close_matches(key, allowed, n=1, cutoff=0.5)
        name = key if key in elsewhere else next(iter(close), "")
        if not name:
            return f"The settings are: {', '.join(allowed)}"
        return f"Did you mean `{name if name in allowed else self._shown(elsewhere[name])}`?"

    def _shown(self, name: str) -> str:
        return _joined(self.at, name)

    def _checked(self, value: Any, kind: Any, name: str) -> Any:
        right = _of_kind(value, kind, self._shown(name), self.path)
        if right is not None:
            self.check(name, right, self._shown(name), self.path)
        return right


def _joined(*names: str) -> str:
    return ".".join(name for name in names if name)


def _fields(settings: Any) -> Iterator[tuple[str, Any]]:
    """Names and types of what a person may write; a field with `derived` in its metadata is not among it."""
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        if not field.metadata.get("derived"):
            yield field.name, hints[field.name]


def names_in(settings: object, within: str = "") -> Iterator[str]:
    """The full names of all single settings, groups' own ones in dots."""
    for name, _ in _fields(settings):
        value, full = getattr(settings, name), _joined(within, name)
        if dataclasses.is_dataclass(value):
            yield from names_in(value, full)
        else:
            yield full


def _of_kind(value: Any, kind: Any, shown: str, path: Path | None) -> Any:
    """`value` if it is of the declared `kind` (an int will do for a float), else a ConfigError."""
    if typing.get_origin(kind) is types.UnionType:
        if value is None:
            return None
        kinds = [option for option in typing.get_args(kind) if option is not type(None)]
        kind = next((option for option in kinds if option is type(value)), kinds[0])
    if typing.get_origin(kind) is Literal:
        options: Sequence[str] = typing.get_args(kind)
        if value in options:
            return value
        raise ConfigError(f"`{shown}` must be one of {', '.join(options)}", got=repr(value), path=path)
    if kind is str and type(value) in (int, float):
        return str(value)
    word = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind]
    if type(value) is int and abs(value) >= LARGEST:
        raise ConfigError(
            f"`{shown}` must be {word} below 2^63",
            got=f"about 10^{int(value.bit_length() * math.log10(2))}",
            path=path,
        )
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(f"`{shown}` must be {word}", got=repr(value), path=path)
    return value

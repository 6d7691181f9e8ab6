"""What a pickle would build, told by its opcodes one by one; it is never run.

A pickle is a program: it may call any function of any module. Some thirty opcodes suffice for a mapping of
torch's tensors. Any other one is refused, and so is every name but those that tensors are made of.

Source: CPython `Lib/pickletools.py`; pytorch `torch/_utils.py` (`_rebuild_tensor_v2`).
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

_MAPPING, _TENSOR = "collections.OrderedDict", "torch._utils._rebuild_tensor_v2"
# A storage's class: how its bytes lie, and the dtype it is read as; None for what is no weight.
STORAGES: Mapping[str, tuple[str, str | None]] = {
    "torch.FloatStorage": ("<f4", "float32"),
    "torch.HalfStorage": ("<f2", "float16"),
    "torch.BFloat16Storage": ("<u2", "float32"),
    "torch.DoubleStorage": ("<f8", "float32"),
    "torch.LongStorage": ("<i8", None),
    "torch.IntStorage": ("<i4", None),
    "torch.ByteStorage": ("<u1", None),
    "torch.BoolStorage": ("<u1", None),
}
MOST_AXES = 8


@dataclass(frozen=True)
class _Name:
    """Something that the pickle names, as text: never looked up."""

    full: str


@dataclass(frozen=True)
class Storage:
    """A row of numbers that tensors look at; `key` names it to whoever knows where it lies in the file."""

    key: str
    kind: str  # as in STORAGES
    count: int  # elements


@dataclass(frozen=True)
class Tensor:
    """How a tensor lies in its storage: the element at index (i, j, …) is at `offset` + i · strides[0] + …"""

    storage: Storage
    offset: int  # elements
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # elements


def mapping(value: object) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"not a mapping of tensors but {type(value).__name__}")
    return value


class Reader:
    """What a pickle would build, if it is made of plain values, ordered mappings and tensors."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}

    def read(self, file: IO[bytes]) -> Any:
        """The value of the one pickle that begins where `file` stands.

        Raises:
            ValueError: it is damaged, or does more than build tensors; names what.
        """
        self.stack: list[Any] = []
        self.marks: list[int] = []  # how high the stack was
        self.memo: dict[int, Any] = {}
        for opcode, argument, _ in pickletools.genops(file):
            step = _STEPS.get(opcode.name)
            if step is None:
                raise ValueError(f"the instruction {opcode.name}")
            step(self, argument)
        (value,) = self.stack
        return value

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """What was pushed after the last mark, which goes too."""
        return self.last(len(self.stack) - self.marks.pop())

    def last(self, count: int) -> list[Any]:
        """The last values, taken off the stack."""
        if len(self.stack) < count:
            raise ValueError("it is cut short")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return values

    def drop(self) -> None:
        self.last(1)

    def append(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("an invalid list")
        self.stack[-1].extend(values)

    def set_items(self, values: list[Any]) -> None:
        keys = map(_text, values[::2])
        mapping(self.stack[-1]).update(zip(keys, values[1::2], strict=True))

    def name(self, argument: str) -> None:
        """Something of a module; it may be named where it is part of a tensor."""
        full = argument.replace(" ", ".")
        if full not in (_MAPPING, _TENSOR) and full not in STORAGES:
            raise ValueError(f"{full}, which is not part of a tensor")
        self.push(_Name(full))

    def call(self, name: object, arguments: tuple[Any, ...]) -> None:
        """An empty mapping, or a tensor."""
        if name == _Name(_MAPPING) and not arguments:
            self.push({})
            return
        storage, offset, shape, strides, *_rest = arguments
        right = name == _Name(_TENSOR) and isinstance(storage, Storage) and len(shape) <= MOST_AXES
        if not right or not _whole(offset, *shape, *strides):
            raise ValueError("a call that makes no tensor")
        self.push(Tensor(storage, offset, tuple(shape), tuple(strides)))

    def storage(
        self, word: object, kind: object, key: object, _device: object, count: Any, *view: Any
    ) -> None:
        """A persistent id; old files may add which part of another storage it is."""
        if word != "storage" or not isinstance(kind, _Name) or kind.full not in STORAGES or not _whole(count):
            raise ValueError("an invalid storage")
        if any(view):
            raise ValueError("a storage that is part of another")
        self.push(self.storages.setdefault(_text(key), Storage(_text(key), kind.full, count)))

    def keep(self, index: Any) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]


def _text(value: object) -> str:
    """A key. Tuples of tuples could be keys too, and so deep that to hash one takes for ever."""
    if not isinstance(value, str):
        raise ValueError(f"a key that is not text but {type(value).__name__}")
    return value


def _whole(*values: object) -> bool:
    return all(isinstance(value, int) and value >= 0 for value in values)


# What `torch.save` writes for a mapping of tensors, with protocol 2 and with those after it; nothing else.
_STEPS: Mapping[str, Callable[[Reader, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda reader, _: None),
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"), Reader.push
    ),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), Reader.keep),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda reader, at: reader.push(reader.memo[at])),
    "NONE": lambda reader, _: reader.push(None),
    "NEWTRUE": lambda reader, _: reader.push(True),
    "NEWFALSE": lambda reader, _: reader.push(False),
    "MARK": lambda reader, _: reader.marks.append(len(reader.stack)),
    "EMPTY_TUPLE": lambda reader, _: reader.push(()),
    "EMPTY_LIST": lambda reader, _: reader.push([]),
    "EMPTY_DICT": lambda reader, _: reader.push({}),
    "TUPLE": lambda reader, _: reader.push(tuple(reader.since_mark())),
    "TUPLE1": lambda reader, _: reader.push(tuple(reader.last(1))),
    "TUPLE2": lambda reader, _: reader.push(tuple(reader.last(2))),
    "TUPLE3": lambda reader, _: reader.push(tuple(reader.last(3))),
    "APPEND": lambda reader, _: reader.append(reader.last(1)),
    "APPENDS": lambda reader, _: reader.append(reader.since_mark()),
    "SETITEM": lambda reader, _: reader.set_items(reader.last(2)),
    "SETITEMS": lambda reader, _: reader.set_items(reader.since_mark()),
    "GLOBAL": Reader.name,
    "STACK_GLOBAL": lambda reader, _: reader.name(" ".join(map(_text, reader.last(2)))),
    "REDUCE": lambda reader, _: reader.call(*reader.last(2)),
    "BINPERSID": lambda reader, _: reader.storage(*reader.last(1)[0]),
    "BUILD": lambda reader, _: reader.drop(),  # attributes of a mapping: the versions of its modules
}

"""Torch's own files: what torch wrote is read; what does anything else is refused by name, and never run."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.errors import ModelError
from blog_gen.model.formats.pickled import read_pickled
from blog_gen.model.formats.unpickling import Reader

GOLDEN = sorted(Path(__file__).with_name("golden").glob("*.bin"))
NUMBERS = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_torch_wrote_is_read(path: Path) -> None:
    tensors = read_pickled(path)
    assert {name: tensor.dtype for name, tensor in tensors.items()} == {
        "plain": "float32",
        "turned": "float32",
        "half": "float16",
        "brain": "float32",
        "double": "float32",
    }
    for name, tensor in tensors.items():
        value = tensor.read()
        np.testing.assert_array_equal(value, NUMBERS.T if name == "turned" else NUMBERS)
        assert (value.dtype, value.shape) == (np.dtype(tensor.dtype), tensor.shape)


def zipped(path: Path, program: bytes) -> Path:
    """A file as torch lays it out, with another pickle in it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/data/0", bytes(24))
    return path


class Bomb:
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.made = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.made


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"x": Bomb(Path("exploded").touch)}, "builtins.getattr|__builtin__.getattr"),
        ({"x": Bomb(eval, "open('exploded', 'w')")}, "builtins.eval|__builtin__.eval"),
        (OrderedDict(x=Path("x")), "pathlib"),
        ({"x": np.ones(2)}, "numpy"),
        ([1, 2], "not a mapping of tensors but list"),
        ({("a", "b"): 1}, "a key that is not text but tuple"),
    ],
)
def test_nothing_but_tensors_is_read(
    value: object, named: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=f"contain only tensors; got .*({named})"):
        read_pickled(zipped(tmp_path / "x.bin", pickle.dumps(value, protocol)))
    with pytest.raises(ModelError):
        (tmp_path / "plain.bin").write_bytes(pickle.dumps(value, protocol))
        read_pickled(tmp_path / "plain.bin")
    assert not Path("exploded").exists()


def tensor_of(shape: bytes, strides: bytes, count: bytes = b"K\x06") -> bytes:
    """The opcodes of a mapping with one tensor, of a storage with `count` numbers."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + count + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + shape + strides + b"\x89Nt" + b"R"
    return b"\x80\x02}(X\x01\0\0\0x" + tensor + b"u."


def test_a_tensor_is_as_large_as_its_storage(tmp_path: Path) -> None:
    whole = read_pickled(zipped(tmp_path / "whole.bin", tensor_of(b"K\x02K\x03\x86", b"K\x03K\x01\x86")))
    assert whole["x"].read().shape == (2, 3)
    huge = b"J\xff\xff\xff\x7f"
    for name, shape, strides in (
        ("beyond", b"K\x03K\x03\x86", b"K\x03K\x01\x86"),
        ("repeated", huge + huge + b"\x86", b"K\0K\0\x86"),  # one number, 2^62 times
        ("backwards", b"K\x02K\x03\x86", b"J\xff\xff\xff\xffK\x01\x86"),
        ("axes", b"K\x02\x85", b"K\x03K\x01\x86"),
    ):
        with pytest.raises(ModelError):
            read_pickled(zipped(tmp_path / f"{name}.bin", tensor_of(shape, strides)))
    with pytest.raises(ModelError, match="cut short"):
        program = tensor_of(b"K\x02K\x03\x86", b"K\x03K\x01\x86", huge)
        read_pickled(zipped(tmp_path / "short.bin", program))


def test_compressed_storages_and_other_byte_orders_are_refused(tmp_path: Path) -> None:
    program = tensor_of(b"K\x02K\x03\x86", b"K\x03K\x01\x86")
    with zipfile.ZipFile(tmp_path / "deflated.bin", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/data/0", bytes(24))
    with pytest.raises(ModelError, match="data/0 is compressed"):
        read_pickled(tmp_path / "deflated.bin")
    zipped(tmp_path / "big.bin", program)
    with zipfile.ZipFile(tmp_path / "big.bin", "a") as archive:
        archive.writestr("archive/byteorder", "big")
    with pytest.raises(ModelError, match="another byte order"):
        read_pickled(tmp_path / "big.bin")


def test_a_length_that_is_a_lie_takes_no_memory(tmp_path: Path) -> None:
    (tmp_path / "liar.bin").write_bytes(b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x")
    with pytest.raises(ModelError):
        read_pickled(tmp_path / "liar.bin")


@settings(max_examples=150)
@given(path=st.sampled_from(GOLDEN), data=st.data())
def test_damage_is_an_explained_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, path: Path, data: st.DataObject
) -> None:
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[at] ^= data.draw(st.integers(1, 255))
    else:
        del raw[at:]
    victim = tmp_path_factory.mktemp("damage") / "x.bin"
    victim.write_bytes(raw)
    try:
        tensors = read_pickled(victim)
        for tensor in tensors.values():
            tensor.read()
    except ModelError:
        pass


def test_a_value_is_told_as_pickle_would_build_it() -> None:
    import io

    for value in ({"a": [1, 2.5, None, True], "b": (1, (2, 3, 4), ()), "c": {}}, {}):
        for protocol in (2, 4):
            assert Reader().read(io.BytesIO(pickle.dumps(value, protocol))) == value

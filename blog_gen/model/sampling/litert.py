"""A LiteRT file, written operation by operation. Knows the file format, nothing of GPT-2.

The format is a FlatBuffer (its schema comes with ai-edge-litert), so that no converter and no TensorFlow
is needed: a `Graph` collects tensors and operations, and `write` puts the weights behind it, each once and
aligned, where the interpreter maps them straight from the disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from blog_gen.files import replacing
from blog_gen.model.arrays import Array

Shape = tuple[int, ...]
_ALIGNMENT = 64
_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}
# The first version of each operation whose semantics we use; 1 where none is given.
_VERSIONS = {schema.BuiltinOperator.FULLY_CONNECTED: 9, schema.BuiltinOperator.BATCH_MATMUL: 2}


class Graph:
    """One signature's tensors and operations. Tensors are named by their index, an int."""

    def __init__(self) -> None:
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._graph.inputs, self._graph.outputs = [], []
        self._codes: list[int] = []
        self._buffers = [schema.BufferT()]  # number 0 means: no constant
        self._large: dict[int, Array] = {}
        self._constants: dict[str, int] = {}
        self.shapes: list[Shape] = []

    def input(self, name: str, *shape: int) -> int:
        """A float32 input; the interpreter may resize it."""
        tensor = self._tensor(name, shape, np.dtype(np.float32))
        self._graph.inputs.append(tensor)
        return tensor

    def output(self, tensor: int, name: str) -> None:
        self._graph.tensors[tensor].name = name.encode()
        self._graph.outputs.append(tensor)

    def constant(self, name: str, array: Array, scales: Array | None = None) -> int:
        """A constant, stored once a name; `scales` make it int8 quantised along its first axis."""
        if name not in self._constants:
            tensor = self._tensor(name, array.shape, array.dtype, self._buffer(array))
            if scales is not None:
                self._graph.tensors[tensor].quantization = _per_channel(scales)
            self._constants[name] = tensor
        return self._constants[name]

    def integers(self, *values: int) -> int:
        """The small int32 vector that some operations take as an input."""
        return self.constant(f"integers {values}", np.array(values, np.int32))

    def operation(
        self, name: str, inputs: list[int], shapes: list[Shape], kind: str = "", **options: object
    ) -> list[int]:
        """Append a built-in operation and return its outputs; `kind` names the schema's options table."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(getattr(schema.BuiltinOperator, name))
        operator.inputs = np.array(inputs, np.int32)
        outputs = [self._tensor("", shape, np.dtype(np.float32)) for shape in shapes]
        operator.outputs = np.array(outputs, np.int32)
        if kind:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = getattr(schema, f"{kind}T")()
            for option, value in options.items():
                setattr(operator.builtinOptions, option, value)
        self._graph.operators.append(operator)
        return outputs

    def write(self, path: Path, trailer: Callable[[Mapping[str, int], str], bytes]) -> None:
        """Write the file, ended by `trailer(offsets, digest)`.

        `offsets` are the places of the constants by name, `digest` is the SHA-256 of all before the trailer.
        """
        head, at = self._packed(), {}
        end = len(head)
        for buffer, array in self._large.items():
            at[buffer] = self._buffers[buffer].offset = end + -end % _ALIGNMENT
            end = at[buffer] + array.nbytes
        head = self._packed()  # of the same length: only the offsets' values have changed
        buffers = {name: self._graph.tensors[i].buffer for name, i in self._constants.items()}
        offsets = {name: at[buffer] for name, buffer in buffers.items() if buffer in at}
        digest = hashlib.sha256()
        with replacing(path) as file:
            parts = [(0, memoryview(head)), *((at[buffer], self._large[buffer].data) for buffer in at)]
            for place, part in parts:
                for piece in (bytes(place - file.tell()), part):
                    digest.update(piece)
                    file.write(piece)
            file.write(trailer(offsets, digest.hexdigest()))

    def _tensor(self, name: str, shape: Shape, dtype: np.dtype[Any], buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name = (name or f"t{len(self.shapes)}").encode()
        tensor.shape, tensor.hasRank = np.array(shape, np.int32), True
        tensor.type, tensor.buffer = _TYPES[dtype], buffer
        self._graph.tensors.append(tensor)
        self.shapes.append(tuple(shape))
        return len(self.shapes) - 1

    def _buffer(self, array: Array) -> int:
        buffer = schema.BufferT()
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        if array.dtype != np.int32:
            self._large[len(self._buffers)] = flat
            buffer.offset, buffer.size = 1, flat.nbytes  # the offset is known once the head is packed
        else:
            buffer.data = flat
        self._buffers.append(buffer)
        return len(self._buffers) - 1

    def _code(self, operator: int) -> int:
        if operator not in self._codes:
            self._codes.append(operator)
        return self._codes.index(operator)

    def _packed(self) -> bytes:
        model = schema.ModelT()
        model.version, model.description = 3, b"blog_gen"
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        model.subgraphs, model.buffers = [self._graph], self._buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def _per_channel(scales: Array) -> Any:
    quantization = schema.QuantizationParametersT()
    quantization.scale = scales.astype(np.float32)
    quantization.zeroPoint = np.zeros(len(scales), np.int64)
    quantization.quantizedDimension = 0
    return quantization


def _operator_code(code: int) -> Any:
    entry = schema.OperatorCodeT()
    entry.builtinCode, entry.deprecatedBuiltinCode = code, min(code, 127)
    entry.version = _VERSIONS.get(code, 1)
    return entry

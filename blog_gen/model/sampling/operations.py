"""LiteRT's operations as methods, each appended to a graph; tensors are named by their index.

Knows shapes and options of the operations, nothing of a network.
"""

from __future__ import annotations

import numpy as np

from blog_gen.model.sampling.litert import Graph


class Operations:
    """A graph that grows by an operation with each call: indices of tensors in, that of a new one out.

    What comes out is float32, and its shape is told from those of the inputs. Shapes are of one new token and
    one in the cache: the interpreter resizes them all when it resizes the graph's inputs.
    """

    def __init__(self) -> None:
        self.graph = Graph()

    def matmul(self, a: int, b: int, transpose: bool = False) -> int:
        first, second = self.graph.shapes[a], self.graph.shapes[b]
        shape = (*first[:-1], second[-2 if transpose else -1])
        return self.graph.operation("BATCH_MATMUL", [a, b], [shape], "BatchMatMulOptions", adjY=transpose)[0]

    def reshape(self, x: int, *shape: int) -> int:
        inputs, first = [x, self.graph.integers(*shape)], tuple(abs(size) for size in shape)
        options = {"newShape": np.array(shape, np.int32)}
        return self.graph.operation("RESHAPE", inputs, [first], "ReshapeOptions", **options)[0]

    def split(self, x: int, parts: int, axis: int) -> list[int]:
        shape = list(self.graph.shapes[x])
        shape[axis] //= parts
        inputs = [self.graph.integers(axis), x]
        return self.graph.operation("SPLIT", inputs, [tuple(shape)] * parts, "SplitOptions", numSplits=parts)

    def parts(self, x: int, sizes: list[int], axis: int) -> list[int]:
        """Split into parts of these sizes."""
        if len(set(sizes)) == 1:
            return self.split(x, len(sizes), axis)
        shape = self.graph.shapes[x]
        inputs = [x, self.graph.integers(*sizes), self.graph.integers(axis)]
        shapes = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
        return self.graph.operation("SPLIT_V", inputs, shapes, "SplitVOptions", numSplits=len(sizes))

    def concatenate(self, parts: list[int], axis: int) -> int:
        shape = list(self.graph.shapes[parts[0]])
        shape[axis] = sum(self.graph.shapes[part][axis] for part in parts)
        return self.graph.operation(
            "CONCATENATION", parts, [tuple(shape)], "ConcatenationOptions", axis=axis
        )[0]

    def binary(self, name: str, a: int, b: int) -> int:
        kind = {"MAXIMUM": "MaximumMinimumOptions"}.get(name, f"{name.capitalize()}Options")
        shape = np.broadcast_shapes(self.graph.shapes[a], self.graph.shapes[b])
        return self.graph.operation(name, [a, b], [shape], kind)[0]

    def add(self, a: int, b: int) -> int:
        return self.binary("ADD", a, b)

    def mul(self, a: int, b: int) -> int:
        return self.binary("MUL", a, b)

    def exp(self, x: int, top: int) -> int:
        shifted = self.binary("SUB", x, top)
        return self.graph.operation("EXP", [shifted], [self.graph.shapes[shifted]], "ExpOptions")[0]

    def reduce(self, name: str, x: int, axis: int) -> int:
        shape = list(self.graph.shapes[x])
        shape[axis] = 1
        inputs = [x, self.graph.integers(axis)]
        return self.graph.operation(name, inputs, [tuple(shape)], "ReducerOptions", keepDims=True)[0]

    def transpose(self, x: int, *order: int) -> int:
        shape = tuple(self.graph.shapes[x][axis] for axis in order)
        return self.graph.operation(
            "TRANSPOSE", [x, self.graph.integers(*order)], [shape], "TransposeOptions"
        )[0]

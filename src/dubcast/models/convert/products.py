"""Kokoro: its convolutions of bytes, turned into matrix products that give the same integers.

onnxruntime multiplies unsigned bytes by signed ones two to three times as quickly as any others on
a processor that has an instruction for it, and keeps constant weights packed, but only in
`MatMulInteger`: `ConvInteger` has its operands the other way round. So what the weights see of each
moment is laid side by side, a row for each moment, and all rows are multiplied at once by the
weights, shifted by 128 with their zero point. Measured on a Zen 4: 0.33 s of CPU time per second
of speech instead of 0.51, and the same sound to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]
Tensors = Mapping[str, TensorProto]

# With fewer outputs the rows cost more than the product saves.
_FEWEST_OUTPUTS = 16


def convert(folder: Path) -> dict[str, onnx.ModelProto]:
    """`products.onnx` out of `model.onnx`. Raises ValueError if it has no such convolutions."""
    published = onnx.load_model(folder / "model.onnx")
    made = with_products(published)
    if made == published:
        raise ValueError("model.onnx has no convolutions of bytes")
    return {"products.onnx": made}


def with_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its convolutions of bytes as products, those that can be."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    tensors = {one.name: one for one in model.graph.initializer}
    products = _Products(tensors)
    nodes: list[NodeProto] = []
    replaced, needed = set[str](), set[str]()
    for node in model.graph.node:
        if _can_be_product(node, tensors):
            replaced.add(node.input[1])
            nodes += products.nodes(node)
        else:
            needed.update(node.input)
            nodes.append(node)
    kept = [one for name, one in tensors.items() if name not in replaced - needed]
    added = [numpy_helper.from_array(value, name) for name, value in products.constants.items()]
    for field in ("node", "initializer"):
        made.graph.ClearField(field)
    made.graph.node.extend(nodes)
    made.graph.initializer.extend([*kept, *added])
    return made


def _can_be_product(node: NodeProto, tensors: Tensors) -> bool:
    """Whether it is a convolution over time with known weights, at every moment, of all at once."""
    if node.op_type != "ConvInteger" or len(node.input) != 4:
        return False
    weights, zero = (tensors.get(name) for name in (node.input[1], node.input[3]))
    if weights is None or zero is None or len(weights.dims) != 3 or np.prod(zero.dims) != 1:
        return False
    asked = _attributes(node)
    every = (asked.get("strides", [1]), asked.get("group", 1)) == ([1], 1)
    by_hand = asked.get("auto_pad", b"NOTSET") == b"NOTSET"
    unsigned = weights.data_type == zero.data_type == TensorProto.UINT8
    return every and by_hand and unsigned and weights.dims[0] >= _FEWEST_OUTPUTS


class _Products:
    """Writes what does the work of convolutions; `constants` is what that needs, by name."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self.constants: dict[str, Array] = {}

    def nodes(self, node: NodeProto) -> Iterator[NodeProto]:
        """The nodes in a convolution's place."""
        source, weights, source_zero, weights_zero = node.input
        (output,) = node.output
        values = numpy_helper.to_array(self._tensors[weights])
        outputs, channels, seen = values.shape
        matrix = values.transpose(2, 1, 0).reshape(seen * channels, outputs)
        moments = f"{output}/moments"
        yield helper.make_node("Transpose", [source], [moments], perm=(0, 2, 1))
        if seen > 1:
            yield from self._seen(node, moments, f"{output}/seen", seen)
        rows = f"{output}/seen" if seen > 1 else moments
        signed = self._constant(f"{weights}/signed", _signed(matrix))
        zero_value = numpy_helper.to_array(self._tensors[weights_zero])
        zero = self._constant(f"{weights_zero}/signed", _signed(zero_value))
        factors = [rows, signed, source_zero, zero]
        yield helper.make_node("MatMulInteger", factors, [f"{output}/product"])
        yield helper.make_node("Transpose", [f"{output}/product"], [output], perm=(0, 2, 1))

    def _seen(self, node: NodeProto, moments: str, rows: str, seen: int) -> Iterator[NodeProto]:
        """What the weights see of each moment, side by side: taken by where it lies."""
        asked = _attributes(node)
        (apart,) = asked.get("dilations", [1])
        before, after = asked.get("pads", [0, 0])
        padded, last, first, at = (
            f"{moments}/{part}" for part in ("padded", "last", "first", "at")
        )
        pads = self._numbers(0, before, 0, 0, after, 0)
        yield helper.make_node("Pad", [moments, pads, node.input[2]], [padded])
        yield helper.make_node("Shape", [padded], [f"{padded}/length"], start=1, end=2)
        reach = self._numbers((seen - 1) * apart)
        yield helper.make_node("Sub", [f"{padded}/length", reach], [f"{last}/one"])
        yield helper.make_node("Squeeze", [f"{last}/one"], [last])
        yield helper.make_node("Range", [self._number(0), last, self._number(1)], [f"{first}/row"])
        yield helper.make_node("Unsqueeze", [f"{first}/row", self._numbers(1)], [first])
        yield helper.make_node("Add", [first, self._numbers(*range(0, seen * apart, apart))], [at])
        yield helper.make_node("Gather", [padded, at], [f"{at}/found"], axis=1)
        width = seen * self._tensors[node.input[1]].dims[1]
        yield helper.make_node("Reshape", [f"{at}/found", self._numbers(1, -1, width)], [rows])

    def _number(self, value: int) -> str:
        return self._constant(f"number/{value}", np.array(value, np.int64))

    def _numbers(self, *values: int) -> str:
        return self._constant("/".join(map(str, ("numbers", *values))), np.array(values, np.int64))

    def _constant(self, name: str, values: Array) -> str:
        self.constants[name] = values
        return name


def _signed(values: Array) -> Array:
    """Unsigned bytes, 128 less each."""
    return np.ascontiguousarray(values ^ 0x80).view(np.int8)


def _attributes(node: NodeProto) -> dict[str, Any]:
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}

"""Convolutions of bytes become matrix products that give the same integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from dubcast.models.convert import products
from dubcast.models.convert.products import with_products

CHANNELS, OUTPUTS = 20, 18


def model(
    outputs: int = OUTPUTS, seen: int = 3, kind: str = "uint8", **attributes: Any
) -> ModelProto:
    """`x` (1, CHANNELS, time), of bytes with the zero point `z`, through a convolution to `y`."""
    weights = np.random.default_rng(1).integers(0, 256, (outputs, CHANNELS, seen)).astype(np.uint8)
    constants = {"w": weights, "wz": np.array(121, np.uint8)}
    if kind == "int8":
        constants = {name: (one ^ 0x80).view(np.int8) for name, one in constants.items()}
    node = helper.make_node("ConvInteger", ["x", "w", "z", "wz"], ["y"], **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.UINT8, (1, CHANNELS, "time")),
            helper.make_tensor_value_info("z", TensorProto.UINT8, ()),
        ],
        [helper.make_tensor_value_info("y", TensorProto.INT32, (1, outputs, "out"))],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def computed(network: ModelProto, moments: int) -> np.ndarray:
    # So small that a processor that adds up in 16 bits does not overflow.
    x = np.random.default_rng(2).integers(0, 100, (1, CHANNELS, moments)).astype(np.uint8)
    session = onnxruntime.InferenceSession(
        network.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"x": x, "z": np.array(57, np.uint8)})[0])


def kinds(network: ModelProto) -> list[str]:
    return [node.op_type for node in network.graph.node]


@pytest.mark.parametrize(
    ("seen", "attributes"),
    [
        (1, {}),
        (1, {"pads": [0, 0], "auto_pad": "NOTSET"}),
        (3, {}),
        (3, {"pads": [1, 1], "strides": [1], "group": 1}),
        (3, {"pads": [2, 0]}),
        (5, {"pads": [6, 4], "dilations": [3]}),
    ],
)
@pytest.mark.parametrize("moments", [17, 64])
def test_a_convolution_is_a_product_with_the_same_result(
    seen: int, attributes: dict[str, Any], moments: int
) -> None:
    before = model(seen=seen, **attributes)
    after = with_products(before)
    onnx.checker.check_model(after, full_check=True)
    assert "ConvInteger" not in kinds(after)
    np.testing.assert_array_equal(computed(after, moments), computed(before, moments))


@pytest.mark.parametrize(
    "other",
    [
        model(strides=[2]),
        model(outputs=4),
        model(auto_pad="SAME_UPPER"),
        model(kind="int8"),
    ],
)
def test_what_cannot_be_one_or_would_not_pay_stays_as_it_is(other: ModelProto) -> None:
    assert with_products(other) == other


def test_the_weights_are_there_once() -> None:
    held = {one.name for one in with_products(model()).graph.initializer}
    assert "w" not in held
    assert "w/signed" in held


def test_weights_that_something_else_reads_stay() -> None:
    read = model()
    read.graph.node.append(helper.make_node("Shape", ["w"], ["shape"]))
    after = with_products(read)
    assert {"w", "w/signed"} <= {one.name for one in after.graph.initializer}


def test_a_network_without_such_convolutions_is_another_than_the_one_known(tmp_path: Path) -> None:
    onnx.save(model(strides=[2]), tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="no convolutions of bytes"):
        products.convert(tmp_path)
    onnx.save(model(), tmp_path / "model.onnx")
    assert products.convert(tmp_path) == {"products.onnx": with_products(model())}

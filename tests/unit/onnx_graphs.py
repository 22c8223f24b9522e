"""Small recurrent graphs, built as PyTorch exports them, that the conversions are tried on."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

HIDDEN = 3
WIDTH = 2


def recurrent_graph(layers: int) -> ModelProto:
    """`x` (time, 1, WIDTH) through GRU layers side by side, which begin from zeros.

    Outputs `y0`, `y1`, ..., each (time, 1, 1, HIDDEN).
    """
    rng = np.random.default_rng(0)
    shapes = {"w": (3 * HIDDEN, WIDTH), "r": (3 * HIDDEN, HIDDEN), "b": (6 * HIDDEN,)}
    weights = {
        f"{name}{layer}": rng.standard_normal((1, *shape)).astype(np.float32)
        for layer in range(layers)
        for name, shape in shapes.items()
    }
    weights["zero"] = np.zeros((1, 1, HIDDEN), dtype=np.float32)
    nodes = [
        helper.make_node(
            "GRU",
            ["x", f"w{layer}", f"r{layer}", f"b{layer}", "", "zero"],
            [f"y{layer}", f"h{layer}"],
            hidden_size=HIDDEN,
        )
        for layer in range(layers)
    ]
    shape = ("time", 1, 1, HIDDEN)
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("time", 1, WIDTH))],
        [helper.make_tensor_value_info(f"y{k}", TensorProto.FLOAT, shape) for k in range(layers)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

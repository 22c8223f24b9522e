"""What runs Kokoro's network on a CPU: onnxruntime, or OpenVINO.

Texts have any length, so both are given inputs whose length is open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dubcast.errors import MissingPartError
from dubcast.sts.providers.interface import Float
from dubcast.sts.providers.onnx_session import open_session
from dubcast.sts.synthesis import MODEL, Engine, network_file

RATE = 24_000
STYLE = 256


class Network(Protocol):
    """Kokoro, loaded. Safe to use from several threads."""

    def audio(self, tokens: list[int], style: Float) -> Float:
        """24 kHz speech of phonemes, in a voice's style of 256 values."""


def open_network(engine: Engine, folder: Path, threads: int) -> Network:
    """Load the network in a folder; `threads` work on one text.

    Raises MissingPartError if the engine is not installed.
    """
    if engine == "openvino":
        return _OpenVino(folder / MODEL, threads)
    return _OnnxRuntime(network_file(folder), threads)


def inputs(tokens: list[int], style: Float) -> dict[str, Any]:
    """The network's inputs; 0 is the pad at both ends."""
    return {
        "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
        "style": style.reshape(1, STYLE),
        "speed": np.ones(1, dtype=np.float32),
    }


class _OnnxRuntime:
    def __init__(self, model: Path, threads: int) -> None:
        self._session = open_session(model, threads)

    def audio(self, tokens: list[int], style: Float) -> Float:
        found = self._session.run(None, inputs(tokens, style))[0]
        return np.asarray(found, np.float32).ravel()


class _OpenVino:
    """In bfloat16 where the processor computes in it, else in float32."""

    def __init__(self, model: Path, threads: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingPartError(
                "openvino is missing: pip install 'dubcast[openvino]'"
            ) from error
        core = openvino.Core()
        for extension in _without_quantization(openvino):
            core.add_extension(extension)
        self._own = threading.local()  # a request is one thread's
        self._compiled = core.compile_model(
            core.read_model(model),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if _has_bf16(core) else "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
            },
        )

    def audio(self, tokens: list[int], style: Float) -> Float:
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        self._own.request.infer(inputs(tokens, style))
        found = self._own.request.get_output_tensor(0).data
        return np.array(found, np.float32).ravel()  # a copy: the tensor is written again


def _has_bf16(core: Any) -> bool:
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _without_quantization(openvino: Any) -> list[Any]:
    """Readers of the ONNX operators by which a file computes in 8-bit integers: they make it
    compute in floats, with the weights that the file has.

    OpenVINO itself would go on quantizing what goes through the network, and compute in floats
    all the same, which takes two thirds more time. A file that has no such operators is read as
    it is.
    """
    from openvino import opset14 as ops
    from openvino.frontend.onnx import ConversionExtension

    readers: dict[str, Callable[[Any], list[Any]]] = {
        "DynamicQuantizeLinear": lambda node: [
            node.get_input(0),
            ops.constant(np.float32(1)).output(0),
            ops.constant(np.uint8(0)).output(0),
        ],
        "MatMulInteger": lambda node: ops.matmul(
            node.get_input(0), _weights(ops, node), False, False
        ).outputs(),
        "ConvInteger": lambda node: _convolution(ops, node),
        "Cast": lambda node: _cast(ops, openvino, node),
    }
    return [ConversionExtension(name, reader) for name, reader in readers.items()]


def _weights(ops: Any, node: Any) -> Any:
    """The second input without its zero point (the fourth), in floats.

    They are subtracted here: what is left in the graph would be done for every text.
    """
    values = node.get_input(1).get_node().data.astype(np.float32)
    if node.get_input_size() > 3:
        values = values - node.get_input(3).get_node().data.astype(np.float32)
    return ops.constant(np.ascontiguousarray(values))


def _convolution(ops: Any, node: Any) -> list[Any]:
    weights = _weights(ops, node)
    sides = len(weights.get_shape()) - 2

    def numbers(name: str, default: list[int]) -> list[int]:
        return list(node.get_attribute(name)) if node.has_attribute(name) else default

    pads = numbers("pads", [0] * 2 * sides)
    strides, dilations = numbers("strides", [1] * sides), numbers("dilations", [1] * sides)
    found = ops.convolution(
        node.get_input(0), weights, strides, pads[:sides], pads[sides:], dilations
    )
    return list(found.outputs())


# ONNX's numbers of element types.
_INT32 = 6
_TYPES = {1: "f32", 2: "u8", 3: "i8", _INT32: "i32", 7: "i64", 9: "boolean", 10: "f16", 11: "f64"}


def _cast(ops: Any, openvino: Any, node: Any) -> list[Any]:
    """A cast; where a bias is rounded to an integer of the product's scale, which is coarse
    without quantization, neither rounding nor cast."""
    value, to = node.get_input(0), node.get_attribute("to")
    source = value.get_node()
    if to == _INT32 and source.get_type_name() == "Floor":
        return [source.input_value(0)]
    wanted = getattr(openvino.Type, _TYPES[to])
    return [value] if value.get_element_type() == wanted else ops.convert(value, wanted).outputs()

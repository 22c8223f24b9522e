"""The inference engine of the ONNX models; imported by separation alone, and lazily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dubcast.errors import MissingPartError
from dubcast.separation import onnxfile


def streaming_session(model: bytes, layers: int, hidden: int, unpadded: Sequence[str] = ()) -> Any:
    """A session whose memory comes in and goes out, as `onnxfile.streaming` says.

    Raises MissingPartError if the model is not built as expected.
    """
    try:
        return session(onnxfile.streaming(model, layers, hidden, unpadded))
    except ValueError as error:
        raise MissingPartError(f"a separation model cannot be used: {error}") from error


def session(model: bytes) -> Any:
    """An ONNX Runtime session of one thread. Raises MissingPartError."""
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise MissingPartError(
            "the separator needs ONNX Runtime: pip install 'dubcast[worker]'"
        ) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the engine's border: its errors have no common base
        raise MissingPartError(f"ONNX Runtime refused a separation model: {error}") from error

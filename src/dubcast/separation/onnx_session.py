"""The inference engine of the ONNX models; imported by separation alone, and lazily."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dubcast.errors import MissingPartError


def session(model: Path) -> Any:
    """An ONNX Runtime session of one thread for a model's file.

    Raises MissingPartError if there is no ONNX Runtime, or it refuses the model.
    """
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
        return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the engine's border: its errors have no common base
        raise MissingPartError(
            f"ONNX Runtime refused {model}: {error}; `dubcast models verify` tells a damaged file"
        ) from error

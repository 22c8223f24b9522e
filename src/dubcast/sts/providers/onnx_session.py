"""Opens ONNX models for synthesis on onnxruntime, on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dubcast.errors import MissingPartError


def open_session(model: Path, threads: int) -> Any:
    """A session that computes one text with so many threads. Raises MissingPartError."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPartError("onnxruntime is missing: pip install 'dubcast[sts]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would take the core that the other models and the media path need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

"""NSNet2: the state of its two recurrent layers goes in and out.

The published graph starts its layers from zero at every call.
"""

from __future__ import annotations

from pathlib import Path

import onnx

from dubcast.models.convert.streaming import streaming

_LAYERS = 2


def convert(folder: Path) -> dict[str, onnx.ModelProto]:
    """`streaming.onnx` out of `model.onnx`. Raises ValueError if it is built otherwise."""
    return {"streaming.onnx": streaming(onnx.load_model(folder / "model.onnx"), _LAYERS)}

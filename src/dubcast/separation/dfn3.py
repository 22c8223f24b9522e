"""DeepFilterNet3 through its C library: the speech in a mono stream, 10 ms frames at 48 kHz.

Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement", 2023. The
library is foreign code that aborts its process when it dislikes a model: load it only in the
separation process.
"""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import Float
from dubcast.errors import MissingPartError
from dubcast.separation.base import Fifo

FRAME = 480
# Of output against input, measured by correlation: two windows of look-ahead and one frame.
DELAY = 1440
# The model works on the level too: on a quiet programme (-41 dBFS) it loses 5 dB of its estimate,
# from -31 dBFS up nothing. Its samples are floats, so a boost cannot clip them.
_BOOST = np.float32(4.0)
_NO_LIMIT_DB = 100.0  # a limit would leave background in the "speech", to be removed from the mix
_MODELS = {"x86_64": "dfn3-x86-64", "aarch64": "dfn3-aarch64"}


def model_name() -> str:
    """The manifest's name of the library and model for this machine.

    Raises MissingPartError where no library is published for the processor.
    """
    machine = platform.machine()
    if machine not in _MODELS:
        raise MissingPartError(
            f"DeepFilterNet3 has no library for {machine}: choose another separator"
        )
    return _MODELS[machine]


class DeepFilter:
    """Estimates the speech of one stream. `folder` holds the library and the model.

    Raises MissingPartError if the library does not load or refuses the model.
    """

    behind = DELAY + FRAME - 1

    def __init__(self, folder: Path) -> None:
        self._library = _load(folder / "libdeepfilter.so")
        self._model = folder / "DeepFilterNet3_onnx.tar.gz"
        self._state: int | None = None
        self.reset()

    def reset(self) -> None:
        self.close()
        self._state = self._library.df_create(str(self._model).encode(), _NO_LIMIT_DB, None)
        if not self._state:
            raise MissingPartError(f"{self._model}: DeepFilterNet refused the model")
        if self._library.df_get_frame_length(self._state) != FRAME:
            raise MissingPartError(f"{self._model}: not a model with frames of {FRAME} samples")
        self._waiting = Fifo(1)
        self._skip = DELAY

    def close(self) -> None:
        """Free the library's state; harmless when repeated."""
        if self._state:
            self._library.df_free(self._state)
            self._state = None

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            self.close()

    def estimate(self, mid: Float) -> Float:
        self._waiting.push(mid[:, np.newaxis] * _BOOST)
        frames = len(self._waiting) // FRAME
        source = np.ascontiguousarray(self._waiting.pop(frames * FRAME)[:, 0])
        speech = np.empty_like(source)
        for at in range(0, len(source), FRAME):
            offset = at * source.itemsize
            self._library.df_process_frame(
                self._state, source.ctypes.data + offset, speech.ctypes.data + offset
            )
        drop = min(self._skip, len(speech))
        self._skip -= drop
        return speech[drop:] / _BOOST


def _load(path: Path) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(path))
        library.df_create.restype = ctypes.c_void_p
        library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        library.df_free.restype = None
        library.df_free.argtypes = [ctypes.c_void_p]
        library.df_get_frame_length.restype = ctypes.c_size_t
        library.df_get_frame_length.argtypes = [ctypes.c_void_p]
        library.df_process_frame.restype = ctypes.c_float
        library.df_process_frame.argtypes = [ctypes.c_void_p] * 3
    except (OSError, AttributeError) as error:
        raise MissingPartError(f"{path} cannot be loaded: {error}") from error
    return library

"""Speech synthesis on a GPU: Kokoro-82M in torch, in batches of what waits.

The weights are those that the CPU's provider runs, in floating point. onnxruntime is not used: its
build for GPUs cannot be installed beside the one for CPUs, and runs this model slowly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dubcast.errors import MissingPartError, StsError
from dubcast.languages import catalogue
from dubcast.sts.duration import trim
from dubcast.sts.providers import cuda
from dubcast.sts.providers.interface import Float, Speech, TtsCapabilities, TtsProvider, TtsTask
from dubcast.sts.providers.kokoro_groups import WIDTHS, Line
from dubcast.sts.providers.kokoro_text import MAX_TOKENS, pieces
from dubcast.sts.providers.kokoro_weights import load
from dubcast.sts.providers.phonemes import Espeak
from dubcast.sts.providers.registry import Device, Setup

RATE = 24_000
BATCH_MAX = WIDTHS[-1]
_STYLE = 256
# Phonemes come from another program: several are asked for at a time.
_SPELLERS = 4


class KokoroTorchTts(TtsProvider):
    """Kokoro from `model.onnx` or `kokoro-v1_0.pth` and `vocab.json`; voices in another folder."""

    def __init__(
        self,
        folder: Path,
        voices_folder: Path,
        capabilities: TtsCapabilities,
        device: Device,
        memory_gb: float | None = None,
    ) -> None:
        self.capabilities = replace(capabilities, batch_max=BATCH_MAX)
        self._folder = folder
        self._voices_folder = voices_folder
        self._device = device
        self._memory_gb = memory_gb
        self._batches: Any = None
        self._vocab: dict[str, int] = {}
        self._styles: dict[str, Float] = {}
        self._espeak: Espeak | None = None
        self._spellers = ThreadPoolExecutor(_SPELLERS, "sts-phonemes")

    def load(self) -> None:
        if self._device == "cuda":
            cuda.torch_on_gpu(self._memory_gb)
        self._espeak = Espeak()
        vocab = json.loads((self._folder / "vocab.json").read_text(encoding="utf-8"))
        self._vocab = vocab["vocab"]
        self._batches = self._network()
        default = next(voice for voice in self.capabilities.voices if voice.default)
        self.run([TtsTask("Ok.", default)])

    def _network(self) -> Any:
        try:
            from dubcast.sts.providers.kokoro_batches import KokoroBatches
            from dubcast.sts.providers.kokoro_network import Kokoro, tensors
        except ImportError as error:
            raise MissingPartError(
                f"{error.name} is missing: pip install 'dubcast[gpu]'"
            ) from error
        network = Kokoro(tensors(load(self._folder)))
        if self._device == "cuda":
            network.to_cuda()
        batches = KokoroBatches(network)
        if self._device == "cuda":
            batches.record(BATCH_MAX)
        return batches

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        texts = list(self._spellers.map(self._tokens, batch))
        lines = [
            # The style depends on the length of the text.
            Line(tuple(tokens), self._style(task.voice.name)[len(tokens) - 1])
            for task, text in zip(batch, texts, strict=True)
            for tokens in text
        ]
        spoken = iter(self._batches.speak(lines))
        nothing = [np.zeros(0, np.float32)]
        joined = [np.concatenate([next(spoken) for _ in text] or nothing) for text in texts]
        return [Speech(trim(samples, RATE), RATE) for samples in joined]

    def close(self) -> None:
        self._batches = None
        self._spellers.shutdown(cancel_futures=True)
        if self._espeak is not None:
            self._espeak.close()

    def _tokens(self, task: TtsTask) -> list[list[int]]:
        variety = catalogue.variety(task.voice.language)
        if variety is None or self._espeak is None:
            message = f"voice {task.voice.name} speaks {task.voice.language}, which is not set up"
            raise StsError("INVALID_INPUT", message, retryable=False)
        sounds = self._espeak.phonemes(task.text, variety)
        known = "".join(char for char in sounds if char in self._vocab)
        return [[self._vocab[char] for char in piece] for piece in pieces(known, MAX_TOKENS)]

    def _style(self, voice: str) -> Float:
        """Style vectors of a voice by text length, shape (510, 256)."""
        if voice not in self._styles:
            data = np.fromfile(self._voices_folder / f"{voice}.bin", dtype="<f4")
            self._styles[voice] = data.reshape(-1, _STYLE)
        return self._styles[voice]


def on_gpu(setup: Setup, voices_folder: Path, capabilities: TtsCapabilities) -> KokoroTorchTts:
    """The provider for a setup whose device is a GPU. Raises MissingPartError."""
    return KokoroTorchTts(
        setup.folder(), voices_folder, capabilities, setup.device, setup.gpu_memory_gb
    )

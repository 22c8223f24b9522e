"""Speech synthesis on a GPU: Kokoro-82M in torch, in batches of what waits.

The weights are those that the CPU's provider runs, in floating point. onnxruntime is not used: its
build for GPUs cannot be installed beside the one for CPUs, and runs this model slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dubcast.errors import MissingPartError
from dubcast.sts.duration import trim
from dubcast.sts.providers import cuda
from dubcast.sts.providers.interface import Speech, TtsCapabilities, TtsProvider, TtsTask
from dubcast.sts.providers.kokoro_engines import RATE
from dubcast.sts.providers.kokoro_groups import WIDTHS, Line
from dubcast.sts.providers.kokoro_inputs import KokoroInputs
from dubcast.sts.providers.kokoro_weights import load
from dubcast.sts.providers.registry import Device, Setup

BATCH_MAX = WIDTHS[-1]
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
        self._inputs: KokoroInputs | None = None
        self._spellers = ThreadPoolExecutor(_SPELLERS, "sts-phonemes")

    def load(self) -> None:
        if self._device == "cuda":
            cuda.torch_on_gpu(self._memory_gb)
        self._inputs = KokoroInputs(self._folder, self._voices_folder)
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
        assert self._inputs is not None
        texts = list(self._spellers.map(self._inputs.tokens, batch))
        lines = [
            Line(tuple(tokens), self._inputs.style(task.voice.name, len(tokens)))
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
        if self._inputs is not None:
            self._inputs.close()


def on_gpu(setup: Setup, voices_folder: Path, capabilities: TtsCapabilities) -> KokoroTorchTts:
    """The provider for a setup whose device is a GPU. Raises MissingPartError."""
    return KokoroTorchTts(
        setup.folder(), voices_folder, capabilities, setup.device, setup.gpu_memory_gb
    )

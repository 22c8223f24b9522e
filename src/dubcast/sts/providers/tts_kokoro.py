"""Speech synthesis: Kokoro-82M (ONNX), at its natural speed.

The fitter changes the tempo afterwards: Kokoro's own `speed` costs far more intelligibility and
does not hit the length that it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from dubcast import log
from dubcast.errors import StsError
from dubcast.languages import catalogue
from dubcast.sts.duration import trim
from dubcast.sts.providers.gpu_else_cpu import TtsGpuElseCpu
from dubcast.sts.providers.interface import (
    Float,
    Speech,
    TtsCapabilities,
    TtsProvider,
    TtsTask,
    Voice,
)
from dubcast.sts.providers.kokoro_engines import STYLE, Network, open_network
from dubcast.sts.providers.kokoro_text import MAX_TOKENS, pieces
from dubcast.sts.providers.kokoro_torch import on_gpu
from dubcast.sts.providers.phonemes import Espeak
from dubcast.sts.providers.registry import Registration, Setup
from dubcast.sts.synthesis import Engine, Subject, engine_for

RATE = 24_000
_VOICES_MODEL = "kokoro-voices"
# The first letter of a voice's name is the language that it speaks, the second its gender. Its
# Japanese and Chinese voices (j, z) learned phonemes that espeak-ng does not make: they are not
# offered.
_LANGUAGES = {
    "a": "en-US",
    "b": "en-GB",
    "e": "es",
    "f": "fr-FR",
    "h": "hi",
    "i": "it",
    "p": "pt-BR",
}
_DEFAULTS = {"af_heart", "pf_dora"}


class KokoroTts(TtsProvider):
    """On a CPU: `model.onnx` and `vocab.json` in one folder, voices (`<name>.bin`) in another."""

    def __init__(
        self, folder: Path, voices_folder: Path, capabilities: TtsCapabilities, setup: Setup
    ) -> None:
        self.capabilities = capabilities
        self._folder = folder
        self._voices_folder = voices_folder
        self._setup = setup
        self._network: Network | None = None
        self._vocab: dict[str, int] = {}
        self._styles: dict[str, Float] = {}
        self._espeak: Espeak | None = None

    def load(self) -> None:
        self._espeak = Espeak()
        vocab = json.loads((self._folder / "vocab.json").read_text(encoding="utf-8"))
        self._vocab = vocab["vocab"]
        self._network = open_network(self._engine(), self._folder, self._setup.threads)
        for voice in self.capabilities.voices:
            if voice.default:
                self.run([TtsTask("Ok.", voice)])  # the first run of a session is slow

    def _engine(self) -> Engine:
        """What runs the network: the best of what is installed, unless one is asked for.

        Raises MissingPartError if that is not installed.
        """
        subject = Subject(self._folder, self._voices_folder, self._setup.threads)
        engine, choice = engine_for(self._setup.engine, subject)
        log.get("tts").info("synthesis_engine", engine=engine, measured=str(choice or ""))
        return engine

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return [self._speak(task) for task in batch]

    def close(self) -> None:
        self._network = None
        if self._espeak is not None:
            self._espeak.close()

    def _speak(self, task: TtsTask) -> Speech:
        variety = catalogue.variety(task.voice.language)
        if variety is None or self._espeak is None:
            message = f"voice {task.voice.name} speaks {task.voice.language}, which is not set up"
            raise StsError("INVALID_INPUT", message, retryable=False)
        tokens = self._tokens(self._espeak.phonemes(task.text, variety))
        style = self._style(task.voice.name)
        pieces = [self._synthesize(piece, style) for piece in tokens]
        return Speech(trim(np.concatenate(pieces or [np.zeros(0, np.float32)]), RATE), RATE)

    def _tokens(self, sounds: str) -> list[list[int]]:
        known = "".join(char for char in sounds if char in self._vocab)
        return [[self._vocab[char] for char in piece] for piece in pieces(known, MAX_TOKENS)]

    def _synthesize(self, tokens: list[int], style: Float) -> Float:
        assert self._network is not None
        # The style depends on the length of the text.
        return self._network.audio(tokens, style[len(tokens) - 1])

    def _style(self, voice: str) -> Float:
        """Style vectors of a voice by text length, shape (510, 256)."""
        if voice not in self._styles:
            data = np.fromfile(self._voices_folder / f"{voice}.bin", dtype="<f4")
            self._styles[voice] = data.reshape(-1, STYLE)
        return self._styles[voice]


def voices(names: Iterable[str]) -> list[Voice]:
    """Voices by their names (`pf_dora`); a name of another form or language is left out."""
    found = []
    for name in sorted(names):
        language = _LANGUAGES.get(name[:1])
        if language is None or name[1:3] not in ("f_", "m_"):
            continue
        gender: Literal["female", "male"] = "female" if name[1] == "f" else "male"
        found.append(Voice(name, language, gender, name in _DEFAULTS, "kokoro"))
    return found


def _offers(setup: Setup) -> TtsCapabilities:
    entries = {model.name: model.entry for model in setup.store.entries()}
    names = (Path(file).stem for file in entries[_VOICES_MODEL].files)
    return TtsCapabilities(model=setup.model_name, voices=tuple(voices(names)))


def _create(setup: Setup) -> TtsProvider:
    if setup.device == "cpu":
        return _on_cpu(setup)
    gpu = on_gpu(setup, setup.store.path(_VOICES_MODEL), _offers(setup))
    return TtsGpuElseCpu(gpu, lambda: _on_cpu(setup))


def _on_cpu(setup: Setup) -> KokoroTts:
    return KokoroTts(setup.folder(), setup.store.path(_VOICES_MODEL), _offers(setup), setup)


PROVIDER = Registration(
    create=_create, offers=_offers, models=("kokoro-82m-int8",), beside=(_VOICES_MODEL,)
)

"""Speech synthesis: Kokoro-82M (ONNX), at its natural speed.

The fitter changes the tempo afterwards: Kokoro's own `speed` costs far more intelligibility and
does not hit the length that it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from dubcast import log
from dubcast.errors import MissingPartError
from dubcast.sts.duration import trim
from dubcast.sts.providers.gpu_else_cpu import TtsGpuElseCpu
from dubcast.sts.providers.interface import Speech, TtsCapabilities, TtsProvider, TtsTask, Voice
from dubcast.sts.providers.kokoro_engines import RATE, Network, open_network
from dubcast.sts.providers.kokoro_inputs import KokoroInputs
from dubcast.sts.providers.kokoro_torch import on_gpu
from dubcast.sts.providers.registry import Registration, Setup
from dubcast.sts.synthesis import MODEL, USUAL, Engine, Subject, engine_for, slower_than_could_be

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
        self._inputs: KokoroInputs | None = None

    def load(self) -> None:
        if not (self._folder / MODEL).is_file():
            raise MissingPartError(
                f"{self._folder} has no {MODEL}, from which Kokoro speaks on a CPU: put it there, "
                "or unset sts_server.tts_model and run `dubcast models pull`"
            )
        self._inputs = KokoroInputs(self._folder, self._voices_folder)
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
        slower = slower_than_could_be(self._folder)
        if engine == USUAL and slower:
            log.get("tts").info("synthesis_slower", reason=slower)
        return engine

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return [self._speak(task) for task in batch]

    def close(self) -> None:
        self._network = None
        if self._inputs is not None:
            self._inputs.close()

    def _speak(self, task: TtsTask) -> Speech:
        assert self._network is not None
        assert self._inputs is not None
        parts = [
            self._network.audio(tokens, self._inputs.style(task.voice.name, len(tokens)))
            for tokens in self._inputs.tokens(task)
        ]
        return Speech(trim(np.concatenate(parts or [np.zeros(0, np.float32)]), RATE), RATE)


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

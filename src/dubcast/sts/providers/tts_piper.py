"""Speech synthesis: Piper's voices (VITS, ONNX), a file each, at their natural speed.

A folder holds the voices: `de_DE-thorsten-medium.onnx` with `de_DE-thorsten-medium.onnx.json`. They
are loaded when they are first asked to speak, and the latest few stay in memory. They run on the
CPU, wherever other stages do.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dubcast.errors import MissingPartError
from dubcast.languages import catalogue
from dubcast.sts.duration import trim
from dubcast.sts.providers.interface import (
    Float,
    Speech,
    TtsCapabilities,
    TtsProvider,
    TtsTask,
    Voice,
)
from dubcast.sts.providers.onnx_session import open_session
from dubcast.sts.providers.phonemes import Espeak
from dubcast.sts.providers.piper_voice import PiperVoice, language_tag, read_voice
from dubcast.sts.providers.registry import Registration, Setup

MODEL = "piper-en-us-joe-medium"
_CONFIG = ".onnx.json"
# A voice takes some 100 MB of memory.
_IN_MEMORY = 4


class PiperTts(TtsProvider):
    """The voices of one folder."""

    def __init__(self, folder: Path, capabilities: TtsCapabilities, threads: int) -> None:
        self.capabilities = capabilities
        self._folder = folder
        self._threads = threads
        self._voices = {name: voice for voice in installed(folder) for name in names(voice)}
        self._sessions: OrderedDict[str, Any] = OrderedDict()
        self._espeak: Espeak | None = None

    def load(self) -> None:
        self._espeak = Espeak()
        for voice in self.capabilities.voices[:1]:
            self.run([TtsTask("Ok.", voice)])  # the first run of a session is slow

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        return [self._speak(task) for task in batch]

    def close(self) -> None:
        self._sessions.clear()
        if self._espeak is not None:
            self._espeak.close()

    def _speak(self, task: TtsTask) -> Speech:
        voice = self._voices[task.voice.name]
        ids = voice.ids(self._phonemes(task.text, voice))
        inputs: dict[str, Any] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(voice.scales, np.float32),
        }
        if voice.several:
            speaker = voice.speakers.get(task.voice.name.partition("/")[2], 0)
            inputs["sid"] = np.array([speaker], np.int64)
        samples: Float = np.asarray(self._session(voice).run(None, inputs)[0], np.float32).ravel()
        return Speech(trim(samples, voice.rate_hz), voice.rate_hz)

    def _phonemes(self, text: str, voice: PiperVoice) -> str:
        if voice.espeak is None:
            return text
        assert self._espeak is not None
        return self._espeak.ipa(text, voice.espeak)

    def _session(self, voice: PiperVoice) -> Any:
        if voice.name not in self._sessions:
            path = self._folder / f"{voice.name}.onnx"
            self._sessions[voice.name] = open_session(path, self._threads)
            if len(self._sessions) > _IN_MEMORY:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(voice.name)
        return self._sessions[voice.name]


def installed(folder: Path) -> list[PiperVoice]:
    """The voices of a folder, by name. Raises MissingPartError that names a file that is none."""
    return list(_read(folder))


def _read(folder: Path) -> Iterator[PiperVoice]:
    for path in sorted(folder.glob(f"*{_CONFIG}")):
        name = path.name.removesuffix(_CONFIG)
        if not (folder / f"{name}.onnx").is_file():
            raise MissingPartError(f"{path} has no {name}.onnx beside it")
        try:
            yield read_voice(name, path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise MissingPartError(f"{path}: {error}") from error


def names(voice: PiperVoice) -> list[str]:
    """What its speakers are called: by the file, and where there are several, `file/speaker`."""
    return [f"{voice.name}/{one}" for one in voice.speakers] or [voice.name]


def voices_of(languages: Mapping[str, str]) -> tuple[Voice, ...]:
    """Voices by name, with the language of each; those of no known language are left out."""
    return tuple(
        Voice(name, language, "unknown", engine="piper")
        for name, language in languages.items()
        if catalogue.find(language.partition("-")[0])
    )


def folder_voices(folder: Path) -> tuple[Voice, ...]:
    """What the voices of a folder can be asked for. Raises MissingPartError as `installed`."""
    found = installed(folder)
    return voices_of({name: voice.language for voice in found for name in names(voice)})


def _offers(setup: Setup) -> TtsCapabilities:
    """Of a folder what is in it; of the manifest's model what it will have."""
    pulled = {model.name: model.entry.files for model in setup.store.entries()}
    files = pulled.get(setup.model or "")
    if files is None:
        return TtsCapabilities(model=setup.model_name, voices=folder_voices(setup.folder()))
    stems = [Path(file).stem for file in files if file.endswith(".onnx")]
    languages = {stem: language_tag(stem.partition("-")[0]) for stem in stems}
    return TtsCapabilities(model=setup.model_name, voices=voices_of(languages))


def _create(setup: Setup) -> PiperTts:
    folder = setup.folder()
    if not installed(folder):
        raise setup.unusable(f"has no Piper voice: NAME.onnx and NAME{_CONFIG}")
    return PiperTts(folder, _offers(setup), setup.threads)


PROVIDER = Registration(create=_create, offers=_offers, models=(MODEL,))

"""What Kokoro's network is given for a text, whatever runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dubcast.errors import StsError
from dubcast.languages import catalogue
from dubcast.sts.providers.interface import Float, TtsTask
from dubcast.sts.providers.kokoro_engines import STYLE
from dubcast.sts.providers.kokoro_text import MAX_TOKENS, pieces
from dubcast.sts.providers.phonemes import Espeak


class KokoroInputs:
    """Of `vocab.json` in one folder and voices (`<name>.bin`) in another. Runs espeak-ng.

    Raises MissingPartError on creation if that is missing. Safe to use from several threads.
    """

    def __init__(self, folder: Path, voices_folder: Path) -> None:
        self._espeak = Espeak()
        self._vocab: dict[str, int] = json.loads(
            (folder / "vocab.json").read_text(encoding="utf-8")
        )["vocab"]
        self._voices_folder = voices_folder
        self._styles: dict[str, Float] = {}

    def tokens(self, task: TtsTask) -> list[list[int]]:
        """The phonemes of a text in pieces that the network takes. Raises StsError."""
        variety = catalogue.variety(task.voice.language)
        if variety is None:
            message = f"voice {task.voice.name} speaks {task.voice.language}, which is not set up"
            raise StsError("INVALID_INPUT", message, retryable=False)
        sounds = self._espeak.phonemes(task.text, variety)
        known = "".join(char for char in sounds if char in self._vocab)
        return [[self._vocab[char] for char in piece] for piece in pieces(known, MAX_TOKENS)]

    def style(self, voice: str, count: int) -> Float:
        """A voice's style for a text of so many tokens, on which it depends."""
        if voice not in self._styles:
            data = np.fromfile(self._voices_folder / f"{voice}.bin", dtype="<f4")
            self._styles[voice] = data.reshape(-1, STYLE)
        found: Float = self._styles[voice][count - 1]
        return found

    def close(self) -> None:
        """End espeak-ng."""
        self._espeak.close()

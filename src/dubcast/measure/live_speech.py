"""What live-paced streams say: a recording, or the demo's narration, cut where it pauses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import RATE, Int16
from dubcast.config import Settings
from dubcast.errors import MediaError
from dubcast.measure import speech_models
from dubcast.measure.live_load import Programme, programme
from dubcast.measure.narrated import narrated
from dubcast.measure.recording import ffmpeg_program


def samples(settings: Settings, audio: Path | None = None) -> Int16:
    """The sound of a file, mono at 48 kHz; without one the demo's narration, made if need be.

    Raises MediaError if the file cannot be read, MissingPartError without the narrator's voice.
    """
    file = audio or narrated(settings).speech
    argv = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", "-nostdin", "-i", str(file)]
    argv += ["-vn", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        told = done.stderr.decode(errors="replace").strip() or "there is no sound in it"
        raise MediaError(f"{file.name} cannot be read: {told}")
    return np.frombuffer(done.stdout, dtype="<i2")


def cut(sound: Int16, longest_s: float) -> Programme:
    """The fragments of a sound, of at most `longest_s`. Raises MediaError if nobody speaks."""
    stereo = np.repeat(sound[:, None], 2, axis=1)
    spans = speech_models.speech_spans(stereo, longest_s)
    if not spans:
        raise MediaError("nobody speaks in it")
    return programme(sound, spans)

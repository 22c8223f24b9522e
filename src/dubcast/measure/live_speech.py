"""What live-paced streams say: a recording, or the demo's narration, cut where it pauses."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import RATE, Int16
from dubcast.config import Settings
from dubcast.errors import MediaError
from dubcast.measure import speech_models
from dubcast.measure.live_load import Programme, programme
from dubcast.measure.narrated import narrated
from dubcast.measure.recording import ffmpeg_program

# Between the sentences of the narration: speakers on air hardly pause longer.
_PAUSE_S = 0.3


def samples(settings: Settings, audio: Path | None = None) -> Int16:
    """The sound of a file, mono at 48 kHz; without one the demo's narration, made if need be,
    without its long pauses.

    Raises MediaError if the file cannot be read, MissingPartError without the narrator's voice.
    """
    if audio is not None:
        return _decoded(audio)
    sound = _decoded(narrated(settings).speech)
    pause = np.zeros(round(_PAUSE_S * RATE), dtype="<i2")
    parts = [part for start, stop in _spans(sound) for part in (sound[start:stop], pause)]
    return np.concatenate(parts)


def cut(sound: Int16, longest_s: float) -> Programme:
    """The fragments of a sound, of at most `longest_s`, and not much shorter where nobody pauses
    for long. Raises MediaError if nobody speaks."""
    spans = joined(_spans(sound, longest_s), round(longest_s * RATE), round(2 * _PAUSE_S * RATE))
    if not spans:
        raise MediaError("nobody speaks in it")
    return programme(sound, spans)


def joined(
    spans: Sequence[tuple[int, int]], longest: int, widest_gap: int
) -> list[tuple[int, int]]:
    """Spans with their neighbours, as long as none is longer than `longest`, or has a gap wider
    than `widest_gap` in it. Pure."""
    found: list[tuple[int, int]] = []
    for start, stop in spans:
        if found and start - found[-1][1] <= widest_gap and stop - found[-1][0] <= longest:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def _spans(sound: Int16, *longest_s: float) -> list[tuple[int, int]]:
    return speech_models.speech_spans(np.repeat(sound[:, None], 2, axis=1), *longest_s)


def _decoded(file: Path) -> Int16:
    argv = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", "-nostdin", "-i", str(file)]
    argv += ["-vn", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        told = done.stderr.decode(errors="replace").strip() or "there is no sound in it"
        raise MediaError(f"{file.name} cannot be read: {told}")
    return np.frombuffer(done.stdout, dtype="<i2")

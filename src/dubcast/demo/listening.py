"""Sound to listen to within the page: compressed by the ffmpeg program, as data URIs."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dubcast.demo.plots import Sound
from dubcast.errors import MediaError
from dubcast.measure.recording import ffmpeg_program

# Base64 makes 4 bytes of 3; with the plots the page stays below 6 MB.
_BUDGET_BYTES = 3_200_000
_LEAST_BPS, _MOST_BPS = 24_000, 96_000
# Whatever begins this soon begins at 0: then the player's time is the plots' time.
_NEAR_ZERO_S = 10.0


def begin_s(sounds: Sequence[Sound]) -> float:
    """The stream time at which players of these sounds begin, all together."""
    first = min((sound.start_s for sound in sounds), default=0.0)
    return 0.0 if 0 <= first < _NEAR_ZERO_S else first


def rate_bps(total_s: float) -> int:
    """Bits per second with which so many seconds of sound fit into a page."""
    return round(min(_MOST_BPS, max(_LEAST_BPS, 8 * _BUDGET_BYTES / max(total_s, 1.0))))


def data_uri(sound: Sound, begin: float, bps: int) -> str:
    """The sound from stream time `begin` on as AAC in MP4, silent before it starts.

    Raises MissingPartError without the ffmpeg program, MediaError if it fails.
    """
    channels = 1 if sound.samples.ndim == 1 else sound.samples.shape[1]
    silence = round((sound.start_s - begin) * sound.rate_hz)
    whole = np.concatenate([np.zeros((silence, channels), "<f4"), _wide(sound)])
    with tempfile.TemporaryDirectory(prefix="dubcast-listen-") as folder:
        out = Path(folder) / "sound.m4a"
        command = [ffmpeg_program(), "-hide_banner", "-v", "error", "-f", "f32le"]
        command += ["-ar", str(sound.rate_hz), "-ac", str(channels), "-i", "pipe:0"]
        command += ["-c:a", "aac", "-b:a", str(bps), "-bitexact", "-movflags", "+faststart"]
        done = subprocess.run(
            [*command, str(out)], input=whole.tobytes(), capture_output=True, check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise MediaError(f"sound for the report cannot be encoded: {said[-1]}")
        return "data:audio/mp4;base64," + base64.b64encode(out.read_bytes()).decode("ascii")


def _wide(sound: Sound) -> np.ndarray:
    samples = sound.samples
    return (samples[:, None] if samples.ndim == 1 else samples).astype("<f4", copy=False)

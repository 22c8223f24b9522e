"""A recording on the timeline of the programme's content, to the sample.

The pictures are the clip's own, bit by bit: they say where content time 0 lies. What is left (the
codecs' delays) is found by correlation where nothing but the known bed is heard.
"""

from __future__ import annotations

import statistics
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import fft

from dubcast.audio.pcm import RATE, Float
from dubcast.errors import ProbeError
from dubcast.measure import decode
from dubcast.measure.material import Material
from dubcast.measure.recording import Recording, ffmpeg_program, opened

_REACH_S = 0.15
_SHORTEST_S = 1.5
_WHITEN_HZ = (200.0, 8000.0)
_BIT_RATE = "128k"
_PRIMING = 1024  # samples that the encoder puts in front


@dataclass(frozen=True)
class Recorded:
    """`sound`: (frames, 2), sample 0 is content time 0, as long as the programme; silent where
    nothing was recorded. `heard_s`: from where to where it was. `zero_ms`: the recording's
    timestamp of content time 0. `lags_ms`: what correlation added, at each mark.
    """

    sound: Float
    heard_s: tuple[float, float]
    zero_ms: float
    lags_ms: tuple[float, ...]


def load(
    path: Path, material: Material, bed: Float, marks: Sequence[tuple[float, float]]
) -> Recorded:
    """The sound of a recording of `material`. `marks`: spans (s) in which only the bed is heard.

    Raises ProbeError when it does not hold the clip's pictures, or no mark was recorded.
    """
    with opened(path) as recording:
        found = decode.whole_sound(recording)
        zero_ms = material.origin_ms + _pictures_ms(material.clip, recording)
    count = round(material.duration_s * RATE)
    if found.rate_hz != RATE:
        raise ProbeError(f"{path.name} has no sound at {RATE} Hz")
    sound = found.samples
    coarse = round((zero_ms - found.start_ms) * RATE / 1000)
    heard = (max(0.0, -coarse / RATE), min(count, len(sound) - coarse) / RATE)
    rough = shifted(sound, coarse, count)
    inside = [mark for mark in (_clipped(mark, heard) for mark in marks) if mark is not None]
    if not inside:
        raise ProbeError(f"{path.name} holds no span in which only the bed is heard")
    lags = [lag(rough[_span(mark)], bed[_span(mark)]) for mark in inside]
    fine = round(statistics.median(lags))
    milliseconds = tuple(round(1000 * one / RATE, 3) for one in lags)
    return Recorded(shifted(sound, coarse + fine, count), heard, zero_ms, milliseconds)


def marks_of(material: Material) -> list[tuple[float, float]]:
    """Spans in which nobody speaks and no dub can: before the first line, and at the end."""
    last = material.narration[-1].end_s
    late = [beep for beep in material.beeps if beep > last]
    after = (min(late, default=last) - 0.3, material.duration_s - 0.2)
    return [(0.3, material.narration[0].start_s - 0.3), after]


def lag(sound: Float, reference: Float) -> int:
    """By how many samples `sound` is later than `reference`: phase correlation (GCC-PHAT, Knapp
    and Carter 1976), since a bed of tones has many equal peaks in a plain one.
    """
    size = fft.next_fast_len(2 * len(reference), real=True)
    cross = _mono_spectrum(sound, size) * np.conj(_mono_spectrum(reference, size))
    hertz = fft.rfftfreq(size, 1 / RATE)
    kept = (hertz > _WHITEN_HZ[0]) & (hertz < _WHITEN_HZ[1])
    # Whitened by the square root: bins with next to nothing in them shall not decide.
    curve = fft.irfft(np.where(kept, cross / np.sqrt(np.abs(cross) + 1e-9), 0), size)
    reach = round(_REACH_S * RATE)
    near = np.concatenate([curve[-reach:], curve[: reach + 1]])
    return int(np.argmax(near)) - reach


def shifted(sound: Float, first: int, count: int) -> Float:
    """`count` frames of `sound` from index `first` on; zeros where it has none."""
    out = np.zeros((count, 2), dtype=np.float32)
    begin, end = max(first, 0), min(first + count, len(sound))
    if begin < end:
        out[begin - first : end - first] = sound[begin:end]
    return out


def coded(sound: Float) -> Float:
    """`sound` (frames, 2) after AAC at the bit rate that streams have, to the sample in place."""
    command = [ffmpeg_program(), "-hide_banner", "-v", "error", "-nostdin"]
    pcm = ["-f", "f32le", "-ar", str(RATE), "-ac", "2"]
    to_aac = [*command, *pcm, "-i", "pipe:0", "-c:a", "aac", "-b:a", _BIT_RATE, "-f", "adts", "-"]
    raw = np.ascontiguousarray(sound, dtype="<f4").tobytes()
    frames = subprocess.run(to_aac, input=raw, capture_output=True, check=True).stdout
    to_pcm = [*command, "-i", "pipe:0", *pcm, "-"]
    back = subprocess.run(to_pcm, input=frames, capture_output=True, check=True).stdout
    whole = np.frombuffer(back, dtype="<f4").reshape(-1, 2)
    return shifted(whole, _PRIMING, len(sound))


def _mono_spectrum(sound: Float, size: int) -> np.ndarray:
    mono = sound.mean(axis=1)
    return np.asarray(fft.rfft(mono * np.hanning(len(mono)), size))


def _span(mark: tuple[float, float]) -> slice:
    return slice(round(mark[0] * RATE), round(mark[1] * RATE))


def _clipped(mark: tuple[float, float], heard: tuple[float, float]) -> tuple[float, float] | None:
    first, last = max(mark[0], heard[0] + 0.3), min(mark[1], heard[1] - 0.3)
    return (first, last) if last - first >= _SHORTEST_S else None


def _pictures_ms(clip: Path, recording: Recording) -> float:
    """Timestamps of the recording minus those of the clip, by the pictures that both hold."""
    with opened(clip) as original:
        known = {unit.digest: unit.pts_ms for unit in original.video}
        counts = Counter(unit.digest for unit in original.video)
    found = [u.pts_ms - known[u.digest] for u in recording.video if counts[u.digest] == 1]
    if not found:
        raise ProbeError(f"{recording.path.name} holds no picture of {clip.name}")
    return float(statistics.median(found))

"""How speech is brought to its time: joining clauses, finding pauses, choosing a tempo.

Pure: arrays and numbers in, arrays and numbers out. The order of means is the one that costs the
listener least: silence around the speech is gone already, then its pauses get shorter, and only
then is it spoken faster. Silence itself is never stretched.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dubcast.contract.sts import DurationPolicy
from dubcast.sts.providers.interface import Float, Speech

# Slower than this sounds drawled; the rest of the time stays silent.
MIN_TEMPO = 0.95
# Rounding in the stretcher and the resampler: this much too long is not "too long".
ROUNDING_S = 0.002
# A pause keeps this much however little time there is: words would run into each other.
PAUSE_FLOOR_S = 0.08
# Shorter silences belong to the words (a stop consonant is silent for up to 100 ms).
_SHORTEST_PAUSE_S = 0.11
_FRAME_S = 0.01
# Frames that are this far below the loudest one are silent.
SILENCE_DB = -42.0
_FADE_S = 0.005

Span = tuple[int, int]


@dataclass(frozen=True)
class Room:
    """The time that there is, in seconds: `wanted` to keep to, `most` before it is too long."""

    wanted_s: float
    most_s: float


@dataclass(frozen=True)
class Plan:
    """How to bring speech to time: its tempo, the length of each pause, whether that fits."""

    tempo: float
    pauses_s: tuple[float, ...]
    fits: bool


def room(
    policy: DurationPolicy, fragment_s: float, slot_s: float, bounds_s: tuple[float, float] | None
) -> tuple[float, Room]:
    """Where the dub's speech begins in the dub, and the time that it has.

    `match` begins with the source's speech and keeps to it; it may use the silence behind it
    before it is too long. `fit` begins at once and has its slot.
    """
    if policy == "fit":
        return 0.0, Room(slot_s, slot_s)
    start_s, end_s = bounds_s or (0.0, fragment_s)
    return start_s, Room(end_s - start_s, fragment_s - start_s)


def plan(
    voice_s: float, pauses_s: Sequence[float], room: Room, slowest: float, max_tempo: float
) -> Plan:
    """Decide tempo and pauses. Nothing is ever cut: what does not fit stays longer.

    `voice_s`: the speech without its pauses; `slowest`: lowest tempo to fill the room with.
    """
    natural_s = sum(pauses_s)
    floors = tuple(min(pause, PAUSE_FLOOR_S) for pause in pauses_s)
    floor_s = sum(floors)
    if voice_s + natural_s <= room.wanted_s:
        tempo = min(max(voice_s / (room.wanted_s - natural_s), slowest), 1.0)
        return Plan(tempo, tuple(pauses_s), True)
    if voice_s + floor_s <= room.wanted_s:
        share = (room.wanted_s - voice_s - floor_s) / (natural_s - floor_s)
        kept = tuple(low + share * (p - low) for p, low in zip(pauses_s, floors, strict=True))
        return Plan(1.0, kept, True)
    tempo = max_tempo
    if room.wanted_s > floor_s:
        tempo = min(voice_s / (room.wanted_s - floor_s), max_tempo)
    return Plan(tempo, floors, voice_s / tempo + floor_s <= room.most_s + ROUNDING_S)


def loud_frames(samples: Float, rate_hz: int) -> npt.NDArray[np.bool_]:
    """Whether each whole 10 ms is louder than silence, against the loudest of them."""
    frame = round(_FRAME_S * rate_hz)
    count = len(samples) // frame
    frames = samples[: count * frame].reshape(count, frame).astype(np.float64)
    power: npt.NDArray[np.float64] = np.mean(frames**2, axis=1)
    limit = power.max(initial=0.0) * 10 ** (SILENCE_DB / 10)
    loud: npt.NDArray[np.bool_] = power > limit
    return loud


def find_pauses(samples: Float, rate_hz: int) -> list[Span]:
    """Silences inside the speech of 110 ms and more, in samples."""
    frame = round(_FRAME_S * rate_hz)
    loud = np.flatnonzero(loud_frames(samples, rate_hz))
    shortest = round(_SHORTEST_PAUSE_S / _FRAME_S)
    gaps = itertools.pairwise(loud)
    return [(int(a + 1) * frame, int(b) * frame) for a, b in gaps if b - a - 1 >= shortest]


def trim(samples: Float, rate_hz: int) -> Float:
    """Speech without the silence around it, to 10 ms; what is silent throughout is empty.

    10 ms before and 20 ms after are kept, since a consonant begins and ends softly; they are
    faded, so that nothing clicks.
    """
    frame = round(_FRAME_S * rate_hz)
    if len(samples) < frame:
        return samples
    loud = np.flatnonzero(loud_frames(samples, rate_hz))
    if len(loud) == 0:
        return samples[:0]
    return _faded(samples[max(0, int(loud[0]) - 1) * frame : (int(loud[-1]) + 3) * frame], rate_hz)


def join(parts: Sequence[Speech], pauses_s: Sequence[float]) -> tuple[Speech, list[Span]]:
    """The parts one after the other, `pauses_s[i]` of silence after part i; where each one is."""
    rate_hz = parts[0].rate_hz
    pieces: list[Float] = []
    spans: list[Span] = []
    at = 0
    for i, part in enumerate(parts):
        spans.append((at, at + len(part.samples)))
        silence = round(pauses_s[i] * rate_hz) if i + 1 < len(parts) else 0
        pieces += [part.samples, np.zeros(silence, np.float32)]
        at += len(part.samples) + silence
    return Speech(np.concatenate(pieces), rate_hz), spans


def squeeze(
    speech: Speech, pauses: Sequence[Span], lengths: Sequence[int], marks: Sequence[Span]
) -> tuple[Float, list[Span]]:
    """The speech with each pause cut to its length (never longer), and where the marks are then.

    The middle of a pause goes, so that the ends of words stay; the seam is crossfaded.
    """
    fade = round(_FADE_S * speech.rate_hz)
    pieces: list[Float] = []
    old, new = [0], [0]
    at = 0
    for (start, stop), length in zip(pauses, lengths, strict=True):
        surplus = stop - start - length
        if surplus <= 0 or length < 2 * fade:
            continue
        cut = start + length // 2
        pieces.append(_crossfaded(speech.samples, at, cut, surplus, fade))
        moved = new[-1] + cut - at
        old += [cut, cut + surplus]
        new += [moved, moved]
        at = cut + surplus
    pieces.append(speech.samples[at:])
    old.append(len(speech.samples))
    new.append(new[-1] + len(speech.samples) - at)
    bounds = np.rint(np.interp(np.array(marks, np.float64).reshape(-1, 2), old, new)).astype(int)
    return np.concatenate(pieces), [(int(a), int(b)) for a, b in bounds]


def _crossfaded(samples: Float, start: int, cut: int, surplus: int, fade: int) -> Float:
    """`samples[start:cut]`, whose end leads over to what follows after the surplus."""
    piece = samples[start:cut].copy()
    down = np.linspace(1.0, 0.0, fade, dtype=np.float32)
    after = samples[cut + surplus - fade : cut + surplus]
    piece[-fade:] = piece[-fade:] * down + after * (1.0 - down)
    return piece


def _faded(samples: Float, rate_hz: int) -> Float:
    fade = min(round(_FADE_S * rate_hz), len(samples) // 2)
    faded = samples.copy()
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    faded[:fade] *= ramp
    faded[len(faded) - fade :] *= ramp[::-1]
    return faded

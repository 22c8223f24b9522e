"""What a run leaves behind, as the judge takes it: sound on the content's timeline, and dubs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bench.mix import echo, recorded, stems
from bench.mix.echo import Found
from bench.mix.placement import Placed, active_runs, speech_onset
from bench.mix.programmes import stretched
from bench.mix.recorded import Recorded
from dubcast.audio.pcm import RATE, Float
from dubcast.contract.worker import AsRunEntry, as_run
from dubcast.errors import ProbeError
from dubcast.measure.material import Line, Material
from dubcast.measure.recording import opened

# An onset is heard when speech comes within this of its own level.
_ONSET_DB = 15.0
_PAUSE_S = 0.1


class Speaker(Protocol):
    """Speaks a text as the dub's voice does: mono, 48 kHz, natural tempo."""

    def say(self, text: str) -> Float: ...


@dataclass(frozen=True)
class Stems:
    """What is known of a programme: `bed` (frames, 2) with its beeps, `speech` (frames,)."""

    bed: Float
    speech: Float
    narration: Sequence[Line]

    @property
    def seconds(self) -> float:
        return len(self.speech) / RATE

    @property
    def source(self) -> Float:
        """Both together: what was published."""
        return np.asarray(self.bed + self.speech[:, None], dtype=np.float32)


@dataclass(frozen=True)
class Evidence:
    """One run. Times of `asrun` (records of fragments with speech) are s of content.

    `source`, `output`: (frames, 2), sample 0 is content time 0; `heard_s`: what of the output was
    recorded. `pcm`: what the mixer handed to the encoder, on the same timeline, if it was kept.
    """

    stems: Stems
    source: Float
    output: Float
    heard_s: tuple[float, float]
    asrun: Sequence[AsRunEntry]
    pcm: Float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """The files of a run, in a folder of its own."""

    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "source.flv"

    @property
    def output(self) -> Path:
        return self.folder / "output.flv"

    @property
    def asrun(self) -> Path:
        return self.folder / "asrun.jsonl"

    @property
    def pcm(self) -> Path:
        """The worker's dump of what it handed to its encoder: stereo WAV, if it was made."""
        return self.folder / "pcm.wav"


def stems_of(material: Material) -> Stems:
    """The two parts of a programme's sound."""
    bed, speech = read_wav(material.bed), read_wav(material.speech)[:, 0]
    return Stems(bed, speech, material.narration)


def read_wav(path: Path) -> Float:
    """(frames, channels) of a 16-bit WAV."""
    from scipy.io import wavfile

    _, samples = wavfile.read(path)
    wide = samples if samples.ndim == 2 else samples[:, None]
    return np.asarray(wide, dtype=np.float32) / np.float32(32768)


def evidence(kept: Kept, material: Material, voice: Speaker) -> Evidence:
    """A run's files on the timeline of the content. Raises ProbeError if they do not fit."""
    known = stems_of(material)
    marks = recorded.marks_of(material)
    source = recorded.load(kept.source, material, known.bed, marks)
    output = recorded.load(kept.output, material, known.bed, marks)
    entries = as_run(kept.asrun.read_text("utf-8"))
    spoken = [entry for entry in entries if not entry.outcome.original_is_right]
    coarse = coarse_shift_s(spoken, output, kept)
    parts = stems.taken_apart(output.sound, known.bed, known.speech)
    rough = [entry.moved(coarse) for entry in spoken]
    found = found_in(parts.dub, rough, clips_of(rough, voice))
    shift = coarse + echo.shift_s(found)
    detail = {
        "lags_source_ms": source.lags_ms,
        "lags_output_ms": output.lags_ms,
        "heard_s": output.heard_s,
        "shift_s": round(shift, 4),
        "shift_from_arrivals_s": round(coarse, 4),
        "likeness": [round(one.likeness, 3) for one in found],
        "later_s": [round(one.later_s, 3) for one in found],
    }
    pcm = _pcm(kept, output) if kept.pcm.exists() else None
    placed = [entry.moved(shift) for entry in spoken]
    return Evidence(known, source.sound, output.sound, output.heard_s, placed, pcm, detail)


def _pcm(kept: Kept, output: Recorded) -> Float:
    """The dump on the timeline of the content, found by correlation with the output."""
    dump = read_wav(kept.pcm)
    size = len(output.sound)
    coarse = _best_offset(dump, output.sound)
    return recorded.shifted(dump, coarse, size)


def _best_offset(dump: Float, sound: Float) -> int:
    """At which index of the dump the output's first sample lies."""
    from scipy import signal

    left, right = dump.mean(axis=1), sound.mean(axis=1)
    curve = signal.fftconvolve(left, right[::-1])
    return int(np.argmax(curve)) - (len(right) - 1)


def coarse_shift_s(asrun: Sequence[AsRunEntry], output: Recorded, kept: Kept) -> float:
    """What to add to the worker's stream time to get content time, by the clock (some 10 ms).

    Each record says when its first sample leaves; the recording says when which picture came.
    """
    with opened(kept.output) as recording:
        arrivals = recording.video_arrivals_ns()
        if arrivals is None:
            raise ProbeError(f"{kept.output.name} has no arrival times beside it")
        dts = np.array([unit.dts_ms for unit in recording.video], dtype=np.float64)
    # The earliest: what came late came late for reasons of its own.
    clock = float(np.percentile(arrivals / 1e9 - dts / 1e3, 5))
    shifts = []
    for entry in asrun:
        if entry.air_ns is not None:
            first = entry.source_start_s if entry.dub_start_s is None else entry.dub_start_s
            shifts.append(entry.air_ns / 1e9 - clock - output.zero_ms / 1e3 - first)
    return statistics.median(shifts) if shifts else 0.0


def clips_of(asrun: Sequence[AsRunEntry], voice: Speaker) -> list[Float | None]:
    """What each record's dub sounds like: its text at its length; None where there is no dub."""
    return [_clip(entry, voice) for entry in asrun]


def _clip(entry: AsRunEntry, voice: Speaker) -> Float | None:
    if entry.dub_span_s is None or not entry.translated_text:
        return None
    first, last = entry.dub_span_s
    return fitted(voice.say(entry.translated_text), round((last - first) * RATE))


def found_in(dub: Float, asrun: Sequence[AsRunEntry], clips: Sequence[Float | None]) -> list[Found]:
    """Where each dub is heard, against where the log says; likeness 0 where there is none."""
    return [
        Found(0.0, 0.0)
        if clip is None or entry.dub_start_s is None
        else echo.find(dub, clip, entry.dub_start_s)
        for entry, clip in zip(asrun, clips, strict=True)
    ]


def fitted(clip: Float, frames: int) -> Float:
    """A clip brought to a length, its pitch kept."""
    tempo = len(clip) / max(frames, 1)
    return clip if abs(tempo - 1) < 0.01 else stretched(clip, tempo)


def true_runs(speech: Float) -> list[tuple[float, float]]:
    """Where the known speech is heard: spans in s."""
    level = stems.level_db(speech)
    return active_runs(level, 0.005, stems.active_level_db(level) - _ONSET_DB, _PAUSE_S)


def fragments(
    asrun: Sequence[AsRunEntry],
    runs: Sequence[tuple[float, float]],
    dub: Float,
    clips: Sequence[Float | None],
    lines: Sequence[tuple[float, float]] = (),
) -> list[Placed]:
    """The records with the true onsets of speech, and the onsets of the dubs as they are heard.
    `runs`, `lines`: where speech is heard, and the sentences of it.

    A dub that cannot be recognised in the output counts where the log says that it is.
    """
    placed: list[Placed] = []
    before, last_entry = 0.0, None
    for entry, clip, found in zip(asrun, clips, found_in(dub, asrun, clips), strict=True):
        start, end = entry.source_start_s, entry.source_end_s
        first, last = entry.dub_start_s, entry.dub_end_s
        heard = None if first is None else first + (found.later_s if found.sure else 0.0)
        if heard is not None and clip is not None:
            heard += own_onset_s(clip)
        onset = speech_onset(runs, start, end, before, lines)
        one = Placed(start, end, onset, first, last, heard, entry.tempo)
        if entry.goes_on(last_entry):
            one = placed.pop().joined(one)
        placed.append(one)
        before, last_entry = end, entry
    return placed


def own_onset_s(clip: Float) -> float:
    """How long a clip is silent before its speech, by the measure that the source gets."""
    runs = true_runs(clip)
    return runs[0][0] if runs else 0.0

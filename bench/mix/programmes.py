"""The three programmes: what is said, over what, and how long the dub may take.

Built once and kept, like the demo's (see `dubcast.measure.material`); flashes with beeps lie before
and after the speech, where no dub can cover them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from bench.mix import beds, texts
from dubcast.config import Settings, cache_dir
from dubcast.measure import material, speech_models, synth
from dubcast.measure.material import Line, Material, MaterialSpec, Plan, Speak
from dubcast.measure.narrated import narrated

_VERSION = 1
_FPS = 30
LEAD_S = 9.0
TAIL_S = 6.0
_BEEPS_BEFORE = (1.5, 3.0, 4.5, 6.0, 7.5)
_BEEPS_AFTER = (3.0, 4.5)
_SPEECH_DBFS = -20.0


@dataclass(frozen=True)
class Programme:
    """A generated programme. `pause_s`: shortest and longest pause between two lines.

    `wpm`: words a minute over the whole of the speech, pauses included; None: as the voices
    speak. `bed_dbfs` is the RMS level of the bed; speech lies at -20 dBFS. `kind`: which bar for
    intelligibility applies.
    """

    name: str
    kind: str
    text: str
    voices: tuple[str, ...]
    delay_s: float
    pause_s: tuple[float, float] = (0.4, 1.0)
    wpm: float | None = None
    bed_dbfs: float = -26.0
    seed: int = 11
    spec: MaterialSpec = field(default_factory=MaterialSpec)

    @property
    def policy(self) -> Mapping[str, object]:
        """What its stream is set to."""
        return {"delay_s": self.delay_s}

    @property
    def folder(self) -> Path:
        """Where it is kept: named by all that it is made from."""
        tag = "\n".join([str(_VERSION), *(f"{k}={v}" for k, v in sorted(asdict(self).items()))])
        key = MaterialSpec(sentences=(tag,)).key
        return cache_dir() / "bench" / f"mix-{self.name}-{key}"


# Sport leaves the speech service no pauses to catch up in, and on two cores the synthesis of one
# sentence runs while the next is already spoken: 15 s instead of the 8 s of the others.
SPORT = Programme(
    "sport", "sport", texts.SPORT, ("am_michael", "bm_george"), 15.0, (0.15, 0.6), 190.0
)
MUSIC = Programme("music", "talk", texts.MUSIC, ("af_heart", "bm_george"), 8.0)
DEMO = Programme("demo", "talk", "", (), 8.0)
PROGRAMMES = (DEMO, SPORT, MUSIC)


def built(programme: Programme, settings: Settings) -> Material:
    """The programme's material, from the cache or made."""
    if programme is DEMO:
        return narrated(settings)
    if (programme.folder / "material.json").exists():
        return material.load(programme.folder)
    with speech_models.narrator(settings) as speak:
        return material.kept(programme.folder, lambda work: _make(programme, speak, work))


def _make(programme: Programme, speak: Speak, work: Path) -> None:
    said = texts.lines(programme.text)
    clips = [_clip(speak, text, programme.voices[who]) for who, text in said]
    pauses = np.random.default_rng(programme.seed).uniform(*programme.pause_s, len(clips))
    words = sum(len(text.split()) for _, text in said)
    if programme.wpm is not None:
        clips = _paced(clips, 60 * words / programme.wpm - float(pauses[:-1].sum()))
    starts = starts_of([len(clip) / synth.RATE for clip in clips], list(pauses), LEAD_S)
    lines, speech, timing = laid_out(said, programme.voices, clips, starts)
    quiet = [(0.0, LEAD_S - 1.0), (timing.total_s - TAIL_S + 1.8, timing.total_s)]
    bed = beds.hushed(_bed(programme, timing.total_s, clips), quiet)
    material.write(programme.spec, timing, lines, speech, bed, work)


def _bed(programme: Programme, seconds: float, clips: Sequence[synth.Samples]) -> synth.Samples:
    if programme.kind == "sport":
        return beds.crowd(seconds, programme.bed_dbfs, clips, programme.seed)
    return beds.band(seconds, programme.bed_dbfs, programme.seed)


def _clip(speak: Speak, text: str, voice: str) -> synth.Samples:
    samples, rate = speak(text, voice)
    clean = synth.trimmed(synth.resampled(np.asarray(samples, dtype=np.float32), rate))
    return synth.levelled(clean, _SPEECH_DBFS)


def _paced(clips: Sequence[synth.Samples], wanted_s: float) -> list[synth.Samples]:
    """The clips, all faster or slower by one factor, `wanted_s` long together."""
    tempo = sum(len(clip) for clip in clips) / synth.RATE / wanted_s
    return [stretched(clip, tempo) for clip in clips]


def stretched(samples: synth.Samples, tempo: float) -> synth.Samples:
    """Speech at 48 kHz, `tempo` times as fast, its pitch kept."""
    from python_stretch import Signalsmith

    stretch = Signalsmith.Stretch(1)
    stretch.preset(1, float(synth.RATE))
    stretch.setTimeFactor(tempo)
    made = np.asarray(stretch.process(samples[None, :]), dtype=np.float32)
    return made.reshape(-1)


def starts_of(lengths_s: Sequence[float], pauses_s: Sequence[float], lead_s: float) -> list[float]:
    """When each line begins: after the one before and its pause."""
    starts = [lead_s]
    for length, pause in zip(lengths_s[:-1], pauses_s, strict=False):
        starts.append(starts[-1] + length + pause)
    return starts


def laid_out(
    said: Sequence[tuple[int, str]],
    voices: Sequence[str],
    clips: Sequence[synth.Samples],
    starts: Sequence[float],
) -> tuple[list[Line], synth.Samples, Plan]:
    """The lines with their times, the speech as one mono track, and the plan with its beeps."""
    end = starts[-1] + len(clips[-1]) / synth.RATE
    total = math.ceil((end + TAIL_S) * _FPS) / _FPS
    speech = np.zeros(round(total * synth.RATE), dtype=np.float32)
    lines = []
    for (who, text), clip, start in zip(said, clips, starts, strict=True):
        first = round(start * synth.RATE)
        speech[first : first + len(clip)] += clip
        last = (first + len(clip)) / synth.RATE
        lines.append(Line(text, voices[who], first / synth.RATE, last))
    after = [math.ceil((end + late) * 10) / 10 for late in _BEEPS_AFTER]
    beeps = tuple(round(beep, 6) for beep in (*_BEEPS_BEFORE, *after))
    return lines, speech, Plan(tuple(starts), beeps, total)

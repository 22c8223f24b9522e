"""The live programmes: real people who speak, with and without something behind them, and songs.

Built once and kept, like the demo's (see `dubcast.measure.material`); flashes with beeps lie before
and after the speech, where no dub can cover them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.mix import beds
from bench.mix.programmes import LEAD_S, TAIL_S, laid_out, starts_of
from bench.separation import sources
from bench.separation.sound import looped, to_level
from bench.speech import recordings
from dubcast.audio.pcm import RATE, Float
from dubcast.config import cache_dir
from dubcast.measure import material, synth
from dubcast.measure.material import Material, MaterialSpec

_VERSION = 1
_SPEECH_DBFS = -20.0
_PAUSE_S = (0.5, 1.2)
# Recordings of the mixes' manifest (see `bench.separation.sources`), and from where on (s).
_BEDS = {
    "": (),
    "music": (("folk", 20.0),),
    "strings": (("ambient", 20.0),),
    "crowd": (("crowd-a", 0.0), ("crowd-b", 0.0)),
    "song": (("song", 0.0),),
}
_BED_PIECE_S = 60.0
_SEED = 23
# A small picture: nothing of it is judged but that it is there.
_SPEC = MaterialSpec(video_kbps=600, width=640, height=360)


@dataclass(frozen=True)
class Programme:
    """`recordings`: names, one after the other. `bed`: what is behind them, its RMS at `bed_dbfs`;
    speech lies at -20 dBFS. `sung`: the recordings are songs, and nothing in it is to be dubbed.
    """

    name: str
    source: str
    target: str
    recordings: tuple[str, ...]
    bed: str = ""
    bed_dbfs: float = -34.0
    delay_s: float = 8.0
    sung: bool = False
    spec: MaterialSpec = _SPEC

    @property
    def policy(self) -> Mapping[str, object]:
        """What its stream is set to."""
        languages = {"source_language": self.source, "target_language": self.target}
        return {"delay_s": self.delay_s, **languages}

    @property
    def folder(self) -> Path:
        """Where it is kept: named by all that it is made from."""
        made_from = [f"{k}={v}" for k, v in sorted(asdict(self).items())]
        pins = sources.pins(recordings.MANIFEST)
        hashes = [pins[name].sha256 for name in self.recordings]
        parts = [str(part) for part in map(recordings.used, self.recordings) if part]
        key = MaterialSpec(sentences=("\n".join([str(_VERSION), *made_from, *hashes, *parts]),)).key
        return cache_dir() / "bench" / f"speech-{self.name}-{key}"


_PT = tuple(f"fleurs-pt-{number}" for number in range(10))
PROGRAMMES = (
    Programme(
        "readers",
        "en",
        "pt-BR",
        ("two-cities", *(f"reader-{n}" for n in range(1, 6)), "jfk", "sonnet"),
    ),
    Programme(
        "prompts",
        "en",
        "pt-BR",
        ("prompt-ivr", "prompt-instruct", "prompt-congrats", "prompt-echo", "prompt-options"),
        bed="music",
    ),
    Programme("talk", "en", "pt-BR", ("radio", "colds"), bed="crowd"),
    Programme("over-song", "en", "pt-BR", ("two-cities", "jfk"), bed="song"),
    Programme("portuguese", "pt-BR", "en", _PT[:5]),
    Programme("portuguese-strings", "pt-BR", "en", _PT[5:], bed="strings"),
    Programme("songs", "en", "pt-BR", ("chanson", "song", "solo-10", "solo-14"), sung=True),
)


def built(programme: Programme) -> Material:
    """The programme's material, from the cache or made. Raises SourceError."""
    if not (programme.folder / "material.json").exists():
        recordings.fetch()
    return material.kept(programme.folder, lambda work: _make(programme, work))


def _make(programme: Programme, work: Path) -> None:
    clips = list(_clips(programme))
    pauses = np.random.default_rng(_SEED).uniform(*_PAUSE_S, len(clips))
    starts = starts_of([len(clip) / RATE for clip in clips], list(pauses), LEAD_S)
    # Each recording is a line of a speaker of its own.
    lines_said = [(who, _text(name)) for who, name in enumerate(programme.recordings)]
    lines, speech, timing = laid_out(lines_said, programme.recordings, clips, starts)
    quiet = [(0.0, LEAD_S - 1.0), (timing.total_s - TAIL_S + 1.8, timing.total_s)]
    bed = beds.hushed(_bed(programme, timing.total_s), quiet)
    material.write(programme.spec, timing, lines, speech, bed, work)


def _clips(programme: Programme) -> Iterator[Float]:
    for name in programme.recordings:
        clean = synth.trimmed(recordings.sound(name)[: round(_longest_s(programme) * RATE)])
        yield synth.levelled(clean, _SPEECH_DBFS)


def _longest_s(programme: Programme) -> float:
    """Of a song, so much of it: it would be most of the programme."""
    return 60.0 if programme.sung else 600.0


def _text(name: str) -> str:
    known = recordings.said().get(name)
    return "" if known is None else known.text


def _bed(programme: Programme, seconds: float) -> Float:
    names = _BEDS[programme.bed]
    if not names:
        return np.zeros((round(seconds * RATE), 2), dtype=np.float32)
    layers = [_layer(name, start_s, seconds) for name, start_s in names]
    return to_level(np.asarray(sum(layers), dtype=np.float32), programme.bed_dbfs)


def _layer(name: str, start_s: float, seconds: float) -> Float:
    return to_level(looped(sources.decoded(name, start_s, _BED_PIECE_S), seconds), -20.0)

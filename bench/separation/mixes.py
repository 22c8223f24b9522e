"""The fifteen mixes: who speaks over what, and how loud. Built once, with a seed, into the cache.

Each lasts 22 s, begins and ends without speech, and has pauses. Background and speech are kept as
16-bit sound, and the mix is exactly their sum: what comes out can be held against the truth.

They are the same on every machine, or the benchmark stops: `mixes.sha256` holds their hashes.
Voices and instruments come out of pinned packages, or are spoken by flite, whose output does not
depend on the processor; sums and filters are computed in float64 and rounded to 16 bits at the
end, so that the last digit, in which processors differ, decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.separation import sound, sources
from dubcast.audio.pcm import RATE, Float, Int16, to_int16
from dubcast.config import cache_dir
from dubcast.errors import DubcastError
from dubcast.measure import synth
from dubcast.measure.figures import versions

SEED = 20
SECONDS = 22.0
HASHES = Path(__file__).with_name("mixes.sha256")
_FORMAT = 2  # part of the cache's key: raise it when the sound of a mix changes
_SPEECH_START_S = 2.5
_SPEECH_END_S = 19.8
_PAUSE_S = 1.1
_BED_DBFS = -24.0
_PEAK = 0.95


class MixError(DubcastError):
    """A mix is not the one that the bars are about."""


@dataclass(frozen=True)
class Spec:
    """One mix. `recordings` by name are its speech, or `lines` spoken by flite's `voices` in turn.
    `snr_db`: speech against background while somebody speaks.
    """

    name: str
    bed: str
    snr_db: float
    recordings: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    pan: float = 0.0
    room: float = 0.0
    mono: bool = False

    @property
    def real(self) -> bool:
        """Whether a person speaks."""
        return bool(self.recordings)


_ECONOMY = (
    "Inflation slowed again in October, while wages kept growing faster than prices.",
    "Economists doubt that the central bank will change its course this year.",
    "Several retailers have already announced cheaper groceries.",
)
_MATCH = (
    "Here comes the winger, he beats two defenders and crosses towards the penalty spot!",
    "What a header, and the goalkeeper somehow pushes it over the bar!",
    "Corner kick now, the visitors have everybody back in their own box.",
    "They clear the danger, and the counterattack begins immediately!",
)
_KITCHEN = (
    "First we chop the onions and let them soften slowly in olive oil.",
    "Add a spoonful of paprika, a little vinegar and plenty of black pepper.",
    "Cover the pan, lower the flame and wait about twenty minutes.",
)
_NATURE = (
    "Deep beneath the ice lives a fish whose blood contains natural antifreeze.",
    "Researchers discovered its nests by accident while towing a camera.",
    "Sixty million of them guard their eggs on the dark sea floor.",
)
_GAME = (
    "Welcome back to the tournament, this is the decisive third round.",
    "Our champion picks the archer again, a surprising but clever choice.",
    "Watch how quickly she builds her defence around the eastern gate.",
)
_GUIDE = (
    "Please follow me to the upper gallery, the stairs are on your left.",
    "This portrait was painted in sixteen forty, probably from memory.",
    "Notice how the candle lights only half of her face.",
)
# People who talk all at once in the babble, in four languages.
_TALKERS = tuple(f"talk-{code}-{part}" for code in ("es", "fr", "it", "ru") for part in (1, 2, 3))
# Where to end a recording that is too long: in a pause.
_CUT_S = {"prompt-echo": 17.25}
_READER = tuple(f"reader-{number}" for number in range(1, 6))

SPECS = (
    Spec("orchestra", "orchestra", 6, recordings=("prompt-try",)),
    Spec("electro", "electro", 0, recordings=_READER[:3]),
    Spec("stadium", "stadium", 6, recordings=("jfk",)),
    Spec("upbeat", "upbeat", 12, recordings=("prompt-message",)),
    Spec("song", "song", -6, recordings=("prompt-mailbox",)),
    Spec("song_talk", "song", 6, recordings=("prompt-more",)),
    Spec("ambient", "ambient", 0, voices=("slt",), lines=_NATURE),
    Spec("babble", "babble", 6, voices=("rms",), lines=_ECONOMY),
    Spec("effects", "effects", 12, recordings=("jfk",)),
    Spec("mono", "folk", -6, voices=("rms",), lines=_KITCHEN, mono=True),
    Spec("sport", "sport", 0, voices=("awb",), lines=_MATCH, pan=0.45, room=0.12),
    Spec("rock", "rock", 6, voices=("rms", "slt"), lines=_GAME),
    Spec("rain", "rain", 0, recordings=("prompt-echo",)),
    Spec("folk", "folk", 3, recordings=_READER[3:] + _READER[1:2], room=0.05),
    Spec("guide", "orchestra_soft", 9, voices=("slt", "awb"), lines=_GUIDE),
)


@dataclass(frozen=True)
class Mix:
    """A built mix, int16 (frames, 2). `whole` is the sum: what a separator gets."""

    spec: Spec
    background: Int16
    speech: Int16

    @property
    def whole(self) -> Int16:
        return self.background + self.speech

    @property
    def sha256(self) -> str:
        """Of the samples of both parts, as 16-bit little endian."""
        parts = [part.astype("<i2").tobytes() for part in (self.background, self.speech)]
        return hashlib.sha256(b"".join(parts)).hexdigest()


def key(specs: tuple[Spec, ...] = SPECS) -> str:
    """Names the folder of the built mixes."""
    recordings = sorted(pin.sha256 for pin in sources.pins().values())
    data = [_FORMAT, SEED, SECONDS, [asdict(spec) for spec in specs], recordings]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def folder() -> Path:
    """Where the built mixes are."""
    return cache_dir() / "bench" / f"separation-{key()}"


def built(specs: Sequence[Spec] = SPECS) -> bool:
    """Whether these mixes are there."""
    return all((folder() / f"{spec.name}.npz").exists() for spec in specs)


def build(specs: Sequence[Spec] = SPECS) -> Iterator[str]:
    """Make those of the mixes that are missing; their names, as each is done."""
    sources.fetch()
    folder().mkdir(parents=True, exist_ok=True)
    for spec in specs:
        number = SPECS.index(spec)
        out = folder() / f"{spec.name}.npz"
        if not out.exists():
            mix = make(spec, np.random.default_rng([SEED, number]))
            part = out.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, background=mix.background, speech=mix.speech)
            part.replace(out)
        yield spec.name


def load(spec: Spec) -> Mix:
    """A built mix. Raises MixError if it is not the one that the bars are about."""
    mix = _read(spec)
    expected = pinned().get(spec.name, "none")
    if mix.sha256 != expected:
        parts = ("ffmpeg", "numpy", "python")
        made_with = ", ".join(f"{part} {versions().get(part, '?')}" for part in parts)
        raise MixError(
            f"the mix {spec.name} has SHA-256 {mix.sha256}, expected {expected}: this machine "
            f"makes other sounds than those that the bars are about (with {made_with}; they are of "
            "Debian 12 on x86-64). If its recipe was changed: python -m bench.separation --pin"
        )
    return mix


def pinned(path: Path = HASHES) -> dict[str, str]:
    """The hashes of the mixes by name."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {name: sha256 for sha256, name in lines}


def pin(path: Path = HASHES) -> None:
    """Write down the hashes of the built mixes: those of this machine count from now on."""
    text = "".join(f"{_read(spec).sha256}  {spec.name}\n" for spec in SPECS)
    path.write_text(text, encoding="utf-8")


def _read(spec: Spec) -> Mix:
    with np.load(folder() / f"{spec.name}.npz") as data:
        return Mix(spec, data["background"], data["speech"])


def make(spec: Spec, random: np.random.Generator) -> Mix:
    """A mix from its sources, which have been fetched."""
    bed = sound.to_level(_BEDS[spec.bed](random), _BED_DBFS)
    speech = sound.phrases(_spoken(spec), _SPEECH_START_S, _SPEECH_END_S, _PAUSE_S)
    speech = np.concatenate([speech, sound.silence(SECONDS)])[: len(bed)]
    if spec.pan:
        speech = sound.panned(speech, spec.pan)
    if spec.room:
        speech = sound.roomy(speech, spec.room, 0.4, random)
    if spec.mono:
        bed = sound.folded(bed)
    speech, bed = sound.mixed(speech, bed, spec.snr_db, _PEAK)
    return Mix(spec, to_int16(bed), to_int16(speech))


def _spoken(spec: Spec) -> list[Float]:
    if spec.real:
        clips = [sources.decoded(name, 0, _CUT_S.get(name)) for name in spec.recordings]
        return [sound.to_level(clip, _BED_DBFS) for clip in clips]
    turns = enumerate(spec.lines)
    return [_line(line, spec.voices[turn % len(spec.voices)]) for turn, line in turns]


def _line(text: str, voice: str) -> Float:
    mono = sources.spoken(text, voice)[:, 0]
    return sound.centred(synth.levelled(synth.trimmed(mono), _BED_DBFS))


Bed = Callable[[np.random.Generator], Float]


def _music(name: str, start_s: float) -> Bed:
    return lambda random: _exactly(sources.decoded(name, start_s, SECONDS))


def _exactly(bed: Float) -> Float:
    return sound.looped(bed, SECONDS) if len(bed) < round(SECONDS * RATE) else bed


def _song(random: np.random.Generator) -> Float:
    return sound.looped(sources.decoded("song"), SECONDS)


def _stadium(random: np.random.Generator) -> Float:
    """Real crowds, a different one on each side, with two of them swelling in between."""
    bed = np.zeros((round(SECONDS * RATE), 2), dtype=np.float32)
    for name, position in (
        ("crowd-a", -0.6),
        ("crowd-b", 0.6),
        ("crowd-c", -0.2),
        ("crowd-d", 0.2),
    ):
        clip = sound.to_level(sources.decoded(name), _BED_DBFS)
        bed += sound.panned(sound.looped(clip, SECONDS), position)
    return sound.roomy(bed, 0.3, 1.2, random)


def _sport(random: np.random.Generator) -> Float:
    """The crowd, music from the stadium's loudspeakers, and the referee's whistle."""
    crowd = sound.to_level(_stadium(random), _BED_DBFS)
    music = sources.decoded("upbeat", 60.0, SECONDS)
    bed = crowd + sound.to_level(sound.roomy(music, 0.5, 0.9, random), _BED_DBFS - 6)
    whistle = sound.to_level(sources.decoded("whistle"), _BED_DBFS + 3)
    for start in (1.2, 9.0, 16.5):
        sound.add(bed, sound.panned(whistle, -0.3), start)
    return bed


def _effects(random: np.random.Generator) -> Float:
    """Bangs, whistles and fire over light rain: what comes is sudden."""
    names = ("explosion", "fireworks", "thunder", "lightning", "cracking", "whistle", "fire")
    clips = [sound.to_level(sources.decoded(name), _BED_DBFS) for name in names]
    rain = sound.to_level(sources.decoded("rain", 0, SECONDS), _BED_DBFS - 18)
    return rain + sound.scattered(clips, SECONDS, 0.8, random)


def _rain(random: np.random.Generator) -> Float:
    rain = sound.to_level(sources.decoded("rain", 0, SECONDS), _BED_DBFS)
    water = sound.to_level(sources.decoded("waterfall"), _BED_DBFS - 8)
    bed = rain + sound.panned(sound.looped(water, SECONDS), 0.5)
    thunder = sound.to_level(sources.decoded("thunder"), _BED_DBFS)
    return bed + sound.scattered([thunder], SECONDS, 6.0, random)


def _babble(random: np.random.Generator) -> Float:
    """Twelve people at tables in a room, none of them near."""
    bed = np.zeros((round(SECONDS * RATE), 2), dtype=np.float32)
    for name in _TALKERS:
        talk = sound.looped(sources.decoded(name, 1.0, SECONDS), SECONDS)
        talk = np.roll(talk, random.integers(len(bed)), axis=0)
        talk = sound.to_level(talk, _BED_DBFS + random.uniform(-4, 2))
        bed += sound.panned(talk, random.uniform(-0.9, 0.9))
    return sound.roomy(bed, 0.7, 0.6, random)


_BEDS: dict[str, Bed] = {
    "orchestra": _music("orchestra", 12.0),
    "orchestra_soft": _music("ambient", 90.0),
    "electro": _music("electro", 60.0),
    "upbeat": _music("upbeat", 20.0),
    "ambient": _music("ambient", 20.0),
    "folk": _music("folk", 30.0),
    "rock": _music("rock", 10.0),
    "song": _song,
    "stadium": _stadium,
    "sport": _sport,
    "effects": _effects,
    "rain": _rain,
    "babble": _babble,
}

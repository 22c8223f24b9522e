"""The fifteen mixes: who speaks over what, and how loud. Built once, with a seed, into the cache.

Each lasts 22 s, begins and ends without speech, and has pauses. Background and speech are kept as
16-bit sound, and the mix is exactly their sum: what comes out can be held against the truth.
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
from dubcast.measure import synth
from dubcast.measure.material import Speak

SEED = 20
SECONDS = 22.0
_FORMAT = 1  # part of the cache's key: raise it when the sound of a mix changes
_SPEECH_START_S = 2.5
_SPEECH_END_S = 19.8
_PAUSE_S = 1.1
_BED_DBFS = -24.0
_PEAK = 0.95
_BABBLE = 12


@dataclass(frozen=True)
class Spec:
    """One mix. `speech`: recordings by name, or lines spoken by a voice. `snr_db`: speech against
    background while somebody speaks.
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


_MARKET = (
    "The ferry leaves the northern harbour at seven, and the last one returns before midnight.",
    "Nobody expected the old lighthouse to survive another winter of storms.",
    "Volunteers repaired the roof with timber from the village.",
)
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
_CROWD = (
    "Did you bring enough sandwiches for everybody at the table?",
    "My sister moved to Lisbon last spring and she loves her garden.",
    "We should order another bottle before the kitchen closes.",
    "The new manager promised to fix the elevator by Friday.",
    "Honestly, the second film was much better than the first.",
    "He drove all night and still arrived late for the wedding.",
)
_BABBLERS = (
    "af_alloy", "am_adam", "bf_alice", "bm_lewis", "af_nova", "am_eric",
    "bf_lily", "bm_fable", "af_sky", "am_onyx", "af_kore", "am_liam",
)  # fmt: skip
# Where to end a recording that is too long: in a pause.
_CUT_S = {"prompt-echo": 17.25}
_READER = tuple(f"reader-{number}" for number in range(1, 6))

SPECS = (
    Spec("orchestra", "orchestra", 6, voices=("am_michael",), lines=_MARKET),
    Spec("electro", "electro", 0, recordings=_READER[:3]),
    Spec("stadium", "stadium", 6, recordings=("jfk",)),
    Spec("upbeat", "upbeat", 12, voices=("af_bella",), lines=_ECONOMY),
    Spec("song", "song", -6, voices=("bf_emma",), lines=_KITCHEN),
    Spec("song_talk", "song", 6, recordings=("prompt-more",)),
    Spec("ambient", "ambient", 0, voices=("bm_george",), lines=_NATURE),
    Spec("babble", "babble", 6, voices=("af_heart",), lines=_ECONOMY),
    Spec("effects", "effects", 12, recordings=("jfk",)),
    Spec("mono", "folk", -6, voices=("am_fenrir",), lines=_NATURE, mono=True),
    Spec("sport", "sport", 0, voices=("bm_daniel",), lines=_MATCH, pan=0.45, room=0.12),
    Spec("rock", "rock", 6, voices=("am_puck", "af_sarah"), lines=_GAME),
    Spec("rain", "rain", 0, recordings=("prompt-echo",)),
    Spec("folk", "folk", 3, recordings=_READER[3:] + _READER[1:2], room=0.05),
    Spec("guide", "orchestra_soft", 9, voices=("bf_isabella", "am_echo"), lines=_GUIDE),
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


def build(speak: Speak, specs: Sequence[Spec] = SPECS) -> Iterator[str]:
    """Make those of the mixes that are missing; their names, as each is done."""
    sources.fetch()
    folder().mkdir(parents=True, exist_ok=True)
    for spec in specs:
        number = SPECS.index(spec)
        out = folder() / f"{spec.name}.npz"
        if not out.exists():
            mix = _make(spec, speak, np.random.default_rng([SEED, number]))
            part = out.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, background=mix.background, speech=mix.speech)
            part.replace(out)
        yield spec.name


def load(spec: Spec) -> Mix:
    """A built mix."""
    with np.load(folder() / f"{spec.name}.npz") as data:
        return Mix(spec, data["background"], data["speech"])


def _make(spec: Spec, speak: Speak, random: np.random.Generator) -> Mix:
    bed = sound.to_level(_BEDS[spec.bed](speak, random), _BED_DBFS)
    speech = sound.phrases(_spoken(spec, speak), _SPEECH_START_S, _SPEECH_END_S, _PAUSE_S)
    speech = np.concatenate([speech, sound.silence(SECONDS)])[: len(bed)]
    if spec.pan:
        speech = sound.panned(speech, spec.pan)
    if spec.room:
        speech = sound.roomy(speech, spec.room, 0.4, random)
    if spec.mono:
        bed = sound.folded(bed)
    speech, bed = sound.mixed(speech, bed, spec.snr_db, _PEAK)
    return Mix(spec, to_int16(bed), to_int16(speech))


def _spoken(spec: Spec, speak: Speak) -> list[Float]:
    if spec.real:
        clips = [sources.decoded(name, 0, _CUT_S.get(name)) for name in spec.recordings]
        return [sound.to_level(clip, _BED_DBFS) for clip in clips]
    turns = enumerate(spec.lines)
    return [_line(speak, line, spec.voices[turn % len(spec.voices)]) for turn, line in turns]


def _line(speak: Speak, text: str, voice: str) -> Float:
    samples, rate = speak(text, voice)
    clean = synth.trimmed(synth.resampled(np.asarray(samples, dtype=np.float32), rate))
    return sound.centred(synth.levelled(clean, _BED_DBFS))


Bed = Callable[[Speak, np.random.Generator], Float]


def _music(name: str, start_s: float) -> Bed:
    return lambda speak, random: _exactly(sources.decoded(name, start_s, SECONDS))


def _exactly(bed: Float) -> Float:
    return sound.looped(bed, SECONDS) if len(bed) < round(SECONDS * RATE) else bed


def _song(speak: Speak, random: np.random.Generator) -> Float:
    return sound.looped(sources.decoded("song"), SECONDS)


def _stadium(speak: Speak, random: np.random.Generator) -> Float:
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


def _sport(speak: Speak, random: np.random.Generator) -> Float:
    """The crowd, music from the stadium's loudspeakers, and the referee's whistle."""
    crowd = sound.to_level(_stadium(speak, random), _BED_DBFS)
    music = sources.decoded("upbeat", 60.0, SECONDS)
    bed = crowd + sound.to_level(sound.roomy(music, 0.5, 0.9, random), _BED_DBFS - 6)
    whistle = sound.to_level(sources.decoded("whistle"), _BED_DBFS + 3)
    for start in (1.2, 9.0, 16.5):
        sound.add(bed, sound.panned(whistle, -0.3), start)
    return bed


def _effects(speak: Speak, random: np.random.Generator) -> Float:
    """Bangs, whistles and fire over light rain: what comes is sudden."""
    names = ("explosion", "fireworks", "thunder", "lightning", "cracking", "whistle", "fire")
    clips = [sound.to_level(sources.decoded(name), _BED_DBFS) for name in names]
    rain = sound.to_level(sources.decoded("rain", 0, SECONDS), _BED_DBFS - 18)
    return rain + sound.scattered(clips, SECONDS, 0.8, random)


def _rain(speak: Speak, random: np.random.Generator) -> Float:
    rain = sound.to_level(sources.decoded("rain", 0, SECONDS), _BED_DBFS)
    water = sound.to_level(sources.decoded("waterfall"), _BED_DBFS - 8)
    bed = rain + sound.panned(sound.looped(water, SECONDS), 0.5)
    thunder = sound.to_level(sources.decoded("thunder"), _BED_DBFS)
    return bed + sound.scattered([thunder], SECONDS, 6.0, random)


def _babble(speak: Speak, random: np.random.Generator) -> Float:
    """Twelve voices at tables in a room, none of them near."""
    bed = np.zeros((round(SECONDS * RATE), 2), dtype=np.float32)
    for number, voice in enumerate(_BABBLERS):
        turns = [_CROWD[(number + turn * 2) % len(_CROWD)] for turn in range(3)]
        talk = np.concatenate([_line(speak, line, voice) for line in turns])
        talk = np.roll(sound.looped(talk, SECONDS), random.integers(len(bed)), axis=0)
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

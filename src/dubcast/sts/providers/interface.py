"""What a provider is: a small ABC per stage, with frozen capabilities.

`load`, `run` and `close` are called from the one thread that owns the provider, never from two
at a time, so a provider needs no lock. One whose capabilities say `thread_safe` may be run by
several threads together, between its `load` and its `close`. Providers of models know no
deadline; one whose work is done elsewhere is told how long it may wait (`run_within`). Languages
are tags, those of `dubcast.languages`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from dubcast.contract.sts import DurationPolicy
from dubcast.sts.which_language import Answer, Question, primary

Float = npt.NDArray[np.float32]
ASR_RATE = 16_000

Gender = Literal["female", "male", "unknown"]

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Voice:
    """A voice; `language` is a tag such as `en-GB`. `default`: taken where none is asked for.

    `engine`: what speaks with it, as `sts_server.providers` names it.
    """

    name: str
    language: str
    gender: Gender
    default: bool = False
    engine: str = ""

    def speaks(self, language: str) -> bool:
        """True if the voice may speak `language`, compared without the region."""
        return primary(self.language) == primary(language)


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do. `model` names it in replies; `batch_max` items go in one call.

    `thread_safe`: `run` may be called while another call of it is under way. `at_once`: how many
    calls are worth having under way, where the work is done elsewhere; 1: as many as processors.
    """

    model: str
    batch_max: int = 1
    thread_safe: bool = False
    at_once: int = 1


@dataclass(frozen=True)
class AsrCapabilities(Capabilities):
    """`tells_languages`: a task's question is answered. `hears_around`: what lies around a fragment
    is of use; else it is not given."""

    tells_languages: bool = False
    hears_around: bool = False


@dataclass(frozen=True)
class MtCapabilities(Capabilities):
    """`pairs`: directions as (source, target) tags.

    `to_get`: the command that gets the model of a direction which is not here yet; `cautions`: what
    is to be known of the licence of a direction's model. `trusted`: what it says is not looked at
    again (`translation_guard`). `priced`: each text costs, so what can be spared is. `bookish`: it
    knows what is written, and is helped with what is said (`colloquial`).
    """

    trusted: bool = False
    bookish: bool = False
    priced: bool = False
    pairs: frozenset[tuple[str, str]] = frozenset()
    to_get: Mapping[tuple[str, str], str] = field(default_factory=dict)
    cautions: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class TtsCapabilities(Capabilities):
    """`voices`: all voices there are, in any language."""

    voices: tuple[Voice, ...] = ()


class Provider(ABC, Generic[In, Out]):
    """One stage's model."""

    stage: ClassVar[str]
    capabilities: Capabilities

    def load(self) -> None:
        """Bring the model into memory and warm it up.

        Raises MissingPartError, and NotReachableError for what is elsewhere and may come yet: then
        it is called again.
        """

    @abstractmethod
    def run(self, batch: Sequence[In]) -> list[Out]:
        """Results in the order of `batch` (1 to `batch_max` items).

        Raises StsError for what the input causes; anything else is a fault of the model.
        """

    def run_within(self, batch: Sequence[In], left_s: float) -> list[Out]:
        """As `run`, for a result that nobody wants any more after `left_s` seconds. For those whose
        work is done elsewhere: a model cannot be stopped."""
        return self.run(batch)

    def close(self) -> None:
        """Free the model, whether or not it was loaded whole."""


@dataclass(frozen=True)
class Around:
    """What lies around a fragment in its sound, in seconds; it is listened to and not dubbed.

    `text`: what was said before, word for word.
    """

    before_s: float = 0.0
    after_s: float = 0.0
    text: str = ""

    def without(self, samples: Float) -> Float:
        """The fragment alone, of its sound at 16 kHz."""
        stop = len(samples) - round(self.after_s * ASR_RATE)
        return samples[round(self.before_s * ASR_RATE) : stop]


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class PcmTask:
    """A fragment as it came: interleaved S16LE. `bounds`: tell where the speech is. `tune`: tell
    what songs are known by. `around`: what is not of the fragment; of that only its tune is told.
    """

    pcm: bytes
    rate_hz: int
    channels: int
    bounds: bool = True
    tune: bool = False
    around: Around = NOTHING_AROUND


@dataclass(frozen=True)
class Tune:
    """What a song is told by (`sts.songs`), of so many seconds of sound.

    `depth`: how far the bands rise above their mean; `pace`: how much of that is at the pace of
    syllables; `held`: the share of what is voiced that is a note, held; `voiced`: the share of what
    is loud that has a pitch; `breath_s`: for how long it has one.
    """

    seconds: float
    depth: float
    pace: float
    held: float
    voiced: float
    breath_s: float


@dataclass(frozen=True)
class Heard:
    """A fragment as models want it: mono float32 in [-1, 1) at 16 kHz, with what lies around it;
    whether it has speech.

    `bounds_s`: where the first word begins and the last one ends, in seconds, if it was asked for.
    `tune`: of all of it, if there is speech, it was asked for and there is enough of it.
    """

    samples: Float
    speech: bool
    bounds_s: tuple[float, float] | None = None
    tune: Tune | None = None


@dataclass(frozen=True)
class AsrTask:
    """`samples`: mono float32 at 16 kHz; `language`: tag of what is spoken.

    `words`: tell when each word was said (an eighth more work). `question`: which language it is;
    the answer (`which_language.decide`) stands above `language`. Whoever cannot tell leaves it.
    `beam`: how many ways of going on are kept; more make fewer errors, and take up to two fifths
    more time (5 instead of 1). `around`: what lies around the fragment in the samples. What was
    said before is not told again; the words after it are, and times are those of the fragment.
    """

    samples: Float
    language: str
    words: bool = False
    question: Question | None = None
    beam: int = 1
    around: Around = NOTHING_AROUND

    @property
    def alone(self) -> AsrTask:
        """The same without what lies around the fragment."""
        return replace(self, samples=self.around.without(self.samples), around=NOTHING_AROUND)


@dataclass(frozen=True)
class Word:
    """A word with its punctuation, and when it was said in seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Transcript:
    """What was said. `text` is empty when nothing credible was; then `dropped` says why.

    `words` make up the text, if they were asked for. `answer`: to the task's question; what is left
    alone has no text.
    """

    text: str
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    dropped: str | None = None
    words: tuple[Word, ...] = ()
    answer: Answer | None = None


@dataclass(frozen=True)
class MtTask:
    """`text` in `source` to be put into `target`."""

    text: str
    source: str
    target: str


@dataclass(frozen=True)
class TtsTask:
    """`text` to be spoken by `voice`."""

    text: str
    voice: Voice


@dataclass(frozen=True)
class Speech:
    """Synthesized speech, mono float32, without silence before and after."""

    samples: Float
    rate_hz: int


@dataclass(frozen=True)
class FitTask:
    """Clauses to be joined and brought to length and form.

    `pauses_s[i]` of silence follow clause i; `frames`: the fragment's own length at `rate_hz`;
    `slot_ms`: room for policy `fit`; `bounds_s`: where the source speaks, for policy `match`
    (all of the fragment when None).
    """

    clauses: tuple[Speech, ...]
    pauses_s: tuple[float, ...]
    policy: DurationPolicy
    frames: int
    slot_ms: int
    max_tempo: float
    rate_hz: int
    channels: int
    bounds_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Fitted:
    """The dub: interleaved S16LE at the asked rate. `fits` is False if it is longer than asked.

    `speech_ms`: natural length, pauses included; `tempo`: of the speech without its pauses;
    `clauses_ms`: when each clause begins and ends in the dub.
    """

    pcm: bytes
    speech_ms: int
    tempo: float
    fits: bool
    clauses_ms: tuple[tuple[int, int], ...] = ()


class HearProvider(Provider[PcmTask, Heard]):
    """Decodes, resamples, and says how much speech there is."""

    stage = "hear"


class AsrProvider(Provider[AsrTask, Transcript]):
    """Recognizes speech."""

    stage = "asr"


class MtProvider(Provider[MtTask, str]):
    """Translates."""

    stage = "mt"
    capabilities: MtCapabilities


class TtsProvider(Provider[TtsTask, Speech]):
    """Speaks."""

    stage = "tts"
    capabilities: TtsCapabilities


class FitProvider(Provider[FitTask, Fitted]):
    """Brings speech to its length, rate and channels."""

    stage = "fit"

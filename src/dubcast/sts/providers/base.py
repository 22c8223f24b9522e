"""What a provider is: a small ABC per stage, with frozen capabilities.

`load`, `run` and `close` are called from the one thread that owns the provider, never from two
at a time, so a provider needs no lock. Providers do not retry and know no deadline.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from dubcast.contract.sts import DurationPolicy
from dubcast.sts.languages import Voice

Float = npt.NDArray[np.float32]
ASR_RATE = 16_000

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do. `model` names it in replies; `batch_max` items go in one call."""

    model: str
    batch_max: int = 1


@dataclass(frozen=True)
class MtCapabilities(Capabilities):
    """`pairs`: directions as (source, target) tags."""

    pairs: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class TtsCapabilities(Capabilities):
    """`voices`: all voices there are, in any language."""

    voices: tuple[Voice, ...] = ()


class Provider(ABC, Generic[In, Out]):
    """One stage's model."""

    capabilities: Capabilities

    def load(self) -> None:
        """Bring the model into memory and warm it up. Raises MissingPartError."""

    @abstractmethod
    def run(self, batch: Sequence[In]) -> list[Out]:
        """Results in the order of `batch` (1 to `batch_max` items).

        Raises StsError for what the input causes; anything else is a fault of the model.
        """

    def close(self) -> None:
        """Free the model."""


@dataclass(frozen=True)
class PcmTask:
    """A fragment as it came: interleaved S16LE."""

    pcm: bytes
    rate_hz: int
    channels: int


@dataclass(frozen=True)
class Heard:
    """A fragment as models want it: mono float32 in [-1, 1) at 16 kHz; whether it has speech."""

    samples: Float
    speech: bool


@dataclass(frozen=True)
class AsrTask:
    """`samples`: mono float32 at 16 kHz; `language`: tag of what is spoken."""

    samples: Float
    language: str


@dataclass(frozen=True)
class Transcript:
    """What was said. `text` is empty when nothing credible was; then `dropped` says why."""

    text: str
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    dropped: str | None = None


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
    """Speech to be brought to length and form.

    `frames`: the fragment's own length at `rate_hz`; `slot_ms`: room for policy `fit`.
    """

    speech: Speech
    policy: DurationPolicy
    frames: int
    slot_ms: int
    max_tempo: float
    rate_hz: int
    channels: int


@dataclass(frozen=True)
class Fitted:
    """The dub: interleaved S16LE at the asked rate. `fits` is False if it is longer than asked."""

    pcm: bytes
    speech_ms: int
    tempo: float
    fits: bool


class HearProvider(Provider[PcmTask, Heard]):
    """Decodes, resamples, and says how much speech there is."""


class AsrProvider(Provider[AsrTask, Transcript]):
    """Recognizes speech."""


class MtProvider(Provider[MtTask, str]):
    """Translates."""

    capabilities: MtCapabilities


class TtsProvider(Provider[TtsTask, Speech]):
    """Speaks."""

    capabilities: TtsCapabilities


class FitProvider(Provider[FitTask, Fitted]):
    """Brings speech to its length, rate and channels."""

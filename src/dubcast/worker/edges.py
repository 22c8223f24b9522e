"""What a worker touches the world with: two pipelines, a clock, threads for what blocks.

GStreamer's are in `gst`; tests give their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dubcast.audio.vad import SpeechModel
from dubcast.clock import Clock
from dubcast.worker.scheduler import AudioBlock, VideoUnit

Result = TypeVar("Result")


@dataclass(frozen=True)
class InputUnit:
    """An access unit: running times in ns (DTS may be negative), its buffer and its caps."""

    pts: int
    dts: int
    key: bool
    payload: Any
    caps: Any


@dataclass(frozen=True)
class InputCallbacks:
    """Where an input's threads deliver. Each is called from a thread of the input."""

    video: Callable[[InputUnit], None]
    audio: Callable[[int, bytes], None]  # running time in ns, S16LE stereo 48 kHz
    refused: Callable[[str, str], None]  # reason, message: this source will not do
    end: Callable[[str, str], None]  # kind (eos, error), message


class Input(Protocol):
    """One read of a source, from `play` until `end` or `refused` was called; used once."""

    def play(self) -> None:
        """Start; returns at once."""

    def stop(self) -> None:
        """Free everything; blocks for up to seconds. Harmless when repeated."""

    def may_be_damage(self, kind: str, message: str) -> bool:
        """Whether this end may be that of damaged data, so that reading with care may help."""


class MakeInput(Protocol):
    """Makes an input. `headers` keeps what a later read of the same source may need."""

    def __call__(
        self,
        url: str,
        callbacks: InputCallbacks,
        patience_s: float,
        headers: dict[int, bytes],
        *,
        careful: bool = False,
    ) -> Input: ...


class Output(Protocol):
    """One connection to the destination; used once. Pushing never blocks."""

    @property
    def has_video(self) -> bool:
        """False for an audio-only output."""

    def play(self) -> None:
        """Connect; returns at once."""

    def stop(self) -> None:
        """Free everything; blocks for up to seconds. Harmless when repeated."""

    def push_video(self, unit: VideoUnit) -> None:
        """Queue one access unit."""

    def push_audio(self, block: AudioBlock) -> None:
        """Queue one block of PCM."""

    def backlog_s(self) -> float:
        """Seconds of media that wait to be sent."""


# URL, caps of the video (None: audio only), and what is called with the end's kind and message.
MakeOutput = Callable[[str, Any, Callable[[str, str], None]], Output]


class Blocking(Protocol):
    """Runs what blocks in a thread of its own, and waits for it."""

    def __call__(self, call: Callable[[], Result], /) -> Awaitable[Result]: ...


@dataclass(frozen=True)
class Edges:
    """All of it."""

    make_input: MakeInput
    make_output: MakeOutput
    make_vad: Callable[[], SpeechModel]
    clock: Clock
    blocking: Blocking

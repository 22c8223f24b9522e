"""What a worker touches the world with: two pipelines, a clock, threads for what blocks.

GStreamer's are in `gst`; tests give their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dubcast.audio.vad import SpeechModel
from dubcast.clock import Clock
from dubcast.worker.scheduler import Batch

Result = TypeVar("Result")


@dataclass(frozen=True)
class InputUnit:
    """An access unit: running times in ns (either may be negative, PTS may be before DTS), its NAL
    units, with their lengths before them, and the AVCDecoderConfigurationRecord that it needs."""

    pts: int
    dts: int
    key: bool
    payload: Any
    config: bytes


@dataclass(frozen=True)
class InputCallbacks:
    """Where an input's threads deliver. Each is called from a thread of the input."""

    video: Callable[[InputUnit], None]
    audio: Callable[[int, bytes], None]  # running time in ns, S16LE stereo 48 kHz
    script: Callable[[int, bytes], None]  # running time in ns, the body of a script tag
    refused: Callable[[str, str], None]  # reason, message: this source will not do
    end: Callable[[str, str], None]  # kind (eos, error), message


class Input(Protocol):
    """One read of a source, from `play` until `end` or `refused` was called; used once."""

    def play(self) -> None:
        """Start; returns at once."""

    def stop(self) -> None:
        """Free everything; blocks for up to seconds. Harmless when repeated."""


# URL, callbacks, and for how many seconds the source may send nothing.
MakeInput = Callable[[str, InputCallbacks, float], Input]


class Output(Protocol):
    """One connection to the destination; used once. Pushing never blocks."""

    @property
    def has_video(self) -> bool:
        """False for an audio-only output."""

    @property
    def b_frames(self) -> bool:
        """True if pictures were sent in another order than they are shown in."""

    def play(self) -> None:
        """Connect as soon as there is something to send; returns at once."""

    def push(self, batch: Batch, now: int) -> None:
        """Send what of every track is due at `now`, in ns; encode the sound that comes next."""

    def finish(self) -> None:
        """Send what is held whether it is due or not, and end; `on_end` is called with `eos`.

        Blocks for a moment.
        """

    def stop(self) -> None:
        """Free everything; blocks for up to seconds. Harmless when repeated."""

    def sent_bytes(self) -> int | None:
        """Bytes of media that left since the server took the publish; None: it has not yet."""

    def backlog_s(self) -> float:
        """Seconds of media that wait to be sent."""


# URL, the AVCDecoderConfigurationRecord (None: audio only), and what is called with the end's kind
# and message.
MakeOutput = Callable[[str, bytes | None, Callable[[str, str], None]], Output]


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

"""What tests of the worker share: sources, destinations and replies as they come over the wire,
in the time of a virtual event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np

from dubcast.audio.pcm import RATE, Float
from dubcast.clock import NS_PER_S
from dubcast.config import SecretUrl, StreamSettings, StsClientSettings
from dubcast.contract.sts import FragmentConfig, PcmAudio, StageTimes, StsRequest, StsResponse
from dubcast.testing.virtual_loop import VirtualLoop
from dubcast.worker.core import WorkerCore
from dubcast.worker.edges import InputCallbacks, InputUnit
from dubcast.worker.fragment import Fragment
from dubcast.worker.output_thread import OutputThread
from dubcast.worker.scheduler import AudioBlock, Batch, ScriptUnit, VideoUnit
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.waiting import End
from dubcast.worker.work import DubReply, Work

CHUNK = 1920
_PERIOD = 48  # samples of the tone that sounds
CONFIG = b"\x01\x42\xc0\x1e"  # a decoder's configuration, as far as anybody looks
Result = TypeVar("Result")
Talk = Sequence[tuple[float, float]]  # from, until, in s

# A fragment of four seconds: as it is asked for, and what a scripted service reads of that.
REQUEST = StsRequest(
    fragment_id="run-7",
    stream_id="demo",
    sequence_number=7,
    audio=PcmAudio.from_pcm(bytes(2 * 4 * RATE), RATE, 1),
    config=FragmentConfig(slot_ms=4500),
)
RAW = {
    "fragment_id": "run-7",
    "audio": {"sample_rate_hz": RATE, "duration_ms": 4000},
    "config": {"source_language": "en"},
}


class LevelVad:
    """Calls loud windows speech."""

    def probability(self, window: Float) -> float:
        return 0.9 if float(np.abs(window).max()) > 0.1 else 0.0

    def reset(self) -> None:
        pass


def dub_reply(voice: Float | None, round_trip_s: float = 0.5, **response: Any) -> DubReply:
    """A checked reply; its sound is in `voice` alone. `response`: fields of the response."""
    status = "no_speech" if voice is None else "success"
    told = {"detected_language": "en", "stages_ms": StageTimes(), **response}
    return DubReply(StsResponse.model_construct(status=status, **told), voice, round_trip_s)


def work(deadline_ns: int, **changes: Any) -> Work:
    """A second of silence to be dubbed, after "before"."""
    given: dict[str, Any] = {
        "fragment_id": "run-7",
        "sequence": 7,
        "audio": np.zeros(RATE, np.int16),
        "slot_ms": 1200,
        "source_text": "before",
        "target_text": "antes",
        **changes,
    }
    return Work(deadline_ns=deadline_ns, **given)


async def at_once(call: Callable[[], Result], /) -> Result:
    """In place of a thread for what blocks: fakes do not."""
    return call()


def spec(**changes: Any) -> WorkerSpec:
    """A stream with a delay of 3 s, without separation."""
    policy = {"delay_s": 3, "separation": {"separator": "off"}, **changes.pop("policy", {})}
    return WorkerSpec(
        "demo",
        SecretUrl("rtmp://127.0.0.1:9/live/demo/in?key=canary"),
        SecretUrl("rtmp://127.0.0.1:9/live/demo/out"),
        StreamSettings.model_validate(policy),
        StsClientSettings(url="http://127.0.0.1:9", **changes.pop("sts", {})),
        **changes,
    )


def pcm(at: int, *, loud: bool = False, frames: int = CHUNK) -> bytes:
    """A chunk of stereo sound from sample `at` on: talk, or the room."""
    return _square(at % _PERIOD, loud, frames)


@cache
def _square(phase: int, loud: bool, frames: int) -> bytes:
    high = np.arange(phase, phase + frames) % _PERIOD < _PERIOD // 2
    wave = np.where(high, 1, -1) * (8000 if loud else 30)
    return np.repeat(wave.astype(np.int16), 2).tobytes()


def feed(core: WorkerCore, now: int, seconds: float, talk: Talk = ()) -> list[Fragment]:
    """Pour `seconds` of sound into a core, all at `now`; the fragments that it cut."""
    cut = []
    for at in range(0, round(seconds * RATE), CHUNK):
        loud = any(a <= at / RATE < b for a, b in talk)
        cut += core.audio(at * NS_PER_S // RATE, pcm(at, loud=loud), now)
    return cut


@dataclass(frozen=True)
class Read:
    """One read of a source: so much media at its own pace, and after a while its end."""

    media_s: float = 0.0
    end: End = ("eos", "end of stream")
    after_s: float = 0.1
    video: bool = True
    talk: Talk = ()


class ScriptedSource:
    """What the input finds, read by read; the last one again and again."""

    def __init__(self, loop: VirtualLoop, *reads: Read) -> None:
        self._loop = loop
        self._reads = reads
        self.inputs: list[FakeInput] = []

    def __call__(self, url: str, callbacks: InputCallbacks, patience_s: float) -> FakeInput:
        read = self._reads[min(len(self.inputs), len(self._reads) - 1)]
        self.inputs.append(FakeInput(self._loop, read, callbacks))
        return self.inputs[-1]


class FakeInput:
    """One read."""

    def __init__(self, loop: VirtualLoop, read: Read, callbacks: InputCallbacks) -> None:
        self._loop = loop
        self._read = read
        self._callbacks = callbacks
        self._timers: list[asyncio.TimerHandle] = []
        self.began_s = -1.0
        self.stopped = False

    def play(self) -> None:
        self.began_s = self._loop.time()
        for at in range(0, round(self._read.media_s * RATE), CHUNK):
            self._timers.append(self._loop.call_later(at / RATE, self._deliver, at))
        end_s = self._read.media_s + self._read.after_s
        self._timers.append(self._loop.call_later(end_s, self._end))

    def stop(self) -> None:
        self.stopped = True
        for timer in self._timers:
            timer.cancel()

    def _deliver(self, at: int) -> None:
        pts, read = at * NS_PER_S // RATE, self._read
        if read.video:
            key = at % (25 * CHUNK) == 0
            self._callbacks.video(InputUnit(pts, pts, key, f"picture {at}", CONFIG))
        loud = any(a <= at / RATE < b for a, b in read.talk)
        self._callbacks.audio(pts, pcm(at, loud=loud))

    def _end(self) -> None:
        kind, message = self._read.end
        if kind == "refused":
            self._callbacks.refused("video_codec", message)
        else:
            self._callbacks.end(kind, message)


class ScriptedDestination:
    """Where the output goes: connection by connection how long it lasts; the last one again.

    `answers_s`: after how many seconds it takes a publish.
    """

    def __init__(self, loop: VirtualLoop, *lasts_s: float, answers_s: float = 0.0) -> None:
        self._loop = loop
        self._answers_s = answers_s
        self._lasts_s = lasts_s or (1e9,)
        self.outputs: list[FakeOutput] = []

    def __call__(
        self, url: str, config: bytes | None, on_end: Callable[[str, str], None]
    ) -> FakeOutput:
        lasts_s = self._lasts_s[min(len(self.outputs), len(self._lasts_s) - 1)]
        self.outputs.append(FakeOutput(self._loop, lasts_s, self._answers_s, config, on_end))
        return self.outputs[-1]


class FakeOutput:
    """One connection, and what was pushed to it."""

    def __init__(
        self,
        loop: VirtualLoop,
        lasts_s: float,
        answers_s: float,
        config: bytes | None,
        on_end: Callable[[str, str], None],
    ) -> None:
        self._loop = loop
        self._lasts_s = lasts_s
        self._answers_s = answers_s
        self._on_end = on_end
        self.has_video = config is not None
        self.video: list[VideoUnit] = []
        self.audio: list[AudioBlock] = []
        self.script: list[ScriptUnit] = []
        self.finished_s = -1.0
        self.waiting_s = 0.0
        self.began_s = -1.0
        self.stopped = False

    def play(self) -> None:
        self.began_s = self._loop.time()
        self._loop.call_later(self._lasts_s, self._on_end, "error", "the peer is gone")

    def stop(self) -> None:
        self.stopped = True

    def push(self, batch: Batch, now: int) -> None:
        assert not self.stopped
        assert self.has_video or not batch.video
        self.video += batch.video
        self.audio += batch.audio
        self.script += batch.script

    def finish(self) -> None:
        self.finished_s = self._loop.time()
        self._on_end("eos", "end of stream")

    b_frames = False

    def sent_bytes(self) -> int | None:
        if self._loop.time() < self.began_s + self._answers_s:
            return None
        return len(self.video) + len(self.audio)

    def backlog_s(self) -> float:
        return self.waiting_s


async def drive(thread: OutputThread) -> None:
    """Do in the loop, in virtual time, what an output thread does."""
    while True:
        await asyncio.sleep(max(thread.push_due(), 0.005))

"""Generated bad replies on a real socket: never a crash, never a sample beyond full scale.

`make test-deep` (`--hypothesis-profile=deep`) runs 1,000 of them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import struct
from collections.abc import Iterator
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubcast.audio.mix import Dub, DuckedOriginal, Mixer
from dubcast.audio.pcm import RATE, Float, from_db
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.errors import StsError
from dubcast.testing.clock import VirtualClock
from dubcast.testing.sts_server import success
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from dubcast.worker.work import Work

FRAMES = RATE // 5
FRAGMENT = "run-1"
REQUEST: dict[str, Any] = {
    "fragment_id": FRAGMENT,
    "audio": {"sample_rate_hz": RATE, "duration_ms": 200},
    "config": {"source_language": "en"},
}
GOOD: dict[str, Any] = json.loads(success(REQUEST, translated_text="um dois").body)
DEADLINE_S = 1.0
MOST_MEMORY = 50 * 1024 * 1024


class Wire:
    """A TCP server that answers whatever comes with prepared bytes, and a client that asks it.

    Without any bytes it resets the connection.
    """

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.answer = b""
        self.server = self.runner.run(self._start())
        port = self.server.sockets[0].getsockname()[1]
        settings = StsClientSettings.model_validate(
            {"url": f"http://127.0.0.1:{port}", "retries": 0, "ping_s": 0}
        )
        self.clock = VirtualClock()
        now = self.clock.monotonic_ns
        self.client = StsClient(settings, "demo", StreamSettings(), now, budget=RetryBudget())
        self.process = psutil.Process()

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            await reader.readexactly(length)
            if not self.answer:
                reset = struct.pack("ii", 1, 0)  # to linger no moment: RST
                writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, reset)
            writer.write(self.answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def ask(self, answer: bytes) -> Float | None:
        """The voice that the client makes of `answer`. Raises StsError."""
        self.answer = answer
        self.clock.advance(1000)
        return self.runner.run(self._ask())

    async def _ask(self) -> Float | None:
        deadline = self.clock.monotonic_ns() + round(DEADLINE_S * 1e9)
        audio = np.zeros(FRAMES, np.int16)
        reply = await self.client.dub(Work(FRAGMENT, 1, audio, 300, deadline))
        return reply.voice

    def close(self) -> None:
        self.server.close()
        self.runner.run(self.client.close())
        self.runner.close()


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    one = Wire()
    yield one
    one.close()


def http(body: bytes, status: int = 200, headers: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status} x\r\nContent-Length: {size}\r\n{headers}Connection: close\r\n\r\n"
    return head.encode("latin-1", "replace") + body


numbers = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([0, 1, 47_999, 48_000, 200, 2000])
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@st.composite
def sounds(draw: st.DrawFn) -> dict[str, Any]:
    """Audio of any rate, length, level and label; each part is often right."""
    rate = draw(st.sampled_from([RATE, RATE, 8000, 24_000, 192_000, 0, -1]))
    channels = draw(st.sampled_from([1, 1, 2, 6, 0]))
    factor = draw(st.sampled_from([1, 1, 0.1, 0.01, 10, 2]))
    level = draw(st.sampled_from([0, 1, 3000, 32767, -32768]))
    frames = round(FRAMES * factor) * max(channels, 1)
    wave = np.random.default_rng(1).integers(-abs(level) - 1, abs(level) + 1, frames)
    pcm = np.clip(wave if draw(st.booleans()) else np.full(frames, level), -32768, 32767)
    data = base64.b64encode(pcm.astype("<i2").tobytes()).decode()
    cut = draw(st.sampled_from([0, 0, 1, 7, len(data)]))
    duration = draw(st.sampled_from([round(200 * factor), 200, 20, 2000])) if cut else None
    return {
        "format": "pcm_s16le",
        "sample_rate_hz": rate,
        "channels": channels,
        "duration_ms": round(200 * factor) if duration is None else duration,
        "data_base64": data[: len(data) - cut],
    }


@st.composite
def near_misses(draw: st.DrawFn) -> bytes:
    """A reply that is right but for a few fields, its sound, or its end."""
    body = {**GOOD, "dubbed_audio": draw(st.one_of(st.just(GOOD["dubbed_audio"]), sounds()))}
    for field in draw(st.lists(st.sampled_from(sorted(GOOD)), max_size=2)):
        body[field] = draw(anything)
    text = json.dumps(body).encode()
    if draw(st.booleans()):
        return http(text)
    at = draw(st.integers(0, len(text)))
    kept = text[:at] + draw(st.binary(max_size=4)) + (text[at:] if draw(st.booleans()) else b"")
    return http(kept, length=draw(st.sampled_from([None, len(text), 0, 10**12])))


bad_http = st.builds(
    http,
    st.one_of(st.binary(max_size=300), anything.map(lambda value: json.dumps(value).encode())),
    st.sampled_from([200, 200, 204, 301, 400, 401, 404, 429, 500, 503, 999]),
    st.sampled_from(
        [
            "",
            "Retry-After: 1e999\r\n",
            "Retry-After: Thu, 99 Foo 2999\r\n",
            "Content-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 7\r\n",
            "X: \xff\x00\r\n",
            "X: " + "y" * 200_000 + "\r\n",
        ]
    ),
)
huge = st.sampled_from([b" ", b"[", b'{"a":', b"\x00"]).map(lambda one: http(one * 3_000_000))
answers = st.one_of(near_misses(), near_misses(), bad_http, st.binary(max_size=500), huge)


@given(answer=answers)
def test_a_bad_reply_is_an_error_or_a_harmless_dub(wire: Wire, answer: bytes) -> None:
    try:
        voice = wire.ask(answer)
    except StsError:
        voice = None
    if voice is not None:
        assert RATE * 0.02 < len(voice) <= 3 * RATE
        assert all(math.isfinite(sample) for sample in (voice.min(), voice.max()))
        assert float(np.abs(voice).max()) <= 1.0
        _check_mix(voice)


def _check_mix(voice: Float) -> int:
    """On air at the highest gain, over a bed at full scale, it is limited and does not wrap.

    How many of its samples were loud enough to wrap.
    """
    mixer = Mixer(DuckedOriginal(24), 4.0, 4.0)
    mixer.accept(Dub(0, len(voice), 0, voice))
    original = np.full((len(voice) + mixer.lookahead, 2), 32767, np.int16)
    out = mixer.render(0, original)[480:-480, 0].astype(np.float64) / 32768
    mixed = (voice * 4 + 4 * from_db(-24))[480:-480]
    loud = mixed > 1
    # No sound asks for less: one of 4.3 times full scale, and 2.3 times that between its samples.
    # What wraps has a gain around none.
    gain = out[loud] / mixed[loud]
    assert (gain > 0.09).all()
    assert (gain <= 1).all()
    return int(loud.sum())


def test_memory_stays_bounded(wire: Wire) -> None:
    answers = [http(b"[" * 12_000_000), http(b" " * 12_000_000), http(b"\xff" * 12_000_000)]
    before = wire.process.memory_info().rss
    most = 0
    for answer in answers * 5:
        with pytest.raises(StsError):
            wire.ask(answer)
        most = max(most, wire.process.memory_info().rss - before)
    assert most < MOST_MEMORY


def test_a_connection_that_is_reset_is_told_in_words(wire: Wire) -> None:
    with pytest.raises(StsError, match=r"cannot be reached: \w"):
        wire.ask(b"")


def test_the_same_wire_brings_a_good_reply(wire: Wire) -> None:
    voice = wire.ask(http(json.dumps(GOOD).encode()))
    assert voice is not None
    assert len(voice) == FRAMES
    assert _check_mix(voice) > 1000

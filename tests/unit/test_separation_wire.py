"""The frames between worker and separation process, and positions through a separator."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.pcm import Float, Int16
from dubcast.separation.aligned_stream import CHUNK, AlignedStream
from dubcast.separation.separator import CELL, Separated
from dubcast.separation.wire import Audio, Background, Message, Notice, Parser, WireError, encode


def audio(frames: int, seed: int = 0) -> Int16:
    rng = np.random.default_rng(seed)
    return rng.integers(-32768, 32768, (frames, 2), dtype=np.int16)


MESSAGES: list[Message] = [
    Audio(-5, audio(1_024)),
    Background(1 << 40, audio(481), np.array([-3.0, -80.0], dtype=np.float32)),
    Notice("ready", "dfn3", 4_320, 0.12),
    Notice("failed", reason="model nsnet2-48k is not here"),
]


def _same(one: Message, other: Message) -> bool:
    first, second = vars(one), vars(other)
    return type(one) is type(other) and all(np.array_equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_messages_come_back_however_the_bytes_are_cut(step: int) -> None:
    data = b"".join(encode(message) for message in MESSAGES)
    parser, got = Parser(), []
    for at in range(0, len(data), step):
        got += list(parser.feed(data[at : at + step]))
    assert len(got) == len(MESSAGES)
    assert all(_same(one, other) for one, other in zip(got, MESSAGES, strict=True))


def _changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        b"thread 'main' panicked at src/lib.rs",
        _changed(encode(MESSAGES[2]), 4, 99),  # kind
        _changed(encode(MESSAGES[0]), 8, 255),  # length
        _changed(encode(MESSAGES[1]), 9 + 8, 3),  # frames
        _changed(encode(MESSAGES[2]), 9, 0),  # JSON
        encode(MESSAGES[2]).replace(b'"cpu"', b'"gpu"'),
    ],
)
def test_anything_else_is_an_error(data: bytes) -> None:
    with pytest.raises(WireError):
        list(Parser().feed(data))


class Inverter:
    """A separator of exact latency that turns the sign, and has a share of -k dB in cell k."""

    name = "inverter"

    def __init__(self, latency: int = 9 * CELL) -> None:
        self.latency = latency
        self.reset()

    def reset(self) -> None:
        self._held: Float = np.zeros((self.latency, 2), dtype=np.float32)
        self._given = 0

    def process(self, block: Float) -> Separated:
        self._held = np.concatenate([self._held, -block])
        out, self._held = self._held[: len(block)], self._held[len(block) :]
        first, self._given = self._given, self._given + len(block)
        cells = np.arange(first // CELL, self._given // CELL) - self.latency // CELL
        return Separated(out, -np.clip(cells, 0, 80).astype(np.float32))


def _collect(stream: AlignedStream, pieces: list[tuple[int, Int16]]) -> list[Background]:
    out: list[Background] = []
    for start, block in pieces:
        out += stream.feed(start, block)
    return out + list(stream.finish())


def _pieces(start: int, source: Int16, size: int) -> list[tuple[int, Int16]]:
    return [(start + at, source[at : at + size]) for at in range(0, len(source), size)]


def _check_run(results: list[Background], start: int, source: Int16) -> None:
    at = start
    for result in results:
        assert result.start == at
        here = source[at - start : at - start + len(result.block)]
        assert np.array_equal(result.block, np.clip(-here.astype(int), -32768, 32767))
        cells = np.arange(len(result.speech_share)) + (at - start) // CELL
        assert (at - start) % CELL == 0
        assert len(result.speech_share) == -(-len(result.block) // CELL)
        assert np.array_equal(result.speech_share, -np.clip(cells, 0, 80))
        at += len(result.block)
    assert at == start + len(source)


@pytest.mark.parametrize("size", [1, 1_024, 4_800, 50_000])
@pytest.mark.parametrize("frames", [1, 480, 4_799, 23_457])
@pytest.mark.parametrize("latency", [0, 480, 4_320, 57_120])
def test_each_background_belongs_to_its_source(size: int, frames: int, latency: int) -> None:
    source = audio(frames)
    _check_run(
        _collect(AlignedStream(Inverter(latency)), _pieces(7, source, max(size, 97))), 7, source
    )


@pytest.mark.parametrize("second", [30_000, 5, -90_000])
def test_a_jump_ends_a_run_in_full_and_begins_another(second: int) -> None:
    one, two = audio(12_345), audio(9_999, 1)
    stream = AlignedStream(Inverter())
    pieces = _pieces(100, one, 1_024) + _pieces(second, two, 700)
    results = _collect(stream, pieces)
    border = next(at for at in range(1, len(results)) if results[at].start == second and at > 1)
    _check_run(results[:border], 100, one)
    _check_run(results[border:], second, two)


def test_a_change_of_separator_leaves_no_gap() -> None:
    source = audio(30_000)
    stream = AlignedStream(Inverter())
    results: list[Background] = []
    for start, block in _pieces(50, source[:11_111], 1_000):
        results += stream.feed(start, block)
    results += stream.change(Inverter(14_400))
    assert stream.separator.latency == 14_400
    first = results[:]
    for start, block in _pieces(50 + 11_111, source[11_111:], 1_000):
        results += stream.feed(start, block)
    results += stream.finish()
    _check_run(first, 50, source[:11_111])
    _check_run(results[len(first) :], 50 + 11_111, source[11_111:])


def test_results_come_while_the_source_runs() -> None:
    stream = AlignedStream(Inverter())
    got = sum(
        len(r.block) for start, b in _pieces(0, audio(48_000), 1_024) for r in stream.feed(start, b)
    )
    assert got >= 48_000 - 9 * CELL - CHUNK

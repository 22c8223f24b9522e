"""A separated stream through the worker's core, as on air, but with silent dubs.

What is heard then is the original where nobody was found speaking, and the bed where somebody was:
all of the air path between the decoder and the encoder. Cutting into fragments, the gate, the bed,
the mixer and its limiter are the worker's own. In place of the speech service stands what it would
find: a fragment without words stays as it came, any other gets a dub as long as its speech.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bench.separation.measure import BLOCK, Streamed
from dubcast.audio.pcm import RATE, Float, Int16, ms_to_samples, to_float, to_int16
from dubcast.audio.vad import SileroVad, SpeechModel
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.contract.sts import StageTimes, StsResponse
from dubcast.separation.aligned_stream import CHUNK
from dubcast.separation.separator import CELL
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment
from dubcast.worker.scheduler import Tracks
from dubcast.worker.work import DubReply, Work

HasWords = Callable[[Float], bool]
"""Whether there are words in a fragment, (frames, 2)."""

# The background comes so much later than the sound that it is of: more than any separator's delay.
_BEHIND = 2 * RATE
_STEP_NS = 20_000_000


class AirPath:
    """Plays one mix through the core in virtual time: chunk by chunk, everything in its turn."""

    def __init__(self, has_words: HasWords, model: SpeechModel) -> None:
        self._core = WorkerCore(StreamSettings(), "bench", model, 0, self._tap)
        self._core.set_output(Tracks.SOUND)
        self._has_words = has_words
        self._origin: int | None = None  # the stream position of the mix's first sample
        self._given = 0  # of the background
        self._blocks: list[tuple[int, Int16]] = []

    def play(self, whole: Int16, made: Streamed) -> Int16:
        """The output, (frames, 2), as long as `whole`. Raises ValueError if some never came."""
        background, shares = to_int16(made.background), made.speech_share
        now = 0
        for start in range(0, len(whole), BLOCK):
            now = start * NS_PER_S // RATE
            for fragment in self._core.audio(now, whole[start : start + BLOCK].tobytes(), now):
                self._serve(fragment, now)
            self._separate(background, shares, start - _BEHIND)
            self._poll(now)
        for fragment in self._core.input_ended():
            self._serve(fragment, now)
        self._separate(background, shares, len(background) + CHUNK)
        while not self._core.drained:
            now += _STEP_NS
            self._poll(now)
        return self._output(len(whole))

    def _tap(self, stem: str, start: int, samples: Int16 | Float) -> None:
        if stem == "original" and self._origin is None:
            self._origin = start

    def _separate(self, background: Int16, shares: Float, until: int) -> None:
        """Give the core what its separator has made by `until`."""
        for start, block, cells in chunks(background, shares, self._given, until):
            assert self._origin is not None
            self._core.background(self._origin + start, block, cells)
            self._given = start + len(block)

    def _serve(self, fragment: Fragment, now: int) -> None:
        """Answer for the speech service."""
        work = self._core.dubs.send(fragment)
        assert work is not None
        voice = None
        if self._has_words(np.repeat(to_float(_own(work))[:, np.newaxis], 2, axis=1)):
            length = fragment.span.stop - fragment.span.speech_start
            voice = np.zeros(length, np.float32)
        status = "no_speech" if voice is None else "success"
        response = StsResponse.model_construct(
            status=status, detected_language="en", stages_ms=StageTimes()
        )
        self._core.dubs.replied(fragment, DubReply(response, voice, 0.0), now)

    def _poll(self, now: int) -> None:
        batch, _ = self._core.poll(now)
        assert self._origin is not None
        self._blocks += [(block.start - self._origin, block.samples) for block in batch.audio]

    def _output(self, count: int) -> Int16:
        out = np.zeros((count, 2), dtype=np.int16)
        reached = 0
        for start, samples in self._blocks:
            if start != reached:
                raise ValueError(f"the output jumps from sample {reached} to {start}")
            out[start : start + len(samples)] = samples
            reached += len(samples)
        if reached < count:
            raise ValueError(f"the output ends after {reached} of {count} samples")
        return out


def _own(work: Work) -> Int16:
    """The fragment alone, without what is sent around it."""
    first, last = ms_to_samples(work.before_ms), len(work.audio) - ms_to_samples(work.after_ms)
    return work.audio[first:last]


def chunks(
    background: Int16, shares: Float, given: int, until: int
) -> Iterator[tuple[int, Int16, Float]]:
    """(start, background, shares) of what is complete by `until` and was not `given` yet.

    Whole chunks, as the separating process sends them: the gate begins anew where the shares of
    one do not continue those of the one before.
    """
    while given + CHUNK <= until and given < len(background):
        cells = slice(given // CELL, (given + CHUNK) // CELL)
        yield given, background[given : given + CHUNK], shares[cells]
        given += CHUNK


def aired(
    whole: Int16, made: Streamed, has_words: HasWords, model: SpeechModel | None = None
) -> Float:
    """What is heard in place of the mix `whole` (frames, 2), with the speech taken out.

    `model`: the voice activity detector (None: Silero).
    """
    return to_float(AirPath(has_words, model or SileroVad()).play(whole, made))

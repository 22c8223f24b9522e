"""Where what is due goes: the connection of now, or from a moment on the next one. Thread-safe.

A connection that began without a picture is followed by one with it, from the first key frame on.
Both exist for a moment, and what is due is split between them by its stream time, so that the
change costs nothing: the first gets all that lies before, the second waits for the first to be
gone (a server takes one publisher at a time) and then gets the rest at once.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from dubcast.audio.pcm import ns_to_samples, samples_to_ns
from dubcast.worker.edges import Output
from dubcast.worker.scheduler import AudioBlock, Batch

Taken = tuple[Output, Batch]


class Outlet:
    """Takes every batch of the scheduler; `output` is who gets it now, if anybody does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._output: Output | None = None
        self._split_ns: int | None = None
        self._kept: list[Batch] = []  # what lies beyond the split

    @property
    def output(self) -> Output | None:
        """The connection that takes media."""
        return self._output

    def open(self, output: Output) -> None:
        """This one takes everything from now on, with what was kept for it."""
        with self._lock:
            self._output, self._split_ns = output, None
            kept, self._kept = self._kept, []
            for batch in kept:
                output.push(batch, 0)

    def split(self, stream_ns: int) -> None:
        """What lies at this stream time or beyond is kept for the next connection."""
        with self._lock:
            self._split_ns = stream_ns

    @property
    def split_over(self) -> bool:
        """The picture is here that the next connection begins with, and with it, since sound is
        rendered ahead of it, all that lies before the split. By the clock alone that is not sure:
        what is due may come late.
        """
        with self._lock:
            return any(batch.video for batch in self._kept)

    def close(self) -> Output | None:
        """Nobody takes media; who did."""
        with self._lock:
            output, self._output = self._output, None
            return output

    def drop(self) -> None:
        """There will be no next connection to which anything kept belongs."""
        with self._lock:
            self._split_ns, self._kept = None, []

    def push(self, batch: Batch, now: int) -> Taken | None:
        """What is due at `now`; who got what of it, None: nobody."""
        with self._lock:
            if self._split_ns is not None:
                batch, later = divided(batch, self._split_ns)
                if later.audio or later.video or later.script:
                    self._kept.append(later)
            if self._output is None:
                return None
            self._output.push(batch, now)
            return self._output, batch


def divided(batch: Batch, at_ns: int) -> tuple[Batch, Batch]:
    """A batch as two: what lies before stream time `at_ns`, and what does not."""
    before, after = replace(batch, audio=[], video=[], script=[]), Batch(start_ns=at_ns)
    for unit in batch.video:
        (before if unit.dts_ns < at_ns else after).video.append(unit)
    for data in batch.script:
        (before if data.pts_ns < at_ns else after).script.append(data)
    for block in batch.audio:
        first, second = _divided_block(block, ns_to_samples(at_ns))
        before.audio += [first] if len(first.samples) else []
        after.audio += [second] if len(second.samples) else []
    return before, after


def _divided_block(block: AudioBlock, position: int) -> tuple[AudioBlock, AudioBlock]:
    cut = min(max(position - block.start, 0), len(block.samples))
    return (
        replace(block, samples=block.samples[:cut]),
        replace(
            block,
            start=block.start + cut,
            samples=block.samples[cut:],
            due_ns=block.due_ns + samples_to_ns(cut),
        ),
    )

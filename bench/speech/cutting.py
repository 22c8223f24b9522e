"""A sound cut into fragments as a worker cuts it, faster than it is heard."""

from __future__ import annotations

from dubcast.audio.pcm import RATE, Float, to_int16
from dubcast.audio.vad import SileroVad, VadStream
from dubcast.config import FragmentSettings
from dubcast.worker.fragment_length import LONGEST_S
from dubcast.worker.sound_policy import make_fragmenter


def fragments(
    sound: Float, settings: FragmentSettings, longest_s: float = LONGEST_S
) -> list[tuple[int, int]]:
    """(first sample, the one after the last) of each fragment of (frames, 2) at 48 kHz."""
    pcm = to_int16(sound)
    stream, fragmenter = VadStream(SileroVad()), make_fragmenter(settings)
    longest, spans = round(longest_s * RATE), []
    for first in range(0, len(pcm), RATE):
        spans += fragmenter.feed(stream.feed(first, pcm[first : first + RATE]), longest)
    spans += fragmenter.flush()
    return [(span.start, span.stop) for span in spans]

"""What encoders do to timestamps, bytes and formats: each on a stream of its own, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dubcast import flv
from dubcast.measure.recording import iter_tags
from dubcast.testing import publisher
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.publisher import Timed

FAULT_S = 5.0  # when it comes, and for how long the programme goes on after it
SECONDS = 10
SPEC = ClipSpec(seconds=SECONDS, bed="noise")
FRAME_MS = 1000 / SPEC.fps
_LARGE = ClipSpec(seconds=4, width=640, height=360, bed="noise")
_MONO = ClipSpec(seconds=4, audio_rate=44100, audio_channels=1, bed="noise")


@dataclass(frozen=True)
class Bent:
    """How a programme is bent, and what may be seen of it in the output.

    `gap_ms`: the largest allowed gap. `exact`: the picture is the one that was sent.
    """

    bend: Callable[[Iterable[Timed], Path], Iterator[Timed]]
    gap_ms: float = 1.0  # FLV's rounding
    exact: bool = True
    spec: ClipSpec = SPEC


def _then(spec: ClipSpec) -> Callable[[Iterable[Timed], Path], Iterator[Timed]]:
    return lambda items, clips: publisher.joined(
        items, publisher.paced(iter_tags(build_clip(spec, clips)))
    )


def _as_it_is(items: Iterable[Timed], clips: Path) -> Iterator[Timed]:
    return iter(items)


def _bad_heads(items: Iterable[Timed], _: Path) -> Iterator[Timed]:
    sound = publisher.corrupted(items, 0.05, 1, flv.AUDIO, first=0)
    return publisher.corrupted(sound, 0.05, 2, flv.VIDEO, first=0)


def bent(at_s: float = FAULT_S) -> dict[str, Bent]:
    """Each fault, `at_s` after the start."""
    at_ms = round(at_s * 1000)
    spec = replace(SPEC, seconds=at_s + FAULT_S)
    found = {
        "reset": Bent(lambda items, _: publisher.restarted(items, at_s)),
        "leap": Bent(lambda items, _: publisher.jumped(items, at_s, 10_000)),
        "back": Bent(lambda items, _: publisher.jumped(items, at_s, -4_000)),
        "wrap31": Bent(lambda items, _: publisher.jumped(items, 0, (1 << 31) - at_ms)),
        "wrap32": Bent(lambda items, _: publisher.jumped(items, 0, (1 << 32) - at_ms)),
        # Behind a DTS that is given twice the source itself has a hole of a frame: it passes as it
        # is.
        "repeats": Bent(lambda items, _: publisher.equal_dts(items, 5), gap_ms=FRAME_MS),
        "bad-aac": Bent(lambda items, _: publisher.corrupted(items, 0.1, 1, flv.AUDIO)),
        "bad-video": Bent(
            lambda items, _: publisher.corrupted(items, 0.1, 1, flv.VIDEO), exact=False
        ),
        # What is damaged is dropped: up to five frames in a row by this seed.
        "bad-heads": Bent(_bad_heads, gap_ms=2_500, exact=False),
        # The first programme's sound ends before its picture: that seam is in the source.
        "resolution": Bent(_then(_LARGE), gap_ms=4 * FRAME_MS, exact=False),
        "sound-format": Bent(_then(_MONO), gap_ms=4 * FRAME_MS, exact=False),
    }
    return {name: replace(one, spec=spec) for name, one in found.items()}


BENT = bent()
# Formats that are odd throughout.
ODD = {
    "mono-44k": Bent(_as_it_is, spec=ClipSpec(seconds=SECONDS, audio_rate=44100, audio_channels=1)),
    "surround": Bent(_as_it_is, spec=ClipSpec(seconds=SECONDS, audio_channels=6)),
    "no-key-30s": Bent(_as_it_is, spec=ClipSpec(seconds=34, gop=1020)),
}


def clip_of(bent: Bent, clips: Path) -> Path:
    """The programme before it is bent; made once."""
    return build_clip(bent.spec, clips)


async def publish(bent: Bent, url: str, clips: Path) -> None:
    """Send a bent programme in real time."""
    clip = await asyncio.to_thread(clip_of, bent, clips)
    await publisher.publish(url, bent.bend(publisher.paced(iter_tags(clip)), clips))

"""Plays a clip through all roles as a broadcaster would, and records both ends of the stream."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dubcast.config import Settings
from dubcast.contract.ids import ingest_path
from dubcast.contract.worker import AsRunEntry
from dubcast.errors import MediaError
from dubcast.live_view import LiveView
from dubcast.measure import stage
from dubcast.measure.recorder import RecorderProcess, keep_picture
from dubcast.measure.stage import Role, Sample, Usage, Watcher

_TAIL_S = 3.0
_FIRST_DATA_S = 30.0
_PUBLISH_SLACK_S = 30.0


@dataclass(frozen=True)
class OnStage:
    """Roles that run: their settings, those of the third party, the process of `up`, its folder."""

    roles: Settings
    third: Settings
    up_pid: int
    out: Path


@dataclass(frozen=True)
class Ends:
    """Where the two recordings go: as the media server and as the third party received it."""

    source: Path
    output: Path


@dataclass(frozen=True)
class Played:
    """What a clip left behind: recordings, as-run records, what the processes used by role.

    `longest_fragments_s`: how long a fragment was allowed to be, every time the worker was asked.
    """

    ends: Ends
    fragments: Sequence[AsRunEntry]
    usage: Usage
    samples: Mapping[str, Sequence[Sample]]
    longest_fragments_s: Sequence[float] = ()


def asrun_path(out: Path, stream_id: str) -> Path:
    """Where the worker of a stream on stage writes its as-run log."""
    return out / "asrun" / f"{stream_id}.asrun.jsonl"


def play(
    where: OnStage,
    stream_id: str,
    clip: Path,
    ends: Ends,
    *,
    seconds: float,
    delay_s: float,
    loop: bool = False,
) -> Played:
    """Publish `clip` (`loop`: over and over for `seconds`, else it lasts as long) and record.

    Shows the stream on the terminal meanwhile. Raises MediaError if nothing arrives.
    """
    port = where.roles.media_server.rtmp_port
    ingest = f"rtmp://127.0.0.1:{port}/{ingest_path(stream_id)}"
    source = RecorderProcess(ingest, ends.source)
    third_party = stage.third_party_url(where.third, stream_id)
    output = RecorderProcess(third_party, ends.output, reconnect=True)
    asrun = asrun_path(where.out, stream_id)
    folder = ends.source.parent
    publisher = stage.publish(clip, ingest, folder, loop_s=seconds if loop else None)
    try:
        with LiveView(stream_id) as view, Watcher(where.up_pid, stream_id, asrun) as watcher:
            _show_until_published(publisher, view, watcher, seconds)
            if not output.wait_for_data(_FIRST_DATA_S):
                raise MediaError(f"nothing reached the third party; logs are in {where.out}")
            _show(delay_s + _TAIL_S, view, watcher)
    finally:
        publisher.stop()
        source.stop()
        output.stop()
        keep_picture(ends.output)
    return Played(
        ends,
        tuple(watcher.fragments),
        watcher.usage(),
        watcher.samples,
        tuple(watcher.longest_fragments_s),
    )


def _show_until_published(
    publisher: Role, view: LiveView, watcher: Watcher, seconds: float
) -> None:
    end = time.monotonic() + seconds + _PUBLISH_SLACK_S
    while publisher.running and time.monotonic() < end:
        _show(stage.POLL_S, view, watcher)


def _show(seconds: float, view: LiveView, watcher: Watcher) -> None:
    """Show the stream for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        view.status(watcher.status)
        for entry in watcher.new_fragments():
            view.fragment(entry)
        time.sleep(min(stage.POLL_S, max(end - time.monotonic(), 0.0)))

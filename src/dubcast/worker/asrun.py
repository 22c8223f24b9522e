"""The as-run log: one JSON object a line for every fragment that went on air.

It holds transcripts, so it is written only where a folder was set, readable by the owner alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from dubcast.audio.pcm import samples_to_s
from dubcast.contract.worker import AsRunEntry
from dubcast.worker.fragments import Fragment


def entry_of(fragment: Fragment) -> AsRunEntry:
    """A decided fragment as it is told."""
    assert fragment.outcome is not None
    dub = fragment.dub
    return AsRunEntry(
        fragment_id=fragment.id,
        sequence_number=fragment.sequence,
        source_start_s=round(samples_to_s(fragment.speech_start), 4),
        source_end_s=round(samples_to_s(fragment.speech_stop), 4),
        outcome=fragment.outcome,
        reason=fragment.reason,
        fallback=fragment.fallback,
        transcript=fragment.transcript,
        translated_text=fragment.translation,
        tempo=round(fragment.tempo, 4),
        placed_shift_s=_seconds(fragment.shift),
        backlog_s=_seconds(fragment.backlog),
        dub_start_s=_seconds(dub.start) if dub else None,
        dub_end_s=_seconds(dub.stop) if dub else None,
        speech_lufs=fragment.speech_lufs,
        dub_lufs=fragment.dub_lufs,
        air_ns=fragment.air_ns,
        stages_ms=fragment.stages_ms,
        round_trip_ms=round(fragment.round_trip_ms, 1),
        deadline_margin_ms=fragment.margin_ms,
    )


def _seconds(samples: int | None) -> float | None:
    return None if samples is None else round(samples_to_s(samples), 4)


class AsRunLog:
    """Appends entries to `<folder>/<stream>.asrun.jsonl`, flushed line by line."""

    def __init__(self, folder: Path, stream_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{stream_id}.asrun.jsonl"
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(handle, "a", encoding="utf-8")

    def write(self, entry: AsRunEntry) -> None:
        """Append one entry."""
        self._file.write(entry.model_dump_json() + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

"""The as-run log: one JSON object a line for every fragment that went on air.

It holds transcripts, so it is written only where a folder was set, readable by the owner alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dubcast.audio.pcm import samples_to_s
from dubcast.worker.fragments import Fragment


def record(fragment: Fragment) -> dict[str, Any]:
    """A decided fragment as plain values; times are stream time in seconds, `air_ns` the
    moment its first sample leaves on the monotonic clock."""
    dub = fragment.dub
    return {
        "fragment_id": fragment.id,
        "sequence_number": fragment.sequence,
        "source_start_s": round(samples_to_s(fragment.speech_start), 4),
        "source_end_s": round(samples_to_s(fragment.speech_stop), 4),
        "outcome": fragment.outcome.value if fragment.outcome else None,
        "reason": fragment.reason,
        "fallback": fragment.fallback,
        "transcript": fragment.transcript,
        "translated_text": fragment.translation,
        "tempo": round(fragment.tempo, 4),
        "placed_shift_s": _seconds(fragment.shift),
        "backlog_s": _seconds(fragment.backlog),
        "dub_start_s": round(samples_to_s(dub.start), 4) if dub else None,
        "dub_end_s": round(samples_to_s(dub.stop), 4) if dub else None,
        "speech_lufs": fragment.speech_lufs,
        "dub_lufs": fragment.dub_lufs,
        "air_ns": fragment.air_ns,
        "stages_ms": fragment.stages_ms,
        "round_trip_ms": round(fragment.round_trip_ms, 1),
        "deadline_margin_ms": fragment.margin_ms,
    }


def _seconds(samples: int | None) -> float | None:
    return None if samples is None else round(samples_to_s(samples), 4)


class AsRunLog:
    """Appends records to `<folder>/<stream>.asrun.jsonl`, flushed line by line."""

    def __init__(self, folder: Path, stream_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{stream_id}.asrun.jsonl"
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(handle, "a", encoding="utf-8")

    def write(self, entry: dict[str, Any]) -> None:
        """Append one record."""
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

"""The as-run log: one JSON object a line for every fragment that went on air.

It holds transcripts, so it is written only where a folder was set, readable by the owner alone.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from dubcast import log
from dubcast.audio.pcm import samples_to_s
from dubcast.contract.worker import AsRunEntry
from dubcast.worker.fragment import Fragment

_log = log.get("asrun")


def entry_of(fragment: Fragment) -> AsRunEntry:
    """A decided part as it is told."""
    assert fragment.outcome is not None
    dub = fragment.dub
    return AsRunEntry(
        fragment_id=fragment.id,
        sequence_number=fragment.sequence,
        clause=fragment.part,
        clauses=fragment.parts,
        beginning=fragment.beginning,
        source_start_s=round(samples_to_s(fragment.speech_start), 4),
        source_end_s=round(samples_to_s(fragment.speech_stop), 4),
        speech_s=round(samples_to_s(fragment.speech), 3),
        unheard_s=round(samples_to_s(fragment.unheard_speech), 3),
        outcome=fragment.outcome,
        reason=fragment.reason,
        fallback=fragment.fallback,
        language=fragment.language,
        transcript=fragment.transcript,
        translated_text=fragment.translation,
        tempo=round(fragment.tempo, 4),
        begins_late_s=round(samples_to_s(fragment.late), 4),
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
    """Appends entries to `<folder>/<stream>.asrun.jsonl`, line by line.

    A folder that cannot be made and a disk that is full cost lines of it, never the stream: that is
    logged once, and again when lines are written.
    """

    def __init__(self, folder: Path, stream_id: str) -> None:
        self.path = folder / f"{stream_id}.asrun.jsonl"
        self.lost = 0  # entries that are not in the file
        self._handle: int | None = None
        self._torn = False  # the last line ends in the middle
        self._fails = False
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            _log.error("the as-run log cannot be written", reason=str(error))

    def write(self, entry: AsRunEntry) -> None:
        """Append one entry."""
        if self._handle is None:
            self.lost += 1
            return
        line = ("\n" if self._torn else "") + entry.model_dump_json() + "\n"
        data = line.encode()
        try:
            written = os.write(self._handle, data)
            error = None if written == len(data) else OSError(errno.ENOSPC, "the disk is full")
            self._torn = error is not None
        except OSError as failed:
            error = failed
        if error is not None:
            self.lost += 1
            if not self._fails:
                _log.error("the as-run log cannot be written", reason=str(error))
        elif self._fails:
            _log.info("the as-run log is written again", lost=self.lost)
        self._fails = error is not None

    def close(self) -> None:
        """Closing twice is harmless."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

"""The as-run log."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from dubcast.audio.fragmenter import Span
from dubcast.contract.worker import Outcome
from dubcast.worker import asrun
from dubcast.worker.fragment import Fragment


def test_the_as_run_log_is_private_and_one_object_a_line(tmp_path: Path) -> None:
    log = asrun.AsRunLog(tmp_path / "asrun", "demo")
    fragment = Fragment(3, "run-3", Span(48_000, 96_000, 52_800, 100_000))
    fragment.outcome, fragment.transcript = Outcome.LATE, "Olá"
    log.write(asrun.entry_of(fragment))
    log.write(asrun.entry_of(fragment))
    log.close()
    lines = log.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["sequence_number"] for line in lines] == [3, 3]
    assert json.loads(lines[0])["source_start_s"] == 1.1
    assert "Olá" in lines[0]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_the_as_run_log_says_how_a_dub_was_placed() -> None:
    fragment = Fragment(3, "run-3", Span(48_000, 96_000, 52_800, 100_000), outcome=Outcome.DUBBED)
    fragment.hear(200, 900)
    fragment.tempo, fragment.shift, fragment.backlog = 1.123456, 4800, 24_000
    entry = asrun.entry_of(fragment)
    assert (entry.source_start_s, entry.source_end_s) == (1.2, 1.9)
    assert (entry.tempo, entry.placed_shift_s, entry.backlog_s) == (1.1235, 0.1, 0.5)
    missed = Fragment(4, "run-4", fragment.span, outcome=Outcome.LATE)
    assert asrun.entry_of(missed).backlog_s is None

"""The demo's report: complete, standalone, and safe against what was said."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from dubcast.contract.worker import AsRunEntry
from dubcast.demo import plots
from dubcast.demo.report import DemoReport, write
from dubcast.measure.figures import Bar

TONE = plots.Sound(np.sin(np.arange(16000) / 9).astype(np.float32), 8000, 1.0)


def fragment(number: int, outcome: str = "dubbed", **more: object) -> AsRunEntry:
    data = {
        "fragment_id": f"f{number}",
        "sequence_number": number,
        "source_start_s": 1.0 * number,
        "source_end_s": number + 0.8,
        "outcome": outcome,
        "transcript": f"sentence {number}",
        "translated_text": f"frase {number}",
        "stages_ms": {"queue": 5, "asr": 200, "tts": 500},
        "round_trip_ms": 760.0,
    }
    return AsRunEntry.model_validate({**data, **more})


def full(**more: object) -> DemoReport:
    return DemoReport(
        figures={"av_offset_max_abs_ms": 0.6, "dubbed_share": 0.5},
        bars=[Bar("av_offset_max_abs_ms", "<=", 5), Bar("dubbed_share", ">=", 0.9)],
        fragments=[fragment(1), fragment(2, "late", transcript="<script>alert(1)</script> & so")],
        av_points=[(1.0, 0.4), (2.0, -0.6)],
        delay_points=[(0.0, 8.0), (1.0, 8.01)],
        source=TONE,
        output=TONE,
        seed=7,
        **more,  # type: ignore[arg-type]
    )


def test_both_files(tmp_path: Path) -> None:
    written = write(full(), tmp_path)
    data = json.loads(written.json.read_text(encoding="utf-8"))
    assert not written.passed
    assert data["figures"]["av_offset_max_abs_ms"] == 0.6 and data["seed"] == 7
    assert [f["outcome"] for f in data["detail"]["fragments"]] == ["dubbed", "late"]
    page = written.html.read_text(encoding="utf-8")
    assert "1 of 2 bars met" in page and "frase 1" in page
    assert page.count("<svg") == 4


def test_the_page_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    page = write(full(), tmp_path).html.read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links and all(link.startswith("#") for link in links)


def test_a_report_of_nothing_is_a_page_too(tmp_path: Path) -> None:
    written = write(DemoReport(figures={}), tmp_path)
    assert written.passed and "<svg" not in written.html.read_text(encoding="utf-8")


def test_stages_add_up_to_the_round_trip() -> None:
    times = plots.stage_times(fragment(1, stages_ms={"asr": 200, "tts": 500, "new": 10}))
    assert sum(times.values()) == pytest.approx(760)
    assert times["other"] == pytest.approx(60)


@pytest.mark.parametrize(
    "svg",
    [
        plots.waveforms(TONE, None, [fragment(1), fragment(2, "separation")]),
        plots.offset([], 5.0),
        plots.latency([fragment(1)]),
        plots.delay([]),
    ],
)
def test_plots_are_well_formed_and_take_the_pages_colours(svg: str) -> None:
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "currentColor" in svg and "#010203" not in svg


def test_the_envelope_keeps_the_extremes() -> None:
    samples = np.zeros(8000, np.float32)
    samples[4000] = 0.5
    times, low, high = plots.envelope(plots.Sound(samples, 8000, 2.0), columns=100)
    assert high.max() == pytest.approx(1.0) and low.max() == 0
    assert times[int(np.argmax(high))] == pytest.approx(2.5, abs=0.01)

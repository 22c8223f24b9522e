"""The demo's report: complete, standalone, and safe against what was said."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from dubcast.contract.worker import AsRunEntry
from dubcast.demo import labels, listening, plots, verdict
from dubcast.demo.findings import DemoReport, Programme
from dubcast.demo.report import Written, write
from dubcast.demo.verdict import Heard, Measured, Take
from dubcast.measure import arrivals
from dubcast.measure.figures import Bar, judge
from dubcast.measure.recording import iter_tags
from dubcast.measure.stage import Usage
from dubcast.testing.media import ClipSpec, build_clip

TONE = plots.Sound(np.sin(np.arange(16000) / 9).astype(np.float32), 8000, 1.0)
DELAY_S = 8.0
USAGE = Usage(0.11, 138.0, 0.7, 0.19)


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


def programme(name: str) -> Programme:
    return Programme(
        stream_id=name,
        title=f"Programme {name}",
        figures={"dubbed_share": 0.5},
        fragments=[fragment(1), fragment(2, "late", transcript="<script>alert(1)</script> & so")],
        av_points=[(1.0, 0.4), (2.0, -0.6)],
        delay_points=[(0.0, 8.0), (1.0, 8.01)],
        source=TONE,
        output=TONE,
    )


def full() -> DemoReport:
    return DemoReport(
        figures={"av_offset_max_abs_ms": 0.6, "dubbed_share": 0.5},
        bars=[Bar("av_offset_max_abs_ms", "<=", 5), Bar("dubbed_share", ">=", 0.9)],
        programmes=[programme("one"), programme("two")],
        seed=7,
    )


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Take:
    """A clip that came in and left untouched `DELAY_S` later, with one dub in it."""
    folder = tmp_path_factory.mktemp("take")
    clip = build_clip(ClipSpec(seconds=4.0, bed="noise"), folder)
    output = folder / "output.flv"
    output.write_bytes(clip.read_bytes())
    for path, from_s in ((clip, 100.0), (output, 100.0 + DELAY_S)):
        rows = [arrivals.record(t, _ns(from_s, t.dts_ms)) for t in iter_tags(path)]
        arrivals.sidecar(path).write_bytes(arrivals.MAGIC + b"".join(rows))
    air_ns = _ns(100.0 + DELAY_S, 1500)
    dub = fragment(1, air_ns=air_ns, source_start_s=1.4, dub_start_s=1.5, dub_end_s=2.3)
    return Take("demo", clip, output, [dub], DELAY_S, _ns(95.0, 0))


def _ns(from_s: float, dts_ms: int) -> int:
    return round(from_s * 1e9) + dts_ms * 1_000_000


@pytest.fixture(scope="module")
def measured(take: Take) -> Measured:
    return verdict.measure(take)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The report of two programmes."""
    return write(full(), tmp_path_factory.mktemp("report"))


def test_both_files(written: Written) -> None:
    data = json.loads(written.json.read_text(encoding="utf-8"))
    assert not written.passed
    assert data["figures"]["av_offset_max_abs_ms"] == 0.6 and data["seed"] == 7
    found = data["detail"]["programmes"]["one"]
    assert [f["outcome"] for f in found["fragments"]] == ["dubbed", "late"]
    page = written.html.read_text(encoding="utf-8")
    assert "1 of 2 bars met" in page


def test_the_page_needs_nothing_else_and_runs_nothing(written: Written) -> None:
    page = written.html.read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    links = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url\(([^)]+)\)", page)
    assert links and all(link.startswith(("#", "data:")) for link in links)
    assert "@import" not in page and "<link" not in page


def test_every_programme_is_counted_shown_and_heard(written: Written) -> None:
    page = written.html.read_text(encoding="utf-8")
    for name in ("one", "two"):
        assert f"<h2>Programme {name}</h2>" in page
        for when in ("Before: the source", "After: the output"):
            assert re.search(rf'<audio [^>]*aria-label="{when}, Programme {name}"', page)
        assert f"<li>Programme {name}: 1 of 2 fragments of speech dubbed, 1 late</li>" in page
    assert page.count("<svg") == 8 and page.count("frase 1") == 2


def test_the_top_says_when_from_what_and_where(written: Written) -> None:
    data = json.loads(written.json.read_text(encoding="utf-8"))
    head = written.html.read_text(encoding="utf-8").partition("</header>")[0]
    assert data["date"][:10] in head and data["machine"]["cpu"] in head
    assert f"commit {(data['commit'] or 'unknown')[:12]}" in head
    assert "Missed: Share of the fragments that was dubbed in time" in head


def test_what_is_heard_is_the_sound_at_its_place(tmp_path: Path) -> None:
    late = replace(TONE, start_s=2.0)
    begin = listening.begin_s([TONE, late])
    head, _, data = listening.data_uri(late, begin, 64_000).partition(",")
    assert begin == 0.0 and head == "data:audio/mp4;base64"
    path = tmp_path / "heard.m4a"
    path.write_bytes(base64.b64decode(data, validate=True))
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "1", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    heard = np.frombuffer(raw, "<f4")
    assert len(heard) == pytest.approx(4.0 * 8000, abs=2048)
    assert np.abs(heard[: 15 * 1000]).max() < 0.01 and np.abs(heard[17 * 1000 :]).max() > 0.5


@pytest.mark.parametrize("total_s", [20.0, 300.0, 600.0])
def test_sound_leaves_room_in_the_page(total_s: float) -> None:
    bps = listening.rate_bps(total_s)
    assert 24_000 <= bps <= 96_000
    assert total_s * bps / 8 * 4 / 3 < 5_000_000


def test_every_figure_has_a_name_for_people(measured: Measured) -> None:
    second = replace(measured, take=replace(measured.take, stream_id="demo250"))
    found = verdict.judged(measured, second, USAGE, 88.0, 90.0)
    assert set(found) == set(labels.LABELS)
    assert {bar.key for bar in verdict.BARS} <= set(found)
    assert {one.name for one in fields(Usage)} <= set(found)
    assert all(one.name != key for key, one in labels.LABELS.items())


def test_the_fragments_of_both_programmes_count(measured: Measured) -> None:
    late = replace(measured.take, asrun=[fragment(1, "late"), fragment(2, "no_speech")])
    found = verdict.judged(measured, replace(measured, take=late), USAGE, 88.0, None)
    assert (found["fragments_speech"], found["fragments_dubbed"]) == (2, 1)
    assert found["dubbed_share"] == 0.5
    assert found["worker_cpu_with_separation"] == 0.19
    assert measured.figures["dubbed_share"] == 1.0


def test_a_take_is_measured_and_drawn_on_the_sources_time(measured: Measured) -> None:
    assert measured.figures["video_bit_exact"] is True
    assert measured.figures["output_delay_s"] == DELAY_S
    found = verdict.judged(measured, measured, USAGE, 88.0, None)
    assert found["first_dub_s"] == pytest.approx(5 + DELAY_S + 1.5, abs=0.05)
    one = verdict.programme("Main", measured, ["said"], Heard(80.0, ["ouvido"]))
    assert one.source is not None and one.output is not None
    assert one.output.start_s == pytest.approx(one.source.start_s, abs=0.005)
    assert one.fragments[0].dub_start_s == pytest.approx(1.5, abs=0.005)
    assert one.figures["roundtrip_chrf"] == 80.0


def test_what_cannot_be_measured_misses_its_bar(take: Take, tmp_path: Path) -> None:
    without_arrivals = tmp_path / "source.flv"
    without_arrivals.write_bytes(take.source.read_bytes())
    found = verdict.measure(replace(take, source=without_arrivals)).figures
    missed = {one.key for one in judge(found, verdict.BARS) if one.ok is False}
    assert {"output_delay_error_s", "output_delay_spread_p99_ms"} <= missed
    assert found["video_bit_exact"] is True


@pytest.mark.parametrize(
    ("key", "value", "shown", "bar"),
    [
        ("av_offset_max_abs_ms", 0.6985, "0.6985 ms", "at most 10 ms"),
        ("dubbed_share", 0.9583, "95.83 %", "at least 95 %"),
        ("video_bit_exact", True, "yes", "yes"),
        ("worker_cpu", float("nan"), "not measured", "at most 0.12 of a core"),
        ("roundtrip_chrf", None, "not measured", "at least 70"),
    ],
)
def test_values_and_bars_in_words(key: str, value: object, shown: str, bar: str) -> None:
    label = labels.label(key)
    asked = next(one for one in verdict.BARS if one.key == key)
    assert label.value(value) == shown  # type: ignore[arg-type]
    assert label.bar(asked) == bar


def test_a_report_of_nothing_is_a_page_too(tmp_path: Path) -> None:
    written = write(DemoReport(figures={"new": 3}), tmp_path)
    page = written.html.read_text(encoding="utf-8")
    assert written.passed and "<svg" not in page and "<audio" not in page
    assert "Others" in page and "new" in page


def test_stages_add_up_to_the_round_trip() -> None:
    times = plots.stage_times(fragment(1, stages_ms={"asr": 200, "tts": 500, "new": 10}))
    assert sum(times.values()) == pytest.approx(760)
    assert times["other"] == pytest.approx(60)


@pytest.mark.parametrize(
    "plot",
    [
        lambda: plots.waveforms(TONE, None, [fragment(1), fragment(2, "separation")]),
        lambda: plots.offset([], 5.0),
        lambda: plots.latency([fragment(1)]),
        lambda: plots.delay([]),
    ],
)
def test_plots_are_well_formed_and_take_the_pages_colours(plot: Callable[[], str]) -> None:
    svg = plot()
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "currentColor" in svg and "#010203" not in svg


def test_the_envelope_keeps_the_extremes() -> None:
    samples = np.zeros((8000, 2), np.float32)
    samples[4000] = 0.5
    times, low, high = plots.envelope(plots.Sound(samples, 8000, 2.0), columns=100)
    assert high.max() == pytest.approx(1.0) and low.max() == 0
    assert times[int(np.argmax(high))] == pytest.approx(2.5, abs=0.01)

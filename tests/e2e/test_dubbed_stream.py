"""All roles as processes of their own, real models, a real third party: a stream is dubbed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from dubcast.config import Settings
from dubcast.contract.ids import ingest_path
from dubcast.demo import verdict
from dubcast.measure import speech_models, stage
from dubcast.measure.asrun import fragment_figures
from dubcast.measure.material import SENTENCES, Material, MaterialSpec
from dubcast.measure.narrated import narrated
from dubcast.measure.probe import probe
from dubcast.measure.recorder import RecorderProcess

pytestmark = pytest.mark.timeout(300)
STREAM = "e2e"
SPEC = replace(MaterialSpec(), sentences=SENTENCES[:4], min_s=10.0, max_s=40.0)


@pytest.fixture(scope="module")
def material() -> Material:
    return narrated(Settings(), SPEC)


def test_a_published_stream_reaches_the_third_party_dubbed(
    server_kind: str, material: Material, tmp_path: Path
) -> None:
    # A longer delay than usual: the machine that runs the tests may be shared.
    patient = Settings.model_validate(
        {"stream": {"delay_s": 12}, "media_server": {"kind": server_kind}}
    )
    roles, third = stage.stage_settings(patient, tmp_path, (STREAM,))
    ingest = f"rtmp://127.0.0.1:{roles.media_server.rtmp_port}/{ingest_path(STREAM)}"
    started = time.monotonic_ns()
    with stage.running(roles, third, tmp_path) as up_pid:
        source = RecorderProcess(ingest, tmp_path / "source.flv")
        output = RecorderProcess(stage.third_party_url(third, STREAM), tmp_path / "dubbed.flv")
        publisher = stage.publish(material.clip, ingest, tmp_path)
        asrun = tmp_path / "asrun" / f"{STREAM}.asrun.jsonl"
        with stage.Watcher(up_pid, STREAM, asrun) as watcher:
            assert publisher.wait(60) == 0
            time.sleep(roles.stream.delay_s + 3)
        publisher.stop()
        source.stop()
        output.stop()
    assert watcher.status is not None
    assert watcher.status.separation.state == "running", watcher.status.separation
    take = verdict.Take(
        *(STREAM, source.path, output.path),
        *(tuple(watcher.fragments), roles.stream.delay_s, started),
    )
    report = probe(take.output, source=take.source)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    assert report.comparison.delay is not None
    assert abs(report.comparison.delay.median_s - roles.stream.delay_s) < 0.2
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None, "a dub over every beep"
    assert report.sync.max_abs_ms <= 10
    figures = fragment_figures(take.asrun)
    # CI's machine is shared: most is enough here, `make demo` holds the bar.
    assert isinstance(figures["fragments_dubbed"], int)
    assert figures["fragments_dubbed"] >= 2
    said = speech_models.understood(roles, verdict.sound_of(take.output), "pt-BR")
    heard = " ".join(said).lower()
    assert any(word in heard for word in ("bom dia", "sol", "mar", "porto", "barcos"))

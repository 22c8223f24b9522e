"""`dubcast doctor`: it names what is missing, and how to get it."""

from __future__ import annotations

import json
import os
import socket
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from dubcast.cli import doctor
from dubcast.cli.main import application
from dubcast.config import (
    MediaServerSettings,
    ModelsSettings,
    OrchestratorSettings,
    Secret,
    Settings,
    StsClientSettings,
    StsServerSettings,
)
from dubcast.doctor import speech
from dubcast.doctor.report import Finding
from dubcast.doctor.speech import Answer
from dubcast.small_http import Reply, SmallServer
from dubcast.sts import synthesis
from dubcast.sts.synthesis import Choice, Subject, Trial


def found(settings: Settings) -> dict[str, Finding]:
    return {one.name: one for one in doctor.examine(settings)}


def test_missing_parts_are_named_with_the_way_to_get_them(tmp_path: Path) -> None:
    settings = Settings(
        models=ModelsSettings(dir=tmp_path / "models"),
        media_server=MediaServerSettings(kind="embedded", embedded_dir=tmp_path / "server"),
    )
    report = found(settings)
    model = report["model whisper-base"]
    assert (model.ok, model.needed) == (False, True)
    assert model.detail == "missing: dubcast models pull whisper-base"
    embedded = report["embedded media server"]
    assert (embedded.ok, embedded.needed, embedded.detail) == (
        False,
        True,
        "dubcast doctor --install",
    )


def test_without_programs_each_gets_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    report = found(Settings())
    assert report["ffmpeg"].detail == "apt install ffmpeg"
    assert report["GStreamer"].detail == "apt install gstreamer1.0-tools"
    assert not report["MediaMTX"].ok
    assert not report["MediaMTX"].needed


def test_a_port_in_use_is_said_and_is_no_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        report = found(Settings(media_server=MediaServerSettings(rtmp_port=port)))
    line = report[f"port {port} for RTMP"]
    assert (line.ok, line.needed) == (False, False)
    assert line.detail.endswith(f"(pid {os.getpid()})")


def test_the_exit_code_says_it(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"models: {{dir: {tmp_path / 'none'}}}\n")
    result = CliRunner().invoke(application(), ["doctor", "-c", str(config)])
    assert result.exit_code == 1
    assert "MISSING  model whisper-base" in result.output


def test_the_voices_are_needed_as_the_model_that_speaks_them_is(tmp_path: Path) -> None:
    """What every service of these settings reads, and nothing that only some streams want."""
    report = found(Settings(models=ModelsSettings(dir=tmp_path)))
    needed = {name for name, one in report.items() if name.startswith("model ") and one.needed}
    assert needed == {"model whisper-base", "model kokoro-82m-int8", "model kokoro-voices"}


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("asr_model", "whisper-bse", "is no folder, and no model 'whisper-bse' in the manifest; "),
        ("asr_model", "{}/nowhere", "nowhere: is no folder"),
        ("asr_model", "{}", "has no model.bin, config.json, tokenizer.json"),
        ("tts_model", "kokoro", "no model 'kokoro' in the manifest; there are: whisper-base, "),
        ("piper_voices", "{}", "has no Piper voice: NAME.onnx and NAME.onnx.json"),
    ],
)
def test_a_model_that_is_none_is_told_with_its_setting(
    tmp_path: Path, setting: str, value: str, why: str
) -> None:
    value = value.format(tmp_path)
    report = found(Settings.model_validate({"sts_server": {setting: value}}))
    line = report[f"model {value}"]
    assert line.state == "missing"
    assert line.detail.startswith(f"sts_server.{setting} = {value}: ")
    assert why in line.detail


def test_auto_that_takes_the_demo_server_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dubcast.mediaserver.choice.find_binary", lambda _: None)
    said = found(Settings())["media server taken: embedded media server"]
    assert (said.ok, said.needed) == (False, False)
    assert "dubcast mediamtx install" in said.detail
    meant = found(Settings(media_server=MediaServerSettings(kind="embedded")))
    assert meant["media server taken: embedded media server"].ok


def test_folders_that_cannot_be_written_are_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = Settings.model_validate(
        {
            "orchestrator": {"state_dir": tmp_path / "file" / "x"},
            "worker": {"asrun_dir": tmp_path / "new" / "asrun"},
        }
    )
    report = found(blocked)
    assert report["folder for state"].state == "missing"
    assert "cannot be written" in report["folder for state"].detail
    assert report["folder for as-run log"].ok


def test_a_disk_with_too_little_room_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=30_000_000))
    line = found(Settings(orchestrator=OrchestratorSettings(state_dir=tmp_path)))
    assert line["folder for state"].state == "note"
    assert "0.0 GB free" in line["folder for state"].detail


HERE, THERE = "http://127.0.0.1:8000", "https://sts.example.com"


@pytest.mark.parametrize(
    ("url", "answer", "state", "words"),
    [
        (HERE, Answer(200, 200, 3.4), "ok", "3 ms away"),
        (THERE, Answer(200, 200, 412.0), "ok", "412 ms away, which fragments wait for"),
        (HERE, Answer(error="refused"), "note", "dubcast sts"),
        (THERE, Answer(error="Name or service not known"), "missing", "not known"),
        (HERE, Answer(200, 401), "missing", "the key in sts.api_key"),
        (THERE, Answer(error="x", certificate="certificate has expired"), "missing", "expired"),
        (THERE, Answer(503, 503), "note", "loading"),
        (HERE, Answer(404, 404), "missing", "no speech service"),
    ],
)
def test_the_speech_service_is_judged(url: str, answer: Answer, state: str, words: str) -> None:
    line = speech.judge(url, answer)
    assert (line.state, words in line.detail) == (state, True)


def test_a_refused_key_and_a_right_one_are_told_apart() -> None:
    def languages(path: str, _: bytes) -> Reply:
        return Reply(200) if path == "/readyz" else Reply(401)

    server = SmallServer("sts", "127.0.0.1", 0, {"GET": languages})
    server.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        assert speech.ask(url, Secret("wrong")).behind_key == 401
        report = found(Settings(sts=StsClientSettings(url=url)))
        assert report[f"speech service {url}"].state == "missing"
    finally:
        server.close()


def test_a_refused_certificate_is_found_in_what_it_caused() -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_message = "certificate has expired"
    outer = OSError("connection failed")
    outer.__cause__ = cause
    assert speech._certificate(outer) == "certificate has expired"
    assert speech._certificate(OSError("other")) == ""


def test_the_report_is_also_json(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"models: {{dir: {tmp_path / 'none'}}}\n")
    result = CliRunner().invoke(application(), ["doctor", "--json", "-c", str(config)])
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert told["complete"] is False
    states = {one["name"]: one["state"] for one in told["findings"]}
    assert states["model kokoro-voices"] == "missing"


def _synthesis(settings: Settings) -> Finding | None:
    return found(settings).get("synthesis engine")


@pytest.fixture
def voiced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A machine with the voice's model, without another engine, whose processor says nothing."""
    subject = Subject(tmp_path, tmp_path, 2)
    (tmp_path / "model.onnx").write_bytes(b"network")
    monkeypatch.setattr(doctor.synthesis, "voice_subject", lambda _: subject)
    monkeypatch.setattr(synthesis, "installed", lambda: [])
    monkeypatch.setattr(synthesis, "processor", lambda: "")
    monkeypatch.setattr(synthesis, "cache_dir", lambda: tmp_path)
    return subject


def test_the_engine_that_speaks_is_told_with_what_it_takes(
    voiced: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _synthesis(Settings()) == Finding("synthesis engine", True, "onnxruntime")
    monkeypatch.setattr(synthesis, "installed", lambda: ["openvino"])
    waiting = _synthesis(Settings())
    assert waiting is not None
    assert "measured when the speech service starts" in waiting.detail
    trial = Trial(wall=0.4, cpu=0.5, memory_mb=1500)
    synthesis.remember(voiced.file, Choice(engine="openvino", trials={"openvino": trial}))
    told = _synthesis(Settings())
    assert told == Finding("synthesis engine", True, "openvino: 0.40 of real time, 1.5 GB")


def test_a_processor_that_gains_by_another_engine_is_told_so(
    voiced: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "processor", lambda: "x | amx_bf16 amx_tile")
    advice = _synthesis(Settings())
    assert advice is not None
    assert (advice.state, "dubcast[openvino]" in advice.detail) == ("note", True)


def test_a_network_that_could_be_quicker_is_noted_where_it_speaks(
    voiced: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "processor", lambda: "x | avx512_vnni")
    note = found(Settings())["synthesis network"]
    assert (note.state, "`dubcast models pull`" in note.detail) == ("note", True)
    monkeypatch.setattr(synthesis, "installed", lambda: ["openvino"])
    other = Settings(sts_server=StsServerSettings(tts_engine="openvino"))
    assert "synthesis network" not in found(other)
    (voiced.model / "products.onnx").touch()
    assert "synthesis network" not in found(Settings())


def test_an_engine_that_is_asked_for_and_missing_is_named(voiced: Subject) -> None:
    asked = Settings(sts_server=StsServerSettings(tts_engine="openvino"))
    told = _synthesis(asked)
    assert told == Finding("synthesis engine", False, "pip install 'dubcast[openvino]'")
    usual = Settings(sts_server=StsServerSettings(tts_engine="onnxruntime"))
    assert _synthesis(usual) == Finding(
        "synthesis engine", True, "onnxruntime, as the settings say"
    )

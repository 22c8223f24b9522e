"""The generated MediaMTX config: hardened, and only names that the version knows."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dubcast.config import MediaServerSettings, Secret, Settings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.mediaserver.choice import create
from dubcast.mediaserver.interface import ControlPlane, PathSource, control_plane
from dubcast.mediaserver.keys import Purpose, derived
from dubcast.mediaserver.mediamtx import (
    MediaMtx,
    find_binary,
    generate_config,
    hook_command,
    version_of,
)
from dubcast.orchestrator.report import metrics_targets

PLANE = ControlPlane(
    "http://127.0.0.1:8080/v1/mediamtx/events", Secret("hook-secret"), "http://a", True
)
SETTINGS = MediaServerSettings()


def config_of(version: tuple[int, int, int], **changes: object) -> dict[str, object]:
    settings = MediaServerSettings.model_validate(changes)
    return generate_config(settings, PLANE, version)


def hooks_of(version: tuple[int, int, int]) -> set[str]:
    paths = config_of(version)["paths"]
    assert isinstance(paths, dict)
    return {name for name in next(iter(paths.values())) if name.startswith("runOn")}


def test_hook_names_follow_the_version() -> None:
    assert hooks_of((1, 19, 2)) == {"runOnReady", "runOnNotReady"}
    assert hooks_of((1, 19, 3)) == {"runOnAvailable", "runOnUnavailable"}
    assert hooks_of((1, 20, 1)) == {"runOnAvailable", "runOnUnavailable"}


def test_only_known_keys_are_written() -> None:
    assert "moq" not in config_of((1, 18, 2))
    assert config_of((1, 19, 0))["moq"] is False


def test_an_old_version_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"1\.15\.0 is too old"):
        config_of((1, 15, 0))


def test_what_is_not_needed_is_off_and_a_publisher_is_not_overridden() -> None:
    config = config_of((1, 20, 1))
    for name in ("pprof", "playback", "hls"):
        assert config[name] is False
    assert config["pathDefaults"] == {"overridePublisher": False}
    assert config["authMethod"] == "http"
    assert (config["apiAddress"], config["metricsAddress"]) == ("127.0.0.1:9997", "127.0.0.1:9998")
    assert config["apiAllowOrigins"] == config["metricsAllowOrigins"] == []


def test_the_api_is_where_it_is_set_to_be() -> None:
    config = config_of((1, 20, 1), api_host="::1", api_port=1, metrics_port=2)
    assert (config["apiAddress"], config["metricsAddress"]) == ("[::1]:1", "[::1]:2")


def test_the_one_time_limit_is_that_of_an_output() -> None:
    """Which is silent while its publisher is away; publishers are watched from outside."""
    assert config_of((1, 20, 1))["readTimeout"] == "90s"
    assert config_of((1, 20, 1), silent_s=200)["readTimeout"] == "200s"
    patient = control_plane(
        Settings.model_validate({"orchestrator": {"grace_s": 600}}), Secret("x")
    )
    assert generate_config(SETTINGS, patient, (1, 20, 1))["readTimeout"] == "630s"


def test_previews_are_low_latency_hls_where_they_are_wished() -> None:
    config = config_of((1, 20, 1), hls_port=8888, bind="0.0.0.0")
    assert (config["hls"], config["hlsAddress"]) == (True, "0.0.0.0:8888")
    assert config["hlsVariant"] == "lowLatency"


def test_the_question_comes_with_our_key() -> None:
    key = derived(Secret("hook-secret"), Purpose.CALLBACK).get_secret_value()
    assert config_of((1, 20, 1))["authHTTPAddress"] == f"http://dubcast:{key}@a"


def test_a_server_that_others_reach_asks_about_everything() -> None:
    def actions(bind: str) -> list[str]:
        exclusions = config_of((1, 20, 1), bind=bind)["authHTTPExclude"]
        assert isinstance(exclusions, list)
        return [one["action"] for one in exclusions]

    assert actions("127.0.0.1") == ["metrics", "read", "publish"]
    assert actions("0.0.0.0") == ["metrics"]


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("live/abc/in", True),
        ("live/abc/out", True),
        ("live/abc/out-pt-BR", True),
        ("live/abc/inn", False),
        ("live/../in", False),
        ("live/ABC/in", False),
        ("live/a/b/in", False),
    ],
)
def test_paths_are_dubcasts_own(path: str, known: bool) -> None:
    paths = config_of((1, 20, 1))["paths"]
    assert isinstance(paths, dict)
    assert (
        any(re.search(pattern.removeprefix("~"), path) for pattern in paths if pattern[0] == "~")
        is known
    )


def test_no_secret_is_in_the_config() -> None:
    assert "hook-secret" not in yaml.safe_dump(config_of((1, 20, 1)))
    assert "hook-secret" not in repr(PLANE)


def test_the_hooks_command_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/opt/my venv/bin/python")
    assert hook_command("available").startswith("'/opt/my venv/bin/python' -m dubcast")
    monkeypatch.setattr("sys.executable", "/opt/$HOME/python")
    with pytest.raises(ConfigError, match="interpreter"):
        hook_command("available")


def test_the_version_is_read_from_the_binary(tmp_path: Path) -> None:
    binary = tmp_path / "mediamtx"
    binary.write_text("#!/bin/sh\necho v1.19.3-2-gabcdef\n")
    binary.chmod(0o755)
    assert version_of(binary) == (1, 19, 3)
    binary.write_text("#!/bin/sh\necho something\n")
    with pytest.raises(MissingPartError, match="something"):
        version_of(binary)


def test_a_binary_that_is_set_must_exist(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="nothing-here"):
        find_binary(MediaServerSettings(mediamtx_path=tmp_path / "nothing-here"))


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"kind": "mediamtx", "attach": True, "host": "media.lan"}, ["media.lan:9998"]),
        ({"kind": "embedded"}, []),
    ],
)
def test_prometheus_is_told_where_its_metrics_are(
    media: dict[str, object], expected: list[str]
) -> None:
    settings = Settings.model_validate({"media_server": media})
    server = create(settings, control_plane(settings, Secret("x")))
    told = metrics_targets([], "127.0.0.1", server.metrics_address())
    assert [address for one in told for address in one["targets"]] == expected


def test_each_protocol_is_on_or_off_by_name() -> None:
    config = config_of((1, 20, 1))
    assert [config[name] for name in ("rtmp", "rtsp", "srt", "webrtc")] == [True] * 4
    assert config["rtspTransports"] == ["tcp", "udp"]
    assert "rtmpEncryption" not in config
    off = config_of((1, 20, 1), bind="0.0.0.0", ingest={"protocols": []})
    # Without them there is no dubcast: they are for this machine alone.
    assert (off["rtmpAddress"], off["rtspAddress"]) == ("127.0.0.1:1935", "127.0.0.1:8554")
    assert (off["rtspTransports"], off["srt"], off["webrtc"]) == (["tcp"], False, False)


def test_rtmps_needs_a_certificate_and_its_key() -> None:
    for ingest, words in (
        ({"protocols": ["rtmps"]}, r"ingest\.certificate: rtmps needs one"),
        ({"protocols": ["rtmps"], "certificate": "/a.pem"}, r"ingest\.certificate_key"),
    ):
        with pytest.raises(ConfigError, match=words):
            config_of((1, 20, 1), ingest=ingest)
    ingest = {"protocols": ["rtmps"], "certificate": "/a.pem", "certificate_key": "/a.key"}
    config = config_of((1, 20, 1), ingest=ingest)
    assert (config["rtmpEncryption"], config["rtmpsAddress"]) == ("optional", "127.0.0.1:1936")
    assert (config["rtmpServerCert"], config["rtmpServerKey"]) == ("/a.pem", "/a.key")


def test_browsers_are_told_where_to_send() -> None:
    config = config_of((1, 20, 1))
    assert config["webrtcAdditionalHosts"] == ["127.0.0.1"]
    assert config["webrtcIPsFromInterfaces"] is False
    ingest = {"webrtc_hosts": ["live.example"], "webrtc_bind": "127.0.0.1"}
    config = config_of((1, 20, 1), bind="0.0.0.0", ingest=ingest)
    assert config["webrtcAdditionalHosts"] == ["live.example"]
    assert config["webrtcIPsFromInterfaces"] is True
    assert config["webrtcAddress"] == "127.0.0.1:8889"
    assert config["webrtcLocalUDPAddress"] == "0.0.0.0:8189"
    assert config["webrtcAllowOrigins"] == []  # of other pages none may ask


def test_publishers_by_rtp_keep_their_clock_and_those_by_srt_must_know_the_passphrase() -> None:
    def ingest_of(**ingest: object) -> dict[str, object]:
        paths = config_of((1, 20, 1), ingest=ingest)["paths"]
        assert isinstance(paths, dict)
        return dict(next(iter(paths.values())))

    assert ingest_of()["useAbsoluteTimestamp"] is True
    assert "srtPublishPassphrase" not in ingest_of()
    found = ingest_of(srt_passphrase="a-long-enough-key")
    assert found["srtPublishPassphrase"] == "a-long-enough-key"


@pytest.mark.parametrize(
    ("ingest", "words"),
    [
        ({"srt_passphrase": "too-short"}, "10 to 79"),
        ({"rtp_port": 8001}, "even"),
        ({"protocols": ["rist"]}, "protocols"),
    ],
)
def test_settings_that_cannot_be(ingest: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MediaServerSettings.model_validate({"ingest": ingest})


@pytest.mark.parametrize(
    ("source", "tracks", "url"),
    [
        ("rtmpConn", ("H264", "MPEG-4 Audio"), "rtmp://127.0.0.1:1935/live/abc/in"),
        ("webRTCSession", ("H264", "Opus"), "rtsp://127.0.0.1:8554/live/abc/in"),
        (
            *("srtConn", ("H264", "Opus")),
            "srt://127.0.0.1:8890?mode=caller&latency=200&streamid=read:live/abc/in",
        ),
    ],
)
def test_a_source_is_read_where_its_tracks_are(
    source: str, tracks: tuple[str, ...], url: str
) -> None:
    server = MediaMtx(SETTINGS, PLANE, None)
    assert server.source_url(PathSource("live/abc/in", "1", source, "", tracks)) == url


async def test_a_stop_that_is_cancelled_leaves_no_config(monkeypatch: pytest.MonkeyPatch) -> None:
    server = MediaMtx(SETTINGS, PLANE, None)
    file = server._write_config("rtmp: true")
    process: Any = object()
    server._process = process

    async def cancelled(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("dubcast.mediaserver.mediamtx.end_subprocess", cancelled)
    with pytest.raises(asyncio.CancelledError):
        await server.stop()
    assert not file.parent.exists()
    await server.close()

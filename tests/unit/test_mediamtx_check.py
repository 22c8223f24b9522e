"""What an attached MediaMTX lacks, and that what is said to be written there mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from dubcast.config import Secret, Settings
from dubcast.mediaserver.interface import control_plane
from dubcast.mediaserver.mediamtx import wanted
from dubcast.mediaserver.mediamtx_check import (
    Found,
    findings,
    matching,
    parse_version,
    seconds,
)
from dubcast.mediaserver.mediamtx_file import config_file

SETTINGS = Settings.model_validate(
    {
        "media_server": {"attach": True, "host": "192.0.2.7"},
        "orchestrator": {"url": "http://192.0.2.8:8080", "hook_secret": Secret("a-secret")},
    }
)
WANTED = wanted(SETTINGS.media_server, control_plane(SETTINGS, Secret("a-secret")))
STOCK: dict[str, Any] = {  # as MediaMTX has it without a config
    "rtmp": True,
    "rtmpEncryption": "no",
    "rtmpAddress": ":1935",
    "rtsp": True,
    "rtspEncryption": "no",
    "rtspTransports": ["udp", "multicast", "tcp"],
    "rtspAddress": ":8554",
    "readTimeout": "10s",
    "authMethod": "internal",
    "authInternalUsers": [
        {"user": "any", "ips": [], "permissions": [{"action": "publish"}]},
        {"user": "any", "ips": ["127.0.0.1/32"], "permissions": [{"action": "api"}]},
    ],
}


def path(name: str, **changes: Any) -> dict[str, Any]:
    stock = {
        **{"source": "publisher", "overridePublisher": True, "maxReaders": 0},
        **{"alwaysAvailable": False, "useAbsoluteTimestamp": False},
    }
    return {"name": name, **stock, **changes}


def written() -> Found:
    """What the API of a server with our own file would tell."""
    config = yaml.safe_load(config_file(SETTINGS, Secret("a-secret"), (1, 20, 1)))
    defaults = config["pathDefaults"]
    paths = [path(name, **{**defaults, **own}) for name, own in config["paths"].items()]
    return Found((1, 20, 1), config, paths)


def told(found: Found) -> list[str]:
    return [one.what for one in findings(found, WANTED)]


def test_our_own_file_has_nothing_to_mend() -> None:
    assert told(written()) == []


def test_a_stock_server_is_told_everything() -> None:
    found = findings(Found((1, 20, 1), STOCK, [path("all_others")]), WANTED)
    words = "\n".join(one.what for one in found)
    for part in (
        "second publisher",
        "half a second off",
        "no hook",
        "does not ask dubcast",
        "run commands",
        "silent for",
    ):
        assert part in words
    assert not any(one.fatal for one in found)
    for one in found:
        yaml.safe_load(one.write)  # can be written as it is
        assert one.write


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"authHTTPAddress": "http://192.0.2.9:8080/v1/internal/mtx-auth"}, "asks somebody else"),
        ({"authHTTPExclude": [{"action": "api"}]}, "can run commands"),
        ({"authMethod": "jwt"}, "authMethod: jwt"),
        ({"readTimeout": "1m0s"}, "silent for 60 s"),
        ({"rtmp": False}, "takes no RTMP"),
        ({"rtmpEncryption": "strict"}, "takes no RTMP"),
        ({"rtmpAddress": "[::]:1936"}, "RTMP is on port 1936"),
        ({"rtsp": False}, "no RTSP over TCP"),
        ({"rtspTransports": ["udp"]}, "no RTSP over TCP"),
        ({"rtspEncryption": "strict"}, "no RTSP over TCP"),
        ({"rtspAddress": ":8555"}, "RTSP is on port 8555"),
    ],
)
def test_each_fault_of_the_general_part(changes: dict[str, Any], what: str) -> None:
    good = written()
    (only,) = told(Found(good.version, {**good.general, **changes}, good.paths))
    assert what in only


def test_webrtc_is_asked_for_only_by_whep() -> None:
    good = written()
    found = Found(good.version, {**good.general, "webrtc": False}, good.paths)
    assert told(found) == []
    (only,) = findings(found, replace(WANTED, whep=True))
    assert "no WebRTC" in only.what


def test_each_fault_of_the_paths() -> None:
    good = written()

    def with_in(**changes: Any) -> Found:
        paths = [
            {**one, **changes} if str(one["name"]).endswith("/in$") else one for one in good.paths
        ]
        return Found(good.version, good.general, paths)

    assert told(with_in(source="rtsp://camera")) == [
        "live/<id>/in comes from elsewhere (source: rtsp://camera)"
    ]
    assert told(with_in(overridePublisher=True)) == [
        "a second publisher takes live/<id>/in over from the first"
    ]
    assert told(with_in(runOnAvailable="")) == [
        "no hook tells of publishers: each is seen only at the reconciler's next turn"
    ]
    assert "half a second off" in told(with_in(useAbsoluteTimestamp=False))[0]
    assert "without its publisher" in told(with_in(alwaysAvailable=True))[0]
    assert "at most 1 readers" in told(with_in(maxReaders=1))[0]
    assert told(Found(good.version, good.general, [])) == [
        "no path takes live/<id>/in",
        "no path takes live/<id>/out",
    ]


def test_what_cannot_work_comes_first() -> None:
    old = Found((1, 12, 0), {**STOCK, "rtmp": False}, [path("all_others")])
    fatal = [one.fatal for one in findings(old, WANTED)]
    assert fatal == sorted(fatal, reverse=True) and sum(fatal) == 2
    assert "not known" in told(Found(None, written().general, written().paths))[0]


def test_hooks_have_the_names_of_the_version() -> None:
    paths = [path("all_others", overridePublisher=False)]
    for version, name in (((1, 18, 0), "runOnReady:"), ((1, 20, 0), "runOnAvailable:")):
        found = findings(Found(version, written().general, paths), WANTED)
        assert any(name in one.write for one in found)


def test_which_path_the_server_would_take() -> None:
    paths = [path("all_others"), path("~^live/.+/in$"), path("live/abc/in"), path("~(")]
    assert matching(paths, "live/abc/in") == path("live/abc/in")
    assert matching(paths, "live/x/in") == path("~^live/.+/in$")
    assert matching(paths, "live/x/out") == path("all_others")
    assert matching(paths[1:], "live/x/out") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10s", 10), ("1m30s", 90), ("1h0m0s", 3600), ("500ms", 0.5), ("1d", None), ("", None)],
)
def test_durations(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("v1.20.1\n", (1, 20, 1)), ("1.16.0-rc1", (1, 16, 0)), ("main", None)]
)
def test_versions(text: str, expected: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == expected


def test_the_file_listens_where_it_is_asked() -> None:
    text = config_file(SETTINGS, Secret("a-secret"), (1, 20, 1))
    config = yaml.safe_load(text)
    assert config["rtmpAddress"] == ":1935"
    assert config["apiAddress"] == "192.0.2.7:9997"
    assert config["authHTTPAddress"].endswith("@192.0.2.8:8080/v1/internal/mtx-auth")
    assert config["authHTTPExclude"] == []  # an address says nothing there
    hooks = next(iter(config["paths"].values()))
    assert hooks["runOnAvailable"] == "dubcast-hook available"
    assert "DUBCAST_HOOK_URL=http://192.0.2.8:8080/v1/mediamtx/events" in text
    beside = SETTINGS.model_copy(
        update={"media_server": SETTINGS.media_server.model_copy(update={"host": "127.0.0.2"})}
    )
    here = yaml.safe_load(config_file(beside, Secret("a-secret"), (1, 20, 1)))
    assert (here["rtmpAddress"], here["apiAddress"]) == ("127.0.0.2:1935", "127.0.0.2:9997")

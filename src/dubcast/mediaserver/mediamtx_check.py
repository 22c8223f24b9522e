"""What a MediaMTX that somebody else runs lacks to serve dubcast, and what to write there. Pure.

Each finding names the lines of `mediamtx.yml` that mend it; `dubcast mediamtx config` prints a file
that has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dubcast.contract.ids import ingest_path, output_path

Version = tuple[int, int, int]

OLDEST: Version = (1, 16, 0)
_HAS_AVAILABLE: Version = (1, 19, 3)
_DURATION = re.compile(r"([\d.]+)(h|ms|m|s)")
_READ_BY_RTSP = "by which streams of publishers by RTSP and WebRTC are read"
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True)
class Finding:
    """What is wrong there, and the lines that mend it. `fatal`: dubcast cannot work so."""

    what: str
    write: str
    fatal: bool = False


@dataclass(frozen=True)
class Wanted:
    """What the server has to be like."""

    auth_url: str
    hook: str  # the command that tells of a publisher
    rtmp_port: int
    rtsp_port: int
    whep: bool  # whether viewers are to be served by it
    longest_silence_s: float


@dataclass(frozen=True)
class Found:
    """What its API says."""

    version: Version | None
    general: Mapping[str, Any]
    paths: Sequence[Mapping[str, Any]]


def findings(found: Found, wanted: Wanted) -> list[Finding]:
    """Everything that is to be mended, the worst first."""
    all_of_them = [
        *_version(found.version),
        *_paths(found, wanted),
        *_listeners(found.general, wanted),
        *_questions(found.general, wanted),
        *_silence(found.general, wanted),
    ]
    return sorted(all_of_them, key=lambda one: not one.fatal)


def parse_version(text: str) -> Version | None:
    """`v1.20.1` as numbers; None for what is none (built from a branch)."""
    match = re.search(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _version(version: Version | None) -> Iterator[Finding]:
    oldest = ".".join(map(str, OLDEST))
    if version is None:
        yield Finding(f"its version is not known; {oldest} or newer is needed", "")
    elif version < OLDEST:
        is_now = ".".join(map(str, version))
        yield Finding(f"MediaMTX {is_now} is too old; {oldest} or newer is needed", "", fatal=True)


def _paths(found: Found, wanted: Wanted) -> Iterator[Finding]:
    """Those of a stream, as the server would choose them."""
    for path in (ingest_path("abc"), output_path("abc")):
        end = path.rpartition("/")[2]
        name = f'"~^live/[a-z0-9][a-z0-9_-]{{0,63}}/{end}$"'
        config = matching(found.paths, path)
        if config is None:
            yield Finding(f"no path takes live/<id>/{end}", f"paths:\n  {name}: {{}}", fatal=True)
            continue
        if config.get("source", "publisher") != "publisher":
            what = f"live/<id>/{end} comes from elsewhere (source: {config['source']})"
            yield Finding(what, f"paths:\n  {name}:\n    source: publisher", fatal=True)
        if config.get("overridePublisher", True):
            yield Finding(
                f"a second publisher takes live/<id>/{end} over from the first",
                "pathDefaults:\n  overridePublisher: false",
            )
        yield from _availability(config, name, end)
        if end == "in":
            yield from _clock(config, name)
            yield from _hook(found, wanted, config, name)


def _availability(config: Mapping[str, Any], name: str, end: str) -> Iterator[Finding]:
    if config.get("alwaysAvailable"):
        yield Finding(
            f"live/<id>/{end} is there without its publisher (alwaysAvailable)",
            f"paths:\n  {name}:\n    alwaysAvailable: false",
            fatal=True,
        )
    if most := config.get("maxReaders"):
        yield Finding(
            f"live/<id>/{end} has at most {most} readers; a new worker reads beside the old, and "
            "so does each destination",
            f"paths:\n  {name}:\n    maxReaders: 0",
        )


def _clock(config: Mapping[str, Any], name: str) -> Iterator[Finding]:
    if not config.get("useAbsoluteTimestamp", True):
        yield Finding(
            "it replaces the clock of publishers by RTSP and WebRTC: their sound may be half a "
            "second off the picture",
            f"paths:\n  {name}:\n    useAbsoluteTimestamp: true",
        )


def _hook(found: Found, wanted: Wanted, config: Mapping[str, Any], name: str) -> Iterator[Finding]:
    command = config.get("runOnAvailable") or config.get("runOnReady") or ""
    if re.search(r"dubcast[-.\w]*hook", command):
        return
    is_new = found.version is None or found.version >= _HAS_AVAILABLE
    names = ("runOnAvailable", "runOnUnavailable") if is_new else ("runOnReady", "runOnNotReady")
    lines = "".join(
        f"\n    {option}: {wanted.hook} {kind}"
        for option, kind in zip(names, ("available", "unavailable"), strict=True)
    )
    yield Finding(
        "no hook tells of publishers: each is seen only at the reconciler's next turn",
        f"paths:\n  {name}:{lines}",
    )


def matching(paths: Sequence[Mapping[str, Any]], path: str) -> Mapping[str, Any] | None:
    """The config that the server takes for a path: of that name, else the first pattern that
    matches, else that of all others."""
    by_name = {str(one.get("name")): one for one in paths}
    if path in by_name:
        return by_name[path]
    for name, one in sorted(by_name.items()):
        if name.startswith("~") and _matches(name[1:], path):
            return one
    return by_name.get("all_others") or by_name.get("all")


def _matches(pattern: str, path: str) -> bool:
    try:
        return re.search(pattern, path) is not None
    except re.error:  # Go knows what Python does not
        return False


def _listeners(general: Mapping[str, Any], wanted: Wanted) -> Iterator[Finding]:
    port = str(general.get("rtmpAddress", "")).rpartition(":")[2]
    if not general.get("rtmp", True) or general.get("rtmpEncryption") == "strict":
        write = "rtmp: true\nrtmpEncryption: optional"
        yield Finding("it takes no RTMP, by which the roles publish", write, fatal=True)
    elif port != str(wanted.rtmp_port):
        yield Finding(
            f"its RTMP is on port {port}, media_server.rtmp_port is {wanted.rtmp_port}",
            f"rtmpAddress: :{wanted.rtmp_port}",
            fatal=True,
        )
    if wanted.whep and not general.get("webrtc", True):
        yield Finding("it serves no WebRTC, which media_server.whep needs", "webrtc: true")
    port = str(general.get("rtspAddress", "")).rpartition(":")[2]
    transports = general.get("rtspTransports") or ["tcp"]
    is_plain = general.get("rtspEncryption") != "strict" and "tcp" in transports
    if not general.get("rtsp", True) or not is_plain:
        write = "rtsp: true\nrtspEncryption: optional\nrtspTransports: [tcp, udp]"
        yield Finding(f"it gives no RTSP over TCP, {_READ_BY_RTSP}", write)
    elif port != str(wanted.rtsp_port):
        yield Finding(
            f"its RTSP is on port {port}, media_server.rtsp_port is {wanted.rtsp_port}, "
            f"{_READ_BY_RTSP}",
            f"rtspAddress: :{wanted.rtsp_port}",
        )


def _questions(general: Mapping[str, Any], wanted: Wanted) -> Iterator[Finding]:
    method = general.get("authMethod")
    open_api = "anybody who reaches its API can run commands as its user"
    if method == "http":
        if _address(str(general.get("authHTTPAddress", ""))) != _address(wanted.auth_url):
            yield _not_asked(wanted, "it asks somebody else about publishers and readers")
        if _opens_api(general.get("authHTTPExclude") or []):
            yield Finding(open_api, "authHTTPExclude: []")
        return
    yield _not_asked(wanted, f"it does not ask dubcast about publishers (authMethod: {method})")
    for user in general.get("authInternalUsers") or []:
        if user.get("user") == "any" and _opens_api(user.get("permissions") or []):
            who = "anybody on its machine can" if user.get("ips") else "anybody can"
            what = f"{who} run commands as its user, by its API without a key"
            yield Finding(what, "authInternalUsers: []  # with authMethod: http")


def _not_asked(wanted: Wanted, what: str) -> Finding:
    parts = urlsplit(wanted.auth_url)
    url = parts._replace(netloc=f"dubcast:KEY@{parts.netloc}").geturl()
    return Finding(
        f"{what}: orchestrator.publish_key and read_key hold nothing",
        f"authMethod: http\nauthHTTPAddress: {url}  # `dubcast mediamtx config` knows the KEY",
    )


def _opens_api(permissions: Sequence[Mapping[str, Any]]) -> bool:
    return any(one.get("action") == "api" for one in permissions)


def _address(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2], parts.path


def _silence(general: Mapping[str, Any], wanted: Wanted) -> Iterator[Finding]:
    limit_s = seconds(str(general.get("readTimeout", "10s")))
    if limit_s is not None and limit_s < wanted.longest_silence_s:
        yield Finding(
            f"an output that is silent for {limit_s:g} s is cut, though its publisher is awaited "
            "for longer (orchestrator.grace_s)",
            f"readTimeout: {wanted.longest_silence_s:g}s",
        )


def seconds(duration: str) -> float | None:
    """A duration as MediaMTX tells it (`1m30s`, `1d` of its own is not among them)."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(f"{n}{unit}" for n, unit in parts) != duration:
        return None
    return sum(float(n) * _SECONDS[unit] for n, unit in parts)

"""`dubcast doctor`: what is there, what is missing, and how to get it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated
from urllib.parse import urlsplit

import typer

from dubcast import gst_elements
from dubcast.addresses import is_this_machine
from dubcast.cli.common import PEOPLE, ConfigOption, JsonOption, load_settings
from dubcast.config import Secret, Settings
from dubcast.doctor import elsewhere, machine, report, speech, synthesis
from dubcast.doctor.report import Finding
from dubcast.errors import DubcastError
from dubcast.system_packages import PROGRAMS

# A line of gst-inspect's list: plugin, element, its long name.
_LISTED = re.compile(r"^\S+:\s+(\S+): ", re.MULTILINE)


Check = Callable[[], list[Finding]]


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel=PEOPLE)(doctor)


def doctor(
    install: Annotated[
        bool, typer.Option(help="install the embedded media server if it is missing")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Check this machine. Exit code 1 if something that is needed is missing."""
    settings = load_settings(config)
    if install:
        from dubcast.mediaserver.embedded_server import install as install_embedded

        install_embedded(settings.media_server)
    findings = list(examine(settings))
    if as_json:
        typer.echo(json.dumps(report.as_json(findings), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(report.lines(findings)))
    if not report.complete(findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check, side by side; in the same order each time."""
    checks: list[Check] = [
        _python,
        _gstreamer,
        _programs,
        _srt,
        lambda: _media_servers(settings),
        lambda: _models(settings),
        lambda: _synthesis(settings),
        lambda: _translations(settings),
        lambda: elsewhere.findings(settings),
        lambda: machine.ports(settings, media_kind=_media_kind(settings)),
        lambda: list(machine.disks(settings)),
        lambda: speech.findings(settings.sts),
    ]
    with ThreadPoolExecutor(len(checks)) as pool:
        for findings in pool.map(lambda check: check(), checks):
            yield from findings


def _python() -> list[Finding]:
    import sys
    from importlib.util import find_spec

    version = ".".join(map(str, sys.version_info[:3]))
    hint = "apt install python3-gi python3-gst-1.0, and a venv with --system-site-packages"
    gi = find_spec("gi") is not None
    return [
        Finding(f"Python {version}", sys.version_info >= (3, 11), "3.11 or newer"),
        Finding("PyGObject (gi)", gi, "" if gi else hint),
    ]


def _gstreamer() -> list[Finding]:
    """One line if all is here, else one per use that lacks some.

    Importing GStreamer here would cost a second of start.
    """
    here = _elements_here()
    if here is None:
        return [Finding("GStreamer", False, "apt install gstreamer1.0-tools")]
    lacking = {
        use: missing
        for use, names in gst_elements.uses().items()
        if (missing := [name for name in names if name not in here])
    }
    if not lacking:
        return [Finding("GStreamer", True, f"all {len(gst_elements.ELEMENTS)} elements")]
    return [
        Finding(
            f"GStreamer for {use}",
            False,
            gst_elements.missing_message(missing),
            needed=use != "tests",
        )
        for use, missing in lacking.items()
    ]


def _elements_here() -> set[str] | None:
    """Every element that GStreamer has here; None if it cannot be asked."""
    try:
        done = subprocess.run(["gst-inspect-1.0"], capture_output=True, text=True, timeout=8)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return set(_LISTED.findall(done.stdout)) if done.returncode == 0 else None


def _programs() -> list[Finding]:
    """Those that streams need; git only says which commit was measured."""
    return [
        Finding(name, found, "" if found else f"apt install {package}", needed=name != "git")
        for name, package in PROGRAMS.items()
        for found in [shutil.which(name) is not None]
    ]


def _srt() -> list[Finding]:
    from dubcast.srt import library

    version = library.available()
    detail = version or library.MISSING
    return [Finding("libsrt, for destinations by SRT", bool(version), detail, needed=False)]


def _media_servers(settings: Settings) -> list[Finding]:
    from dubcast.mediaserver import embedded_server, mediamtx

    chosen = settings.media_server
    lines = []
    binary = None
    try:
        binary = mediamtx.find_binary(chosen)
        version = ".".join(map(str, mediamtx.version_of(binary))) if binary else ""
        detail = version or "dubcast mediamtx install"
        wanted = chosen.kind == "mediamtx" and not chosen.attach
        lines.append(Finding("MediaMTX", binary is not None, detail, needed=wanted))
    except DubcastError as error:
        lines.append(Finding("MediaMTX", False, str(error)))
    needs_embedded = chosen.kind == "embedded" or (chosen.kind == "auto" and binary is None)
    try:
        embedded_server.find_node()
        lines.append(Finding("Node.js", True, needed=needs_embedded))
    except DubcastError as error:
        lines.append(Finding("Node.js", False, str(error), needed=needs_embedded))
    installed = embedded_server.is_installed(chosen)
    hint = "" if installed else "dubcast doctor --install"
    lines.append(Finding("embedded media server", installed, hint, needed=needs_embedded))
    return [*lines, *_taken_server(settings)]


def _media_kind(settings: Settings) -> str:
    """The media server that would be taken; `none` if it is asked for and not there."""
    from dubcast.mediaserver.choice import create
    from dubcast.mediaserver.interface import control_plane

    try:
        return create(settings, control_plane(settings, Secret(""))).kind
    except DubcastError:
        return "none"


def _taken_server(settings: Settings) -> list[Finding]:
    from dubcast.mediaserver.choice import ADVICE, EMBEDDED, named

    try:
        name = named(settings)
    except DubcastError:
        return []  # said above
    taken = f"media server taken: {name.removeprefix('the ')}"
    if name == EMBEDDED and settings.media_server.kind == "auto":
        return [Finding(taken, False, ADVICE, needed=False)]
    return [Finding(taken, True)]


def _synthesis(settings: Settings) -> list[Finding]:
    try:
        return synthesis.findings(settings)
    except DubcastError:
        return []  # what is wrong is said by the models' lines


def _models(settings: Settings) -> list[Finding]:
    try:
        from dubcast.models.store import ModelStore
        from dubcast.sts.build import needed_models, unusable_models

        needed, unusable = needed_models(settings), unusable_models(settings)
        stored = ModelStore(settings.models).entries()
    except DubcastError as error:
        return [Finding("models", False, str(error))]
    # The speech service cannot start without `needed`; the others are for some streams only.
    return [
        *(
            Finding(
                f"model {one.name}",
                one.installed,
                "" if one.installed else f"{one.state}: dubcast models pull {one.name}",
                needed=one.name in needed,
            )
            for one in stored
        ),
        *(Finding(f"model {name}", False, why) for name, why in unusable.items()),
    ]


def _translations(settings: Settings) -> list[Finding]:
    """The directions that the settings ask for, and what is to be known of licences. What a service
    on another machine dubs need not be had here.
    """
    try:
        from dubcast.sts.build import offered

        offer = offered(settings)
    except DubcastError as error:
        return [Finding("translation", False, str(error))]
    asked = [
        (one.source_language, one.target_language, one.voice)
        for one in settings.policies().values()
    ]
    told = {
        (source, target, offer.lacking(source, target) or offer.refusal(source, target, voice)): ""
        for source, target, voice in asked
    }
    here = is_this_machine(urlsplit(settings.sts.url).hostname)
    return [
        *(
            Finding(f"translation {source} to {target}", not why, why or "", needed=here)
            for source, target, why in told
        ),
        *(
            Finding("licence of a translation", False, caution, needed=False)
            for caution in sorted(set(offer.cautions.values()))
        ),
    ]

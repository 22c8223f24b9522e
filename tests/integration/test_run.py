"""`dubcast run` as a person calls it: a file to an RTMP server, until the file has ended."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dubcast.config import Settings, child_env
from dubcast.measure.probe import probe
from dubcast.measure.recorder import RecorderProcess
from dubcast.testing.media import ClipSpec, build_clip
from dubcast.testing.sts_server import Reply, ScriptedSts, success
from rig import (
    Meet,
    bad_server,
    hang_up,
    running_server,
    say_nothing,
    server_settings,
    shake_hands,
    stub_plane,
)

PAGES = {
    "/api/v1/languages": {"pairs": [{"source": "en", "target": "pt-BR"}]},
    "/api/v1/voices": {
        "voices": [{"name": "pf_dora", "language": "pt-BR", "gender": "female", "default": True}]
    },
}


def scripted() -> ScriptedSts:
    """A service that is there and could dub; these clips hold no speech to send."""
    pages = {path: Reply(200, json.dumps(page).encode()) for path, page in PAGES.items()}
    return ScriptedSts(lambda request, call: success(request), pages=pages)


def call(sts: ScriptedSts, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = Settings.model_validate({"sts": {"url": sts.url}})
    argv = [sys.executable, "-m", "dubcast", "run", *arguments]
    env = child_env(settings)
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)


async def test_a_file_is_sent_whole_at_its_own_pace_and_then_it_ends(
    server_kind: str, tmp_path: Path
) -> None:
    clip = build_clip(ClipSpec(seconds=8), tmp_path)
    with stub_plane() as plane, scripted() as sts:
        plane.open_to_all = True
        control = plane.control(auth_required=False)
        async with running_server(server_settings(server_kind), control) as server:
            url = server.publish_url("live/t/out")
            tape = RecorderProcess(url, tmp_path / "out.flv")
            done = call(sts, str(clip), url, "--delay", "3", "--from", "en", "--to", "pt-BR")
            assert tape.wait(5)
            tape.stop()
    assert done.returncode == 0, done.stderr
    said = re.search(r"dubcast: delivered ([\d.]+) s to rtmp://.*; nobody spoke", done.stderr)
    assert said is not None
    assert float(said[1]) == pytest.approx(8, abs=0.5)
    report = probe(tape.path, source=clip)
    assert report.comparison is not None
    assert report.comparison.bit_exact
    # MediaMTX looks for two seconds, keeps nothing for readers: they begin at the next key frame.
    first = report.comparison.first_source
    assert first <= {"embedded": 0, "mediamtx": 120}[server_kind]
    assert (report.comparison.count, report.comparison.last_source) == (8 * 30 - first, 8 * 30 - 1)
    assert report.sync is not None
    assert report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 10


@pytest.mark.parametrize(
    ("meet", "why"),
    [
        (None, "Connection refused"),
        (hang_up, ""),
        (say_nothing, "timed out"),
        (shake_hands, "does not answer"),
    ],
)
def test_nothing_delivered_is_exit_code_3_and_said(
    tmp_path: Path, meet: Meet | None, why: str
) -> None:
    clip = str(build_clip(ClipSpec(seconds=4), tmp_path))
    with bad_server(meet) as port, scripted() as sts:
        done = call(sts, clip, f"rtmp://127.0.0.1:{port}/live/canary", "--delay", "3")
    assert done.returncode == 3, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("dubcast: nothing was delivered to rtmp://127.0.0.1")
    assert why in last
    assert "canary" not in last
    assert "state=live" not in done.stderr and '"live"' not in done.stderr


def _refused(*arguments: str) -> tuple[int, str]:
    with scripted() as sts:
        done = call(sts, *arguments)
    return done.returncode, done.stderr


def test_bad_input_is_one_clear_line_and_exit_code_2(tmp_path: Path) -> None:
    clip, dest = str(build_clip(ClipSpec(seconds=1), tmp_path)), "rtmp://127.0.0.1:9/a/b"
    cases: list[tuple[tuple[str, ...], list[Any]]] = [
        ((clip, dest, "--to", "xx"), ["'xx'", "en to pt-BR"]),
        ((clip, dest, "--voice", "nobody"), ["'nobody'", "pf_dora"]),
        ((clip, dest, "--delay", "99"), ["stream.delay_s", "99", "15"]),
        ((clip, "http://x/y"), ["destination http://x", "rtmp://"]),
        (("/no/such.flv", dest), ["/no/such.flv", "no such file"]),
    ]
    for arguments, words in cases:
        code, text = _refused(*arguments)
        assert code == 2, text
        assert "Traceback" not in text
        assert all(word in text for word in words), text

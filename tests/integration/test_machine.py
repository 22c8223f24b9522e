"""A machine as it is: a proxy in the environment, IPv6, nobody who reads our lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from dubcast.testing.media import ClipSpec, build_clip
from rig import eventually, free_ports, publisher, server_settings

NOBODY = "http://127.0.0.1:9"


@contextmanager
def up(
    folder: Path, media: dict[str, Any], host: str = "127.0.0.1", *, shell: str = "", **env: str
) -> Iterator[str]:
    """A running `dubcast up`: the base URL of its orchestrator. `shell`: how its lines go."""
    (port,) = free_ports(1)
    tree = {
        "media_server": media,
        "orchestrator": {"host": host, "port": port, "reconcile_s": 0.5},
        "worker": {"drain_s": 0},
        "stream": {"delay_s": 3},
    }
    config = folder / "dubcast.yaml"
    config.write_text(yaml.safe_dump(tree))
    ready = folder / "ready.json"
    argv = [sys.executable, "-m", "dubcast", "up", "--no-sts", "-c", str(config)]
    argv += ["--ready-file", str(ready)]
    if shell:
        argv = ["sh", "-c", f'exec "$@" {shell}', "sh", *argv]
    whole = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), **env}
    for name in ("no_proxy", "NO_PROXY"):
        whole.pop(name, None)
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=log, env=whole)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def live(base: str) -> bool:
    async with httpx2.AsyncClient(trust_env=False) as client:
        try:
            found = (await client.get(f"{base}/v1/streams/demo")).json()
        except httpx2.HTTPError:
            return False
    return bool(found.get("state") == "live")


async def goes_through(base: str, folder: Path, rtmp: str) -> None:
    """A publisher's stream comes through the worker."""
    await eventually((folder / "ready.json").exists, 30)
    with publisher(f"{rtmp}/live/demo/in"):
        await eventually(lambda: live(base), 30)


def media_of(kind: str, **changes: Any) -> dict[str, Any]:
    return server_settings(kind, **changes).model_dump(mode="json", exclude_none=True)


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY"])
async def test_behind_a_proxy_our_own_streams_go_directly(
    server_kind: str, tmp_path: Path, name: str
) -> None:
    media = media_of(server_kind)
    with up(tmp_path, media, **{name: NOBODY, "http_proxy": NOBODY}) as base:
        await goes_through(base, tmp_path, f"rtmp://127.0.0.1:{media['rtmp_port']}")


async def test_everything_on_ipv6(server_kind: str, tmp_path: Path) -> None:
    media = media_of(server_kind, bind="::", host="::1")
    with up(tmp_path, media, "::", DUBCAST__WORKER__METRICS_HOST="::1") as base:
        await goes_through(base, tmp_path, f"rtmp://[::1]:{media['rtmp_port']}")


async def test_with_standard_error_closed_a_stream_is_still_served(
    server_kind: str, tmp_path: Path
) -> None:
    media = media_of(server_kind)
    with up(tmp_path, media, shell="2>&-") as base:
        await goes_through(base, tmp_path, f"rtmp://127.0.0.1:{media['rtmp_port']}")


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("live/MyShow/in", "an id has no capital letters"),
        ("live/show", "the id and /in are missing"),
    ],
)
async def test_a_path_that_is_refused_is_logged_with_the_rule(
    server_kind: str, tmp_path: Path, path: str, rule: str
) -> None:
    media = media_of(server_kind)
    with up(tmp_path, media):
        await eventually((tmp_path / "ready.json").exists, 30)
        with publisher(f"rtmp://127.0.0.1:{media['rtmp_port']}/{path}") as one:
            assert await one.ended() != 0
    lines = [line for line in (tmp_path / "up.log").read_text().splitlines() if rule in line]
    assert any("auth.refused" in line and path in line for line in lines)


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_file_name_with_accents_in_any_locale(tmp_path: Path, locale: str) -> None:
    clip = build_clip(ClipSpec(seconds=2), tmp_path).rename(tmp_path / "programação.flv")
    argv = [sys.executable, "-m", "dubcast", "probe", str(clip), "--json"]
    env = {**os.environ, "LC_ALL": locale, "LANG": locale}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)

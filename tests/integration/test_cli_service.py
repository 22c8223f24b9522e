"""What answers at the speech service's address: the service, nobody, or something else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dubcast.cli.service import check_policy, refuse_foreign, wait_until_ready
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.errors import ConfigError
from dubcast.small_http import Reply, SmallServer

LANGUAGES = b'{"pairs": [{"source": "en", "target": "pt-BR"}]}'
APP = Reply(200, b"<html>app</html>", "text/html")


@contextmanager
def answering(pages: dict[str, Reply], other: Reply) -> Iterator[StsClientSettings]:
    server = SmallServer("sts", "127.0.0.1", 0, {"GET": lambda path, _: pages.get(path, other)})
    server.start()
    try:
        yield StsClientSettings(url=f"http://127.0.0.1:{server.port}")
    finally:
        server.close()


@pytest.mark.parametrize("other", [APP, Reply(404, b"not here"), Reply(200, b"[]"), Reply(302)])
def test_another_service_is_named(other: Reply) -> None:
    with answering({}, other) as sts, pytest.raises(ConfigError, match="is no speech service"):
        refuse_foreign(sts)


def test_one_that_says_nothing_of_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sts = StsClientSettings(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ConfigError, match="it does not answer"):
            refuse_foreign(sts)


@pytest.mark.parametrize(
    "pages",
    [
        {"/readyz": Reply(503, b"loading")},
        {"/readyz": Reply(200, b"ready"), "/api/v1/languages": Reply(200, LANGUAGES)},
        {"/api/v1/languages": Reply(200, LANGUAGES)},
        {"/readyz": Reply(200, b"ready"), "/api/v1/languages": Reply(401)},
    ],
)
def test_the_service_is_left_alone(pages: dict[str, Reply]) -> None:
    with answering(pages, Reply(404)) as sts:
        refuse_foreign(sts)


def test_nobody_is_no_fault() -> None:
    refuse_foreign(StsClientSettings(url="http://127.0.0.1:9"))


def test_replies_that_are_not_of_the_contract_are_one_clear_line() -> None:
    with answering({}, APP) as sts, pytest.raises(ConfigError, match="not of the contract"):
        check_policy(sts, StreamSettings())


def test_what_has_ended_is_not_waited_for() -> None:
    begun = time.monotonic()
    nobody = StsClientSettings(url="http://127.0.0.1:9")
    assert not wait_until_ready(nobody, 60.0, alive=lambda: False)
    assert time.monotonic() - begun < 5


def test_run_says_so_and_ends_at_once(tmp_path: Path) -> None:
    clip = tmp_path / "a.flv"
    clip.touch()
    with answering({}, APP) as sts:
        argv = [sys.executable, "-m", "dubcast", "run", str(clip), "rtmp://127.0.0.1:9/a/b"]
        env = {**os.environ, "DUBCAST__STS__URL": sts.url}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"what listens at {sts.url} is no speech service" in done.stderr
    assert "Traceback" not in done.stderr

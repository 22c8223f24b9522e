"""`dubcast destination test` and destinations of each manner: nothing goes live."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dubcast.cli.main import application
from dubcast.egress import trial
from dubcast.testing.certificates import Authority
from dubcast.testing.destination import Destination


async def tried(which: str, *words: str, typed: str = "") -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke, application(), ["destination", "test", which, *words], input=typed
    )


async def test_one_that_accepts_is_told_and_sent_no_media(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_WATCH_S", 0.2)
    async with Destination().running() as there:
        done = await tried("-", typed=there.rtmp() + "\n")
    assert done.exit_code == 0
    assert "accepted" in done.output and "the-key" not in done.output
    (visit,) = there.visits
    assert [one[0] for one in visit.commands[-3:]] == ["publish", "FCUnpublish", "deleteStream"]
    assert visit.tags == []


SAID = {
    "bad_name": "NetStream.Publish.BadName: told: is the key right",
    "close_on_publish": "closed the connection: is the key right",
    "reject_connect": "no such event: is the key right",
    "silent_publish": "does not answer to the key: is the key right",
    "mute": "it does not answer",
    "reset_at_accept": "closed the connection",
}


@pytest.mark.parametrize("manner", SAID)
async def test_one_that_does_not_accept_is_told_in_its_words(
    manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_ANSWER_S", 1.0)
    async with Destination(manner).running() as there:  # type: ignore[arg-type]
        done = await tried(there.rtmp())
    assert done.exit_code == 3
    assert SAID[manner] in done.output and "the-key" not in done.output


NAMES = {
    "app/inst/key": ("app/inst", "key"),
    "app/key?s_bl=1&s_ps=1&a=Ab-_~": ("app", "key?s_bl=1&s_ps=1&a=Ab-_~"),
    "app?token=abc/key": ("app?token=abc", "key"),
    "app/k:ey%20z+=&#!": ("app", "k:ey%20z+=&#!"),
}


@pytest.mark.parametrize("path", NAMES)
async def test_names_and_queries_reach_the_destination_as_they_are_by_ipv6_too(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_WATCH_S", 0.1)
    async with Destination().running(host="::1") as there:
        done = await tried(there.rtmp(path).replace("127.0.0.1", "[::1]"))
    assert done.exit_code == 0
    connect, asked = (
        next(one for one in there.visits[0].commands if one[0] == name)
        for name in ("connect", "publish")
    )
    assert isinstance(connect[2], dict)
    assert (connect[2]["app"], asked[3]) == NAMES[path]
    assert connect[2]["tcUrl"] == f"rtmp://[::1]:{there.port}/{NAMES[path][0]}"


async def test_a_redirect_is_followed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_WATCH_S", 0.2)
    async with (
        Destination().running() as there,
        Destination("redirect", url=there.rtmp()).running() as first,
    ):
        done = await tried(first.rtmp())
    assert done.exit_code == 0
    assert f"redirected to rtmp://127.0.0.1:{there.port}" in done.output


async def test_a_certificate_is_checked(tmp_path: Path) -> None:
    async with Destination().running(tls=Authority(tmp_path).server("127.0.0.1")) as there:
        url = there.rtmp().replace("rtmp:", "rtmps:")
        assert "certificate" in (await tried(url)).output
        assert all(visit.bytes == 0 for visit in there.visits)
        assert (await tried(url, "--ca-file", str(tmp_path / "ca.pem"))).exit_code == 0
        assert (await tried(url, "--no-verify")).exit_code == 0


async def test_what_is_no_url_or_name_is_told_without_it() -> None:
    done = await tried("rtmp:///the-key")
    assert done.exit_code == 1 and "the-key" not in str(done.exception)
    assert "no destination 'nowhere'" in str((await tried("nowhere")).exception)

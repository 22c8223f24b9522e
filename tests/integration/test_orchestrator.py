"""The orchestrator with real processes: a media server, ffmpeg publishers, fake workers."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import uvicorn

import fake_child
from dubcast.config import OrchestratorSettings, Secret, Settings
from dubcast.contract.ids import output_path, stream_id_of_ingest
from dubcast.errors import ConfigError, MediaServerError
from dubcast.mediaserver import signature
from dubcast.mediaserver.interface import ControlPlane, MediaServer, PathSource
from dubcast.mediaserver.keys import USER, Purpose, derived
from dubcast.orchestrator.app import create_app
from dubcast.orchestrator.instance import InstanceLock
from dubcast.orchestrator.launch import Launcher
from dubcast.orchestrator.orchestrator import Orchestrator
from dubcast.orchestrator.placement.driver import ChildSpec
from dubcast.orchestrator.placement.local import LocalChild, LocalPlacement
from dubcast.processes.identity import ref
from dubcast.processes.lasting import Notes
from rig import (
    KEY,
    SECRET,
    eventually,
    free_ports,
    mediamtx_found,
    publisher,
    running_role,
    server_settings,
)


def make_settings(server_kind: str, folder: Path, **orchestrator: Any) -> Settings:
    (port,) = free_ports(1)
    destination = {"name": "one", "url": "rtmp://127.0.0.1:9/app/canary-key"}
    own = {
        "port": port,
        "grace_s": 2,
        "reconcile_s": 0.5,
        "state_dir": folder / "state",
        "hook_secret": SECRET,
        "publish_key": KEY,
        "heartbeat_timeout_s": 1.5,
        "start_timeout_s": 5,
        "destinations": [destination],
        **orchestrator,
    }
    media = server_settings(server_kind).model_dump()
    return Settings.model_validate(
        {"orchestrator": own, "media_server": media, "worker": {"drain_s": 1}}
    )


@dataclass
class Plane:
    """A running control plane and what a test asks of it."""

    settings: Settings
    server: MediaServer
    orchestrator: Orchestrator
    folder: Path
    client: httpx2.AsyncClient

    def order(self, role: str, words: str) -> None:
        (self.folder / role).write_text(words)

    def starts(self, role: str) -> list[int]:
        """Process ids of every child of this role that was ever started."""
        journal = self.folder / "journal"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [int(line.split()[3]) for line in lines if line.split()[1] == role]

    async def stream(self, stream_id: str = "abc") -> dict[str, Any]:
        reply = await self.client.get(f"/v1/streams/{stream_id}")
        return dict(reply.json()) if reply.status_code == 200 else {"state": "unknown"}

    async def until(self, state: str, timeout_s: float = 10) -> dict[str, Any]:
        async def reached() -> dict[str, Any] | None:
            now = await self.stream()
            return now if now["state"] == state else None

        return dict(await eventually(reached, timeout_s))

    def publish(self, stream_id: str = "abc", key: str = KEY) -> Any:
        return publisher(f"{self.server.publish_url(f'live/{stream_id}/in')}?key={key}")


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and not _zombie(pid)]


def _zombie(pid: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def list_outputs(server: MediaServer) -> None:
    """Fake workers publish nothing: the output of every stream is listed with its input."""
    seen = server.ready_paths

    async def ready_paths() -> dict[str, PathSource]:
        paths = await seen()
        ids = [path.split("/")[1] for path in paths if stream_id_of_ingest(path)]
        return paths | {output_path(one): PathSource(output_path(one), "fake") for one in ids}

    server.ready_paths = ready_paths  # type: ignore[method-assign]


def build(settings: Settings, server: MediaServer, folder: Path) -> tuple[Orchestrator, Any]:
    list_outputs(server)
    placement = LocalPlacement(folder / "state" / "run", settings.orchestrator.max_streams)
    program = (sys.executable, fake_child.__file__, str(folder))
    launcher = Launcher(settings, server, program)
    return Orchestrator(settings, server, placement, launcher=launcher), placement


@asynccontextmanager
async def serving(settings: Settings, orchestrator: Orchestrator) -> AsyncIterator[None]:
    app = create_app(orchestrator, settings, Secret(SECRET))
    port = settings.orchestrator.port
    web = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    web.capture_signals = suppress  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(web.serve())
    await eventually(lambda: web.started)
    try:
        yield
    finally:
        web.should_exit = True
        await task


@pytest.fixture
async def plane(server_kind: str, tmp_path: Path) -> AsyncIterator[Plane]:
    async with running_plane(make_settings(server_kind, tmp_path), tmp_path) as one:
        yield one


@asynccontextmanager
async def running_plane(settings: Settings, folder: Path) -> AsyncIterator[Plane]:
    async with running_role(settings) as server:
        orchestrator, placement = build(settings, server, folder)
        base = f"http://127.0.0.1:{settings.orchestrator.port}"
        async with serving(settings, orchestrator), httpx2.AsyncClient(base_url=base) as client:
            one = Plane(settings, server, orchestrator, folder, client)
            yield one
        await placement.close()
        pids = [pid for role in ("worker", "egress", "passthrough") for pid in one.starts(role)]
        assert alive(pids) == [], "a child was left behind"


async def test_a_publisher_brings_the_worker_and_the_egress(plane: Plane) -> None:
    with plane.publish():
        live = await plane.until("live")
        assert live["worker"]["pid"] in alive(plane.starts("worker"))
        assert [one["name"] for one in live["destinations"]] == ["one"]
        await eventually(lambda: len(alive(plane.starts("egress"))) == 1)
        assert (await plane.client.get("/readyz")).status_code == 200
        metrics = (await plane.client.get("/metrics")).text
        assert 'dubcast_stream_state{state="live",stream="abc"} 1.0' in metrics


async def test_the_hook_is_what_makes_it_fast(
    server_kind: str, plane: Plane, tmp_path: Path
) -> None:
    slow = make_settings(server_kind, tmp_path / "slow", reconcile_s=30)
    (tmp_path / "slow").mkdir()
    async with running_plane(slow, tmp_path / "slow") as one:
        with one.publish():
            await one.until("live", 5)


async def test_a_publisher_back_within_grace_keeps_both_processes(plane: Plane) -> None:
    with plane.publish():
        before = await plane.until("live")
    await plane.until("grace")
    with plane.publish():
        after = await plane.until("live")
        assert after["sessions"] == 2
        assert after["worker"]["pid"] == before["worker"]["pid"]
        assert len(plane.starts("worker")) == len(plane.starts("egress")) == 1


async def test_beyond_grace_everything_is_stopped(plane: Plane) -> None:
    with plane.publish():
        await plane.until("live")
    gone = time.monotonic()
    await plane.until("idle")
    assert 1.5 < time.monotonic() - gone < 5
    assert alive(plane.starts("worker") + plane.starts("egress")) == []


async def test_a_killed_worker_is_restarted_within_a_second_or_so(plane: Plane) -> None:
    with plane.publish():
        await plane.until("live")
        egress = await eventually(lambda: plane.starts("egress"))
        os.kill(plane.starts("worker")[0], signal.SIGKILL)
        await eventually(lambda: len(plane.starts("worker")) == 2, 4)
        live = await plane.until("live")
        assert live["worker"]["restarts"] == 1
        assert plane.starts("egress") == egress


async def test_a_frozen_worker_is_replaced_long_before_its_heartbeat_is_over(
    server_kind: str, tmp_path: Path
) -> None:
    settings = make_settings(server_kind, tmp_path, heartbeat_timeout_s=30)
    async with running_plane(settings, tmp_path) as plane:
        with plane.publish():
            await plane.until("live")
            os.kill(plane.starts("worker")[0], signal.SIGSTOP)
            await eventually(lambda: len(plane.starts("worker")) == 2, 4)
            await plane.until("live")
            assert len(alive(plane.starts("worker"))) == 1


async def test_a_worker_that_keeps_crashing_is_replaced_and_tried_again(
    server_kind: str, tmp_path: Path
) -> None:
    settings = make_settings(server_kind, tmp_path, quiet_s=4)
    async with running_plane(settings, tmp_path) as plane:
        plane.order("worker", "exit 1")
        with plane.publish():
            await eventually(lambda: plane.starts("passthrough"))
            degraded = await plane.until("degraded")
            assert (degraded["reason"], degraded["worker"]["mode"]) == ("passthrough",) * 2
            assert len(plane.starts("worker")) == 3
            # On trial after the quiet period: one crash is enough this time.
            await eventually(lambda: len(plane.starts("passthrough")) == 2)
            assert len(plane.starts("worker")) == 4
            plane.order("worker", "state live")
            live = await plane.until("live")
            assert live["worker"]["pid"] == plane.starts("worker")[-1]
            assert alive(plane.starts("passthrough")) == []
            metrics = (await plane.client.get("/metrics")).text
            assert 'dubcast_worker_restarts_total{stream="abc"} 6.0' in metrics


async def test_a_worker_that_grows_too_large_is_started_anew(
    server_kind: str, tmp_path: Path
) -> None:
    async with running_plane(
        make_settings(server_kind, tmp_path, worker_memory_mb=5), tmp_path
    ) as plane:
        with plane.publish():
            await eventually(lambda: len(plane.starts("worker")) == 2)
            found = await plane.stream()
            assert found["worker"]["last_end"] == "memory"
            assert found["worker"]["exit_code"] == 0  # it was asked, not killed
            await eventually(lambda: plane.starts("egress"))
        assert len(plane.starts("egress")) == 1  # the limit is the worker's


async def test_a_worker_that_answers_but_stands_still_is_replaced(plane: Plane) -> None:
    plane.order("worker", "stuck")
    with plane.publish():
        await eventually(lambda: len(plane.starts("worker")) == 2, 12)
        plane.order("worker", "state live")
        await plane.until("live", 15)


async def test_told_to_leave_them_it_leaves_the_streams_to_the_next(
    server_kind: str, tmp_path: Path
) -> None:
    leaving = make_settings(server_kind, tmp_path, on_stop="leave", grace_s=10)
    own = {**leaving.orchestrator.model_dump(), "on_stop": "stop"}
    stopping = leaving.model_copy(update={"orchestrator": OrchestratorSettings.model_validate(own)})
    async with running_role(leaving) as server:
        first, placement = build(leaving, server, tmp_path)
        base = f"http://127.0.0.1:{leaving.orchestrator.port}"
        async with httpx2.AsyncClient(base_url=base) as client:
            plane = Plane(leaving, server, first, tmp_path, client)
            with plane.publish():
                async with serving(leaving, first):
                    before = await plane.until("live")
                await placement.close()
                assert alive(plane.starts("worker")) == [before["worker"]["pid"]]
                second, placement = build(stopping, server, tmp_path)
                async with serving(stopping, second):
                    after = await plane.until("live", 5)
                    assert after["worker"]["pid"] == before["worker"]["pid"]
                await placement.close()
        assert alive(plane.starts("worker") + plane.starts("egress")) == []


async def test_a_worker_that_cannot_start_is_not_tried_again(plane: Plane) -> None:
    plane.order("worker", "exit 2")
    with plane.publish():
        failed = await plane.until("failed")
        assert failed["reason"] == "worker_cannot_start"
        await asyncio.sleep(2)
        assert len(plane.starts("worker")) == 1
        await eventually(lambda: alive(plane.starts("egress")) == [])
    await plane.until("idle")
    plane.order("worker", "state live")
    with plane.publish():
        await plane.until("live")


async def test_an_egress_with_bad_settings_leaves_the_stream_alone(plane: Plane) -> None:
    plane.order("egress", "exit 10")
    with plane.publish():
        await plane.until("live")
        await eventually(lambda: len(plane.starts("egress")) == 1)
        await asyncio.sleep(2)
        live = await plane.until("live")
        assert live["destinations"][0]["process"] == "failed"
        assert len(plane.starts("egress")) == 1


async def test_a_worker_deaf_to_sigterm_is_killed(plane: Plane) -> None:
    plane.order("worker", "deaf")
    with plane.publish():
        await plane.until("live")
    await plane.until("idle", 15)
    assert alive(plane.starts("worker")) == []


async def test_a_worker_that_reports_a_lost_output_is_degraded(plane: Plane) -> None:
    with plane.publish():
        await plane.until("live")
        plane.order("worker", "state output_lost")
        assert (await plane.until("degraded"))["reason"] == "output_lost"
        plane.order("worker", "state live")
        await plane.until("live")


async def test_bad_publishers_start_nothing(plane: Plane) -> None:
    with plane.publish(key="wrong") as wrong, plane.publish("ABC") as unknown:
        assert await wrong.ended() != 0
        assert await unknown.ended() != 0
    assert plane.starts("worker") == []
    with plane.publish():
        await plane.until("live")
        with plane.publish() as second:
            assert await second.ended() != 0
        assert (await plane.stream())["state"] == "live"
    assert len(plane.starts("worker")) == 1


@asynccontextmanager
async def mediamtx_plane(folder: Path, **orchestrator: Any) -> AsyncIterator[Plane]:
    """On the server that lists an RTMP publisher 2 s after it was let in."""
    if not mediamtx_found():
        pytest.skip("no mediamtx binary")
    async with running_plane(make_settings("mediamtx", folder, **orchestrator), folder) as plane:
        yield plane


async def test_a_worker_gets_ready_before_its_publisher_is_listed(tmp_path: Path) -> None:
    async with mediamtx_plane(tmp_path) as plane:
        with plane.publish(key=f"{KEY}&lang=es"):  # the question has it as the list has it
            expected = await plane.until("starting")
            assert (expected["reason"], expected["source"]) == ("publisher_expected", None)
            await eventually(lambda: plane.starts("worker"), 1)
            assert await plane.server.ready_paths() == {}
            live = await plane.until("live")
            assert [live["worker"]["pid"]] == plane.starts("worker")
            assert (live["sessions"], live["worker"]["restarts"]) == (1, 0)
            await eventually(lambda: len(plane.starts("egress")) == 1)


async def test_a_publisher_that_is_let_in_and_never_listed_leaves_nothing(tmp_path: Path) -> None:
    async with mediamtx_plane(tmp_path, max_streams=1) as plane:
        with publisher(f"{plane.server.publish_url('live/abc/in')}?key={KEY}", seconds=0.4) as one:
            await plane.until("starting")
            await one.ended()
        await plane.until("idle")
        assert len(plane.starts("worker")) == 1
        assert plane.starts("egress") == []
        assert alive(plane.starts("worker")) == []
        with plane.publish("other"):  # its place is free
            await eventually(lambda: len(plane.starts("egress")) == 1)


async def test_a_closed_ingest_takes_only_known_streams(server_kind: str, tmp_path: Path) -> None:
    settings = make_settings(server_kind, tmp_path, open_ingest=False, streams={"known": {}})
    async with running_plane(settings, tmp_path) as plane:
        with plane.publish("abc") as one:
            assert await one.ended() != 0
        with plane.publish("known"):
            await eventually(lambda: plane.starts("worker"))


async def test_beyond_capacity_a_publisher_is_refused_at_once(
    server_kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_plane(
        make_settings(server_kind, tmp_path, max_streams=1), tmp_path
    ) as plane:
        with plane.publish():
            await plane.until("live")
            capsys.readouterr()
            with plane.publish("other") as one:
                await eventually(lambda: "auth.refused" in capsys.readouterr().out, 3)
                # MediaMTX waits up to 4 s, by chance, before it passes that on.
                assert await one.ended(3 if server_kind == "embedded" else 6) != 0


async def test_secrets_are_in_no_argument_and_no_answer(plane: Plane) -> None:
    with plane.publish():
        await plane.until("live")
        for pid in plane.starts("worker") + plane.starts("egress"):
            arguments = " ".join(psutil.Process(pid).cmdline())
            assert "canary-key" not in arguments
            assert SECRET not in arguments
        worker_env = str(psutil.Process(plane.starts("worker")[0]).environ())
        assert "canary-key" not in worker_env
        assert SECRET not in worker_env
        answers = [(await plane.client.get(url)).text for url in ("/v1/streams", "/metrics")]
        assert not any("canary-key" in text or KEY in text for text in answers)


async def test_the_next_orchestrator_adopts_what_a_killed_one_left(
    server_kind: str, tmp_path: Path
) -> None:
    settings = make_settings(server_kind, tmp_path, grace_s=10)
    async with running_role(settings) as server:
        first, placement = build(settings, server, tmp_path)
        base = f"http://127.0.0.1:{settings.orchestrator.port}"
        client = httpx2.AsyncClient(base_url=base)
        plane = Plane(settings, server, first, tmp_path, client)
        async with serving(settings, first):
            publishing = plane.publish()
            publishing.__enter__()
            before = await plane.until("live")
            for actor in first._actors.values():  # a kill: nothing is stopped in order
                for one in actor.children.values():
                    one.supervisor._child = None
                    one.supervisor._end = None  # type: ignore[method-assign,assignment]
                    one.supervisor._source = None  # type: ignore[assignment]
        try:
            assert len(alive(plane.starts("worker"))) == 1
            second, placement = build(settings, server, tmp_path)
            async with serving(settings, second):
                after = await plane.until("live", 5)
                assert after["worker"]["pid"] == before["worker"]["pid"]
                assert len(plane.starts("worker")) == len(plane.starts("egress")) == 1
                # And it is supervised: killed, it comes back.
                os.kill(plane.starts("worker")[0], signal.SIGKILL)
                await eventually(lambda: len(plane.starts("worker")) == 2, 5)
        finally:
            publishing.__exit__(None, None, None)
            await client.aclose()
            await placement.close()
        assert alive(plane.starts("worker") + plane.starts("egress")) == []


async def test_a_process_id_that_was_given_anew_is_not_adopted(tmp_path: Path) -> None:
    own = ref(os.getpid())
    assert own is not None
    notes = Notes(tmp_path)
    note = {"port": 1, "mode": "", "pid": own.pid, "started": own.started}
    notes.write("worker:mine", note)
    notes.write("worker:other", {**note, "started": own.started + "1"})
    notes.write("worker:odd", {"pid": "x"})
    notes.write("worker:unborn", {"port": 2, "mode": ""})
    (tmp_path / "worker+bad.json").write_text("{")
    placement = LocalPlacement(tmp_path, 1)
    assert [child.key for child in await placement.list()] == ["worker:mine"]
    assert [file.name for file in tmp_path.glob("*.json")] == ["worker+mine.json"]
    await placement.close()


async def test_a_child_whose_note_was_never_finished_is_found(tmp_path: Path) -> None:
    """The orchestrator was killed between the start of a child and the note of its id."""
    placement = LocalPlacement(tmp_path, 1)
    argv = (sys.executable, "-c", "import time; time.sleep(60)")
    child = await placement.start(ChildSpec("worker", "abc", "", argv, dict(os.environ)))
    assert isinstance(child, LocalChild)
    Notes(tmp_path).write("worker:abc", {"port": child.port, "mode": ""})
    (found,) = await placement.list()
    assert isinstance(found, LocalChild)
    assert (found.pid, found.adopted) == (child.pid, True)
    waiting = asyncio.create_task(found.wait())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    killed = time.monotonic()
    child.send(signal.SIGKILL)
    assert (await waiting, await child.wait()) == (None, -9)
    assert time.monotonic() - killed < 1
    await placement.close()


def test_a_second_orchestrator_on_the_same_state_is_refused(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    first.acquire()
    with pytest.raises(ConfigError, match="another orchestrator"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


# ---- hooks: lost, doubled, reordered, forged ----------------------------------------------


def signed(body: bytes, *, message_id: str, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    stamp = int(time.time()) - age_s
    return {
        signature.ID_HEADER: message_id,
        signature.TIMESTAMP_HEADER: str(stamp),
        signature.SIGNATURE_HEADER: signature.sign(secret, message_id, stamp, body),
        "content-type": "application/json",
    }


EVENTS = "/v1/mediamtx/events"
GOOD = b'{"path": "live/abc/in", "query": "", "sourceType": "rtmpConn", "sourceId": "1"}'


async def test_hooks_are_checked(plane: Plane) -> None:
    async def post(kind: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        return await plane.client.post(f"{EVENTS}/{kind}", content=body, headers=headers)

    good = signed(GOOD, message_id="1")
    assert (await post("ready", GOOD, good)).json() == {"result": "accepted"}
    assert (await post("ready", GOOD, good)).status_code == 409
    assert (await post("ready", GOOD, {})).status_code == 401
    assert (await post("ready", GOOD + b" ", signed(GOOD, message_id="2"))).status_code == 401
    stale = signed(GOOD, message_id="3", age_s=120)
    assert (await post("not-ready", GOOD, stale)).status_code == 401
    forged = signed(GOOD, message_id="4", secret="guess")
    assert (await post("ready", GOOD, forged)).status_code == 401
    other = b'{"path": "live/abc/out"}'
    ignored = await post("ready", other, signed(other, message_id="5"))
    assert ignored.json() == {"result": "ignored"}
    assert (await post("ready", b"[]", signed(b"[]", message_id="6"))).status_code == 422
    big = b" " * 100_000
    assert (await post("ready", big, signed(big, message_id="7"))).status_code == 413
    assert plane.starts("worker") == []  # no hook alone starts anything


async def test_a_body_without_a_length_is_cut_off(plane: Plane) -> None:
    def chunked() -> bytes:
        with socket.create_connection(("127.0.0.1", plane.settings.orchestrator.port)) as raw:
            raw.settimeout(5)
            head = f"POST {EVENTS}/ready HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            raw.sendall(head.encode())
            with suppress(OSError):
                for _ in range(64):
                    raw.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
            return raw.recv(64)

    assert b" 413 " in await asyncio.to_thread(chunked)


async def test_the_auth_endpoint_answers_as_the_media_server_expects(plane: Plane) -> None:
    async def ask(**question: Any) -> int:
        base = {"ip": "127.0.0.1", "action": "publish", "path": "live/abc/in", "protocol": "rtmp"}
        reply = await plane.client.post(
            "/v1/internal/mtx-auth", json={**base, **question}, auth=auth
        )
        return reply.status_code

    auth: Any = None
    assert await ask(query=f"key={KEY}") == 403  # no media server of ours, wherever it is
    auth = (USER, derived(Secret(SECRET), Purpose.CALLBACK).get_secret_value())

    assert await ask(query=f"key={KEY}") == 204
    assert await ask(password=KEY) == 204
    assert await ask(token=KEY) == 204
    assert await ask() == 401  # RTSP asks without credentials first
    assert await ask(query=f"key={KEY}x") == 401
    assert await ask(action="read", path="live/abc/out") == 204
    assert await ask(action="read", path="live/abc/out", ip="192.0.2.1") == 401
    assert await ask(action="publish", path="live/abc/out", ip="192.0.2.1") == 401
    assert await ask(action="publish", path="live/abc/out", ip="::ffff:127.0.0.1") == 204
    assert await ask(action="api", ip="192.0.2.1") == 401
    api = derived(Secret(SECRET), Purpose.API).get_secret_value()
    assert await ask(action="api", password=api, ip="192.0.2.1") == 204
    assert await ask(action="api", query=f"key={api}") == 401
    assert await ask(action="publish", path="live/ABC/in", ip="192.0.2.1") == 401


class ScriptedServer(MediaServer):
    """A media server whose publishers a test moves; nothing else of it is used."""

    kind = "scripted"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.media_server, ControlPlane(None, Secret(""), "", True))
        self.paths: dict[str, PathSource] = {}
        self.away = False

    async def ready_paths(self) -> dict[str, PathSource]:
        if self.away:
            raise MediaServerError("away")
        await asyncio.sleep(random.uniform(0, 0.003))  # a reply that takes its time
        return dict(self.paths)

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def close(self) -> None: ...
    async def wait(self) -> int:
        return 0

    async def kick(self, path: str) -> bool:
        return False


@pytest.mark.parametrize("seed", range(10))
async def test_any_order_of_hooks_ends_with_one_worker(tmp_path: Path, seed: int) -> None:
    """Publishers come and go; hooks are lost, doubled, late; the server is away at times."""
    rng = random.Random(seed)
    settings = make_settings("embedded", tmp_path, grace_s=60, reconcile_s=0.05)
    server = ScriptedServer(settings)
    orchestrator, placement = build(settings, server, tmp_path)
    running = asyncio.create_task(orchestrator.run())
    late: list[Callable[[], None]] = []
    for number in range(60):
        server.away = rng.random() < 0.1
        if rng.random() < 0.5:
            server.paths = {"live/abc/in": PathSource("live/abc/in", f"source-{number}")}
        else:
            server.paths = {}
        late += [orchestrator.hint] * rng.choice([0, 1, 1, 2, 5])
        rng.shuffle(late)
        for _ in range(rng.randint(0, len(late))):
            late.pop()()
        await asyncio.sleep(rng.uniform(0, 0.01))
    server.away = False
    server.paths = {"live/abc/in": PathSource("live/abc/in", "last")}
    await eventually(lambda: (orchestrator.stream("abc") or {}).get("state") == "live", 10)
    plane = Plane(settings, server, orchestrator, tmp_path, httpx2.AsyncClient())
    assert len(plane.starts("worker")) == 1
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert alive(plane.starts("worker") + plane.starts("egress")) == []
    await placement.close()
    await plane.client.aclose()


async def test_a_media_server_that_is_away_ends_no_stream(tmp_path: Path) -> None:
    settings = make_settings("embedded", tmp_path, grace_s=0, reconcile_s=0.05)
    server = ScriptedServer(settings)
    server.paths = {"live/abc/in": PathSource("live/abc/in", "1")}
    orchestrator, placement = build(settings, server, tmp_path)
    async with serving(settings, orchestrator):
        await eventually(lambda: (orchestrator.stream("abc") or {}).get("state") == "live")
        server.away = True
        await asyncio.sleep(1)
        assert (orchestrator.stream("abc") or {})["state"] == "live"
    await placement.close()

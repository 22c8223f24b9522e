"""The server process: binds at once, drains on SIGTERM, fails clearly. Models are fakes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

import sts_fakes
from dubcast.contract.stream_reply import MEDIA_TYPE, FrameReader
from dubcast.contract.sts import FragmentConfig
from dubcast.errors import ConfigError, MissingPartError
from dubcast.listening import listen
from dubcast.sts.server import serve
from sts_fakes import request

# The service as a process, with fake models: `asr`, or the second clause, takes as long as the file
# says.
PROGRAM = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import dubcast.sts.server as server
from sts_fakes import Script, fake_engine, settings
script = Script()
folder = Path(sys.argv[2])
def hook(_):
    (folder / "inside").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
script.hooks["asr"] = hook
if sys.argv[4] == "slow-clause":
    script.translation = "Esta frase fica inteira aqui. Esta outra vem logo depois dela."
    calls = iter(range(99))
    script.hooks = {"tts": lambda _: next(calls) == 1 and hook(_)}
if sys.argv[4] == "slow-load":
    script.hooks["load asr"] = hook
if sys.argv[4] == "bad-load":
    script.hooks["load asr"] = lambda _: (_ for _ in ()).throw(RuntimeError("broken file"))
server.build_engine = lambda settings: fake_engine(script)
server.serve(settings(port=int(sys.argv[3]), drain_s=float(sys.argv[5]), nice=7))
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait for another process or thread; fails the test if it takes too long."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.002)


class Process:
    def __init__(self, folder: Path, mode: str = "", drain_s: float = 10) -> None:
        port = _free_port()
        here = str(Path(sts_fakes.__file__).parent)
        command = [sys.executable, "-c", PROGRAM, here, str(folder), str(port), mode, str(drain_s)]
        self.folder = folder
        self.popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        wait_until(lambda: self.code("/livez") == 200, 20)

    def code(self, path: str) -> int:
        try:
            return self.client.get(path).status_code
        except httpx2.HTTPError:
            return 0

    def post(self) -> httpx2.Response:
        return self.client.post(
            "/api/v1/sts/process",
            content=request().model_dump_json(),
            headers={"content-type": "application/json"},
            timeout=20,
        )

    def close(self) -> None:
        self.client.close()
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    started: list[Process] = []

    def make(mode: str = "", drain_s: float = 10) -> Process:
        started.append(Process(tmp_path, mode, drain_s))
        return started[-1]

    yield make
    for process in started:
        process.close()


def _in_background(process: Process) -> list[int]:
    codes: list[int] = []
    threading.Thread(target=lambda: codes.append(process.post().status_code)).start()
    wait_until(lambda: (process.folder / "inside").exists())
    return codes


def test_sigterm_finishes_what_is_under_way_and_exits_0(start) -> None:
    process = start()
    wait_until(lambda: process.code("/readyz") == 200)
    assert os.getpriority(os.PRIO_PROCESS, process.popen.pid) >= 7
    codes = _in_background(process)
    process.popen.send_signal(signal.SIGTERM)
    # The socket stays open while it drains, so that a load balancer sees it.
    wait_until(lambda: process.code("/readyz") == 503)
    assert process.code("/livez") == 200
    assert process.post().status_code == 503
    (process.folder / "go").touch()
    assert process.popen.wait(10) == 0
    wait_until(lambda: codes == [200])


def _frames(process: Process) -> Iterator[str]:
    """The kinds of the frames of a streamed reply, as they come over the socket."""
    body = request(config=FragmentConfig(duration_policy="fit", slot_ms=6000)).model_dump_json()
    headers = {"content-type": "application/json", "accept": MEDIA_TYPE}
    reader = FrameReader()
    with process.client.stream(
        "POST", "/api/v1/sts/process", content=body, headers=headers, timeout=20
    ) as reply:
        assert (reply.status_code, reply.headers["content-type"]) == (200, MEDIA_TYPE)
        for part in reply.iter_raw():
            yield from (frame.kind for frame, _ in reader.feed(part))
    assert reader.ended


def test_a_reply_is_streamed_and_who_breaks_off_goes_on(start) -> None:
    process = start("slow-clause")
    wait_until(lambda: process.code("/readyz") == 200)
    frames = _frames(process)
    # The second clause is not spoken yet.
    assert [next(frames) for _ in range(3)] == ["heard", "translated", "clause"]
    frames.close()
    again = _frames(process)
    assert [next(again) for _ in range(3)] == ["heard", "translated", "clause"]
    process.popen.send_signal(signal.SIGTERM)
    wait_until(lambda: process.code("/readyz") == 503)
    (process.folder / "go").touch()
    # What is under way is finished.
    assert list(again) == ["clause", "done"]
    assert process.popen.wait(10) == 0


def test_the_drain_has_an_end(start) -> None:
    process = start(drain_s=0.3)
    wait_until(lambda: process.code("/readyz") == 200)
    threading.Thread(target=_ignore, args=(process,)).start()
    wait_until(lambda: (process.folder / "inside").exists())
    began = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.wait(15) == 0
    assert time.monotonic() - began < 10


def _ignore(process: Process) -> None:
    with contextlib.suppress(httpx2.HTTPError):
        process.post()


def test_it_answers_while_the_models_load(start) -> None:
    process = start("slow-load")
    assert process.code("/ping") == 204
    assert process.code("/readyz") == 503
    (process.folder / "go").touch()
    wait_until(lambda: process.code("/ping") == 200)
    process.popen.send_signal(signal.SIGINT)
    assert process.popen.wait(10) == 0


def test_a_model_that_cannot_load_ends_the_process(tmp_path: Path) -> None:
    here = str(Path(sts_fakes.__file__).parent)
    port = str(_free_port())
    command = [sys.executable, "-c", PROGRAM, here, str(tmp_path), port, "bad-load", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "a model cannot be loaded: broken file" in done.stderr


def test_a_taken_port_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_a_missing_model_is_told_before_anything_is_bound(tmp_path: Path) -> None:
    from dubcast.config import Settings

    empty = Settings.model_validate(
        {"models": {"dir": tmp_path}, "sts_server": {"nice": 0, "port": 1}}
    )
    with pytest.raises(MissingPartError, match="dubcast models pull"):
        serve(empty)


def test_the_host_is_obeyed() -> None:
    with listen("127.0.0.2", 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.2"

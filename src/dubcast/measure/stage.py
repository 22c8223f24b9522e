"""The processes of a measured run: all roles, a third party, recorders, a publisher.

Every part is a process of its own, as in production; this module only starts, watches and
stops them. Recorders sit beside the media server's input and at the third party.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx2
import psutil

from dubcast.config import (
    DestinationSettings,
    MediaServerSettings,
    OrchestratorSettings,
    Settings,
    StreamEntry,
    StsClientSettings,
    child_env,
)
from dubcast.contract.ids import ingest_path
from dubcast.contract.worker import AsRunEntry, WorkerStatus, as_run
from dubcast.errors import MediaError
from dubcast.measure.recording import ffmpeg_program
from dubcast.processes.ladder import end_popen

_READY_S = 180.0
_STOP_S = 20.0
POLL_S = 0.5
# CPU is taken over the steady part: not the start, when models and modules are loaded.
_WARM_UP_S = 15.0


@dataclass(frozen=True)
class Usage:
    """What the processes used: CPU seconds per second of the run, and peak RSS in MB, in which
    pages of libraries count in full though other processes share them.

    `worker_cpu_with_separation`: NaN if its separation process was not seen in the steady part.
    """

    worker_cpu: float
    worker_rss_mb: float
    sts_cpu: float
    worker_cpu_with_separation: float


def clear(out: Path) -> None:
    """Make `out` a folder without recordings, logs and as-run records; reports stay."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "asrun", ignore_errors=True)
    for pattern in ("*.flv", "*.arrivals", "*.log"):
        for path in out.glob(pattern):
            path.unlink()


def free_port() -> int:
    """A TCP port of this machine that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def connections(pid: int, port: int) -> set[int]:
    """The own ports of the connections that a process, and its children, have to this TCP port."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        every = (process, *process.children(recursive=True))
        links = [link for one in every for link in one.net_connections("tcp")]
        there = (link for link in links if link.status == psutil.CONN_ESTABLISHED)
        return {link.laddr.port for link in there if link.raddr.port == port}
    return set()


def third_party_url(third: Settings, stream_id: str) -> str:
    """Where the third party takes a stream."""
    return f"rtmp://127.0.0.1:{third.media_server.rtmp_port}/{ingest_path(stream_id)}"


def third_party_flv_url(third: Settings, stream_id: str) -> str:
    """Where the third party gives a stream as HTTP-FLV."""
    return f"http://127.0.0.1:{third.media_server.http_port}/{ingest_path(stream_id)}.flv"


def _ingest_ports() -> dict[str, int]:
    ports = {name: free_port() for name in ("rtmps", "srt", "webrtc", "webrtc_udp")}
    rtp = free_port()
    return {f"{name}_port": port for name, port in ports.items()} | {"rtp_port": rtp - rtp % 2}


def stage_settings(
    base: Settings, out: Path, stream_ids: Sequence[str]
) -> tuple[Settings, Settings]:
    """Settings of the roles and of the third party: own ports, so that a run disturbs nothing."""
    third = Settings(
        media_server=MediaServerSettings(
            kind="embedded", rtmp_port=free_port(), http_port=free_port()
        ),
        orchestrator=OrchestratorSettings(port=free_port(), state_dir=out / "third"),
        models=base.models,
        log=base.log,
    )
    sts_port = free_port()
    server = base.media_server.model_copy(
        update={
            "rtmp_port": free_port(),
            "rtsp_port": free_port(),
            "http_port": free_port(),
            "api_port": free_port(),
            "ingest": base.media_server.ingest.model_copy(update=_ingest_ports()),
            "metrics_port": free_port(),
        }
    )
    streams = {
        name: StreamEntry(
            destinations=(
                DestinationSettings.model_validate(
                    {"name": "third-party", "url": third_party_url(third, name)}
                ),
            )
        )
        for name in stream_ids
    }
    roles = base.model_copy(
        update={
            "media_server": server,
            "sts": StsClientSettings(url=f"http://127.0.0.1:{sts_port}"),
            "sts_server": base.sts_server.model_copy(update={"port": sts_port}),
            "orchestrator": base.orchestrator.model_copy(
                update={"port": free_port(), "streams": streams, "state_dir": out / "state"}
            ),
            # What is on air at the end of a run is of no interest: nothing is played out.
            "worker": base.worker.model_copy(update={"asrun_dir": out / "asrun", "drain_s": 0.0}),
        }
    )
    return roles, third


class Role:
    """A child process with its log file; stopped with SIGTERM, then SIGKILL."""

    def __init__(self, argv: Sequence[str], log: Path, env: dict[str, str] | None = None) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                list(argv), env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None if it still runs then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return self._process.poll()

    def stop(self) -> None:
        """End it; harmless when repeated."""
        end_popen(self._process, _STOP_S)


def role(name: str, settings: Settings, out: Path, *arguments: str) -> Role:
    """A role of dubcast as a process of its own."""
    argv = [sys.executable, "-m", "dubcast", name, *arguments]
    return Role(argv, out / f"{name}.log", child_env(settings))


@contextlib.contextmanager
def running(settings: Settings, third: Settings, out: Path, *arguments: str) -> Iterator[int]:
    """All roles and the third party, ready; yields the process id of `dubcast up`.

    `arguments` are for `up`. Raises MediaError, with the end of the log, if they do not get ready.
    """
    ready = out / "ready.json"
    ready.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        party = role("media-server", third, out)
        stack.callback(party.stop)
        up = role("up", settings, out, "--ready-file", str(ready), *arguments)
        stack.callback(up.stop)
        end = time.monotonic() + _READY_S
        while not ready.exists():
            if not up.running or not party.running or time.monotonic() > end:
                failed = party if not party.running else up
                tail = failed.log.read_text(errors="replace")[-1500:]
                raise MediaError(f"the roles did not get ready; the end of {failed.log}:\n{tail}")
            time.sleep(0.1)
        yield up.pid


def publish(clip: Path, url: str, out: Path, *, loop_s: float | None = None) -> Role:
    """Send a clip in real time, untouched; `loop_s`: over and over for so many seconds."""
    again = ["-stream_loop", "-1"] if loop_s else []
    until = ["-t", str(loop_s)] if loop_s else []
    argv = [ffmpeg_program(), "-hide_banner", "-loglevel", "warning", "-nostdin"]
    argv += [*again, "-re", "-i", str(clip), *until, "-c", "copy", "-f", "flv", url]
    return Role(argv, out / "publisher.log")


def looped(clip: Path, out: Path) -> Path:
    """Write what `publish` sends of a clip that begins again once, seam and all.

    Raises MediaError if it cannot be made.
    """
    argv = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    argv += ["-stream_loop", "1", "-i", str(clip), "-c", "copy", "-f", "flv", str(out)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MediaError(f"{clip.name} cannot be looped: {done.stderr.strip()}")
    return out


@dataclass(frozen=True)
class Sample:
    """One look at a process: monotonic seconds, its CPU seconds so far, its RSS in MB."""

    at_s: float
    cpu_s: float
    rss_mb: float


class Watcher:
    """Follows the worker of a stream, its separation process, the speech service and the as-run
    log, from outside.
    """

    def __init__(self, up_pid: int, stream_id: str, asrun: Path) -> None:
        self._up = psutil.Process(up_pid)
        self._stream_id = stream_id
        self._asrun = asrun
        self._read = 0
        self.samples: defaultdict[str, list[Sample]] = defaultdict(list)
        self.fragments: list[AsRunEntry] = []
        self.status: WorkerStatus | None = None
        self.longest_fragments_s: list[float] = []
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._quit.set()
        self._thread.join(5)
        self.new_fragments()

    def _watch(self) -> None:
        while not self._quit.wait(POLL_S):
            for process in self._up.children(recursive=True):
                with contextlib.suppress(psutil.Error, ValueError, httpx2.HTTPError):
                    self._look(process)

    def _look(self, process: psutil.Process) -> None:
        words = process.cmdline()
        name = role_of(words)
        if not name or (name == "worker" and self._stream_id not in words):
            return
        if name == "separation" and not self._is_ours(process.parent()):
            return
        cpu, memory = process.cpu_times(), process.memory_info()
        sample = Sample(time.monotonic(), cpu.user + cpu.system, memory.rss / 1e6)
        self.samples[name].append(sample)
        if name == "worker":
            port = words[words.index("--status-port") + 1]
            url = f"http://127.0.0.1:{port}/status"
            reply = httpx2.get(url, timeout=1, trust_env=False)
            self.status = WorkerStatus.model_validate_json(reply.content)
            if self.status.longest_fragment_s is not None:
                self.longest_fragments_s.append(self.status.longest_fragment_s)

    def _is_ours(self, worker: psutil.Process | None) -> bool:
        """Whether a separation process's parent is the worker of this stream."""
        return worker is not None and self._stream_id in worker.cmdline()

    def new_fragments(self) -> list[AsRunEntry]:
        """As-run entries that came since the last call."""
        if not self._asrun.exists():
            return []
        lines = self._asrun.read_text(encoding="utf-8").splitlines()
        fresh = as_run("\n".join(lines[self._read :]))
        self._read = len(lines)
        self.fragments += fresh
        return fresh

    def usage(self) -> Usage:
        """What the worker and the service used in the steady part of the run."""
        return usage_of(self.samples)


def usage_of(samples: Mapping[str, Sequence[Sample]]) -> Usage:
    """What samples by role say of the steady part of a run. Pure."""
    worker = samples.get("worker", ())
    start = worker[0].at_s + _WARM_UP_S if worker else 0.0
    worker_cpu = _rate(worker, start)
    return Usage(
        worker_cpu=round(worker_cpu, 4),
        worker_rss_mb=round(max((s.rss_mb for s in worker), default=0.0), 1),
        sts_cpu=round(_rate(samples.get("sts", ()), start), 3),
        worker_cpu_with_separation=round(
            worker_cpu + _rate(samples.get("separation", ()), start), 4
        ),
    )


def role_of(words: Sequence[str]) -> str:
    """The role that a command line runs; "" for what is none of ours to follow."""
    if words[1:3] == ["-m", "dubcast"] and len(words) > 3:
        return words[3]
    if words[1:3] == ["-m", "dubcast.separation.process"]:
        return "separation"
    program = Path(words[0]).name if words else ""
    return program if program in {"node", "mediamtx", "ffmpeg"} else ""


def _rate(samples: Sequence[Sample], start_s: float) -> float:
    """CPU seconds per second from `start_s` on; of a process that was replaced, both lives."""
    steady = [sample for sample in samples if sample.at_s >= start_s]
    if len(steady) < 2:
        return float("nan")
    # What a process has used only grows: less is another one's, from its birth.
    used = sum(
        later.cpu_s - (before.cpu_s if later.cpu_s >= before.cpu_s else 0.0)
        for before, later in pairwise(steady)
    )
    return used / (steady[-1].at_s - steady[0].at_s)

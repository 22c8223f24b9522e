"""The recorder against a real HTTP-FLV server, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from dubcast import flv
from dubcast.errors import InputError
from dubcast.flv import AUDIO, VIDEO, Tag
from dubcast.measure import arrivals
from dubcast.measure.recorder import Recorder, RecorderProcess, TagWriter
from dubcast.measure.recording import iter_tags, read
from dubcast.small_http import WokenServer

TAGS = [
    Tag(VIDEO if k % 2 else AUDIO, 20 * k, b"\x27\x01\x00\x00\x00" + b"x" * k) for k in range(40)
]


class Stream:
    """Sends the tags 10 ms apart; absent (404) until `there`; `endless` never closes; the first
    `begun` connections end after the header; `header`: what stands in its place.
    """

    def __init__(
        self,
        *,
        there: bool = True,
        endless: bool = False,
        begun: int = 0,
        header: bytes = flv.header(),
    ) -> None:
        self.there = threading.Event()
        self.done = threading.Event()
        self.asked = 0
        if there:
            self.there.set()
        stream = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stream.asked += 1
                if not stream.there.is_set():
                    self.send_error(404)
                    return
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(header)
                    if stream.asked <= begun:
                        return
                    for tag in TAGS:
                        self.wfile.write(flv.encode(tag))
                        time.sleep(0.01)
                    if endless:
                        # A cut tag: what a recording that is stopped here must not hold.
                        self.wfile.write(flv.encode(TAGS[3])[:-7])
                        stream.done.wait(20)

            def log_message(self, *_: object) -> None:
                pass

        self.server = WokenServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/x.flv"


@contextlib.contextmanager
def serving(stream: Stream) -> Iterator[Stream]:
    thread = threading.Thread(target=stream.server.serve_forever)
    thread.start()
    try:
        yield stream
    finally:
        stream.done.set()
        stream.server.shutdown()
        stream.server.server_close()
        thread.join()


def test_one_connection_to_its_end(tmp_path: Path) -> None:
    with serving(Stream()) as stream:
        before = time.monotonic_ns()
        files = Recorder(stream.url, tmp_path / "r.flv").run()
        after = time.monotonic_ns()
    assert files == [tmp_path / "r.flv"] and stream.asked == 1
    assert list(iter_tags(files[0])) == TAGS
    times = arrivals.load(files[0])
    assert times is not None and len(times) == len(TAGS)
    assert before < times[0] and times[-1] < after and (times[1:] >= times[:-1]).all()
    assert times[-1] - times[0] > 0.3e9, "arrivals are those of the network, not of the end"


def test_it_waits_for_a_stream_that_is_not_there_yet(tmp_path: Path) -> None:
    with serving(Stream(there=False)) as stream:
        timer = threading.Timer(0.6, stream.there.set)
        timer.start()
        files = Recorder(stream.url, tmp_path / "r.flv").run()
        timer.join()
    assert stream.asked > 2 and list(iter_tags(files[0])) == TAGS


def test_a_connection_that_only_begins_is_none(tmp_path: Path) -> None:
    with serving(Stream(begun=2)) as stream:
        files = Recorder(stream.url, tmp_path / "r.flv").run()
    assert (files, stream.asked) == ([tmp_path / "r.flv"], 3)
    assert list(iter_tags(files[0])) == TAGS
    times = arrivals.load(files[0])
    assert times is not None and len(times) == len(TAGS)


def test_of_a_connection_that_only_begins_no_file_is_left(tmp_path: Path) -> None:
    with serving(Stream(begun=99)) as stream:
        recorder = Recorder(stream.url, tmp_path / "r.flv")
        thread = threading.Thread(target=recorder.run)
        thread.start()
        deadline = time.monotonic() + 10
        while stream.asked < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        recorder.stop()
        thread.join(5)
    assert stream.asked >= 3
    assert (recorder.files, list(tmp_path.iterdir())) == ([], [])


def test_what_is_no_flv_is_told_and_not_asked_for_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Stream(header=b"<!doctype html>")) as stream:
        files = Recorder(stream.url, tmp_path / "r.flv").run()
    assert (files, list(tmp_path.iterdir()), stream.asked) == ([], [], 1)
    assert "recorder: " in capsys.readouterr().err


def test_asked_to_it_connects_again_into_another_file(tmp_path: Path) -> None:
    with serving(Stream()) as stream:
        recorder = Recorder(stream.url, tmp_path / "r.flv", reconnect=True)
        thread = threading.Thread(target=recorder.run)
        thread.start()
        deadline = time.monotonic() + 10
        while len(recorder.files) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        recorder.stop()
        thread.join(5)
        assert not thread.is_alive()
    assert [file.name for file in recorder.files[:2]] == ["r.flv", "r-2.flv"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_whole_files(number: int, tmp_path: Path) -> None:
    with serving(Stream(endless=True)) as stream:
        process = RecorderProcess(stream.url, tmp_path / "r.flv")
        deadline = time.monotonic() + 10
        assert process.wait_for_data(10)
        time.sleep(0.8)
        os.kill(process.pid, number)
        assert process.wait(5) and time.monotonic() < deadline
    assert list(iter_tags(tmp_path / "r.flv")) == TAGS
    assert read(tmp_path / "r.flv").cut_bytes == 0
    times = arrivals.load(tmp_path / "r.flv")
    assert times is not None and len(times) == len(TAGS)


def test_to_finish_is_to_record_to_the_end_of_what_gives_something(tmp_path: Path) -> None:
    with serving(Stream()) as stream:
        process = RecorderProcess(stream.url, tmp_path / "r.flv", reconnect=True)
        assert process.wait_for_data(10)
        process.finish(10)
    assert list(iter_tags(tmp_path / "r.flv")) == TAGS
    assert stream.asked == 1


def test_to_finish_where_nothing_comes_is_to_stop(tmp_path: Path) -> None:
    with serving(Stream(there=False)) as stream:
        process = RecorderProcess(stream.url, tmp_path / "r.flv", reconnect=True)
        deadline = time.monotonic() + 10
        while not stream.asked:
            time.sleep(0.05)
        process.finish(10)
        assert time.monotonic() < deadline
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["ftp://h/x", "rtmp://h/live/x ! filesink", 'rtmp://h/"x'])
def test_urls_that_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Recorder(url, tmp_path / "r.flv").run()


def test_stopping_before_anything_came_leaves_no_file(tmp_path: Path) -> None:
    with serving(Stream(there=False)) as stream:
        recorder = Recorder(stream.url, tmp_path / "r.flv")
        timer = threading.Timer(0.3, recorder.stop)
        timer.start()
        assert recorder.run() == []
        timer.join()
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    writer = TagWriter(tmp_path / "r.flv")
    writer.feed(flv.write(TAGS[:2]), 5)
    writer.close()
    writer.close()
    assert writer.tags == 2

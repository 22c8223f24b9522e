"""The worker's client and the service itself over a socket, clause by clause. Models are fakes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import sts_fakes
from dubcast.audio.pcm import RATE
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.stream_reply import Heard
from dubcast.worker.endpoint import Endpoint
from dubcast.worker.retries import RetryBudget
from dubcast.worker.sts_client import StsClient
from dubcast.worker.work import Progress, SpokenClause, StreamEnd
from worker_fakes import work

S = 1_000_000_000
# Two sentences in 5 s; the last word reaches to the end.
PROGRAM = """
import sys
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
import dubcast.sts.server as server
from dubcast.sts.providers.interface import Word
from sts_fakes import FakeFit, Script, fake_engine, settings
silent = FakeFit.run
loud = lambda one: replace(one, pcm=bytes.fromhex("002000e0") * (len(one.pcm) // 4))
FakeFit.run = lambda self, batch: [loud(one) for one in silent(self, batch)]
said = "This sentence stays whole. That one follows right after it now".split()
words = tuple(Word(word, 0.2 + n * 0.4, 0.5 + n * 0.4) for n, word in enumerate(said))
script = Script(text=" ".join(said), words=words, bounds_s=(0.2, 4.5))
script.translation = "Esta frase fica inteira aqui. Esta outra vem logo depois dela."
server.build_engine = lambda settings: fake_engine(script)
server.serve(settings(port=int(sys.argv[2])))
"""
AUDIO = np.zeros(round(4.6 * RATE), np.int16)


@pytest.fixture
def url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", PROGRAM, str(Path(sts_fakes.__file__).parent), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


async def ready(endpoint: Endpoint) -> None:
    async with asyncio.timeout(20):
        while not await endpoint.ping():
            await asyncio.sleep(0.02)


async def test_clauses_of_the_service_are_those_of_the_worker(url: str) -> None:
    settings = StsClientSettings.model_validate({"url": url})
    one = StsClient(settings, "demo", StreamSettings(), time.monotonic_ns, budget=RetryBudget())
    try:
        await ready(one._endpoints[0])
        told: list[Progress] = []
        due = time.monotonic_ns() + 20 * S
        before = {"source_text": "Before.", "target_text": "Antes."}
        order = work(due, audio=AUDIO, slot_ms=6000, clausewise=True, **before)
        end = await one.dub(order, told.append)
        assert isinstance(end, StreamEnd)
        assert end.done.status == "success"
    finally:
        await one.close()
    assert [type(progress) for progress in told] == [Heard, tuple, SpokenClause, SpokenClause]
    clauses = told[1]
    assert isinstance(clauses, tuple)
    assert [clause.text for clause in clauses] == [
        "Esta frase fica inteira aqui.",
        "Esta outra vem logo depois dela.",
    ]
    assert clauses[0].stop_ms == clauses[1].start_ms == pytest.approx(1800, abs=1)

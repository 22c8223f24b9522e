"""Effects of the settings of the speech service, at both ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import numpy as np
import pytest
from effect import Effect, Place

from dubcast import log
from dubcast.breaker import Breaker, Verdict
from dubcast.cli import sts as cli_sts
from dubcast.clock import NS_PER_S
from dubcast.config import SecretUrl, Settings
from dubcast.errors import DubcastError, StsError
from dubcast.metrics import WorkerMetrics
from dubcast.sts import build, server, several, synthesis
from dubcast.sts.beam import width
from dubcast.sts.build import build_engine, elsewhere, offered
from dubcast.sts.engine import Engine
from dubcast.sts.providers import cuda, remote
from dubcast.sts.providers.interface import AsrTask, MtTask, TtsTask, Voice
from dubcast.sts.server import DrainingServer
from dubcast.testing import virtual_loop
from dubcast.testing.clock import VirtualClock
from dubcast.testing.elsewhere import Elsewhere
from dubcast.testing.sts_server import Reply, ScriptedSts, refusal, success
from dubcast.worker import sts_client
from dubcast.worker.edges import Edges
from dubcast.worker.retries import RetryBudget
from dubcast.worker.spec import WorkerSpec
from dubcast.worker.sts_client import StsClient
from dubcast.worker.worker import Worker
from worker_fakes import LevelVad, ScriptedDestination, ScriptedSource, work
from worker_fakes import at_once as unthreaded

CLOCK = VirtualClock()


@contextmanager
def services() -> Iterator[dict[str, ScriptedSts]]:
    """Speech services by name: two that dub, one that fails, one that takes 8 s (of `CLOCK`)."""

    def slow(request: dict[str, Any], _: int) -> Any:
        CLOCK.advance(8)
        return success(request)

    def good(request: dict[str, Any], _: int) -> Any:
        return success(request)

    def broken(_: dict[str, Any], __: int) -> Any:
        return refusal(500, "MODEL_ERROR", retryable=True)

    scripts = {"first": good, "second": good, "broken": broken, "slow": slow}
    running = {name: ScriptedSts(script) for name, script in scripts.items()}
    for one in running.values():
        one.__enter__()
    yield running
    for one in running.values():
        one.__exit__(None, None, None)


@contextmanager
def services_elsewhere() -> Iterator[Elsewhere]:
    """One that does every stage; below `/failing` it fails, below `/late` it does later."""
    with Elsewhere() as there:
        for path in ("/audio/transcriptions", "/chat/completions", "/audio/speech"):
            there.faults[f"/failing{path}"] = lambda _: Reply(500)
            there.faults[f"/late{path}"] = lambda _: Reply(500, wait_s=0.04)
        yield there


async def asked(settings: Settings, place: Place) -> dict[str, Any]:
    """What one fragment made of it: who was asked for what with which key, and what came of it."""
    sts = settings.sts
    if "sts.url" not in place.names and sts.url == Settings().sts.url:
        sts = sts.model_copy(update={"url": place.services["first"].url})
    before = {name: len(one.requests) for name, one in place.services.items()}
    place.patch.setattr(sts_client, "_RETRY_PAUSE_S", 0.001)
    client = StsClient(
        sts, "demo", settings.stream, CLOCK.monotonic_ns, rng=random.Random(1), budget=RetryBudget()
    )
    deadline = CLOCK.monotonic_ns() + 10 * NS_PER_S
    try:
        await client.dub(work(deadline))
        outcome = "dub"
    except StsError as error:
        outcome = error.code
    pinged = any(task.get_name() == "sts-ping" for task in asyncio.all_tasks())
    await client.close()
    told = {
        name: [
            (request["config"], request["timeout_ms"], headers.get("Authorization"))
            for request, headers in zip(one.requests, one.headers, strict=True)
        ][before[name] :]
        for name, one in place.services.items()
    }
    return {"told": told, "outcome": outcome, "pinged": pinged, "calls": client.new_calls()}


def at_once(settings: Settings, place: Place) -> int:
    """How many of eight fragments a worker sends before the first has come back."""
    ends = SecretUrl("rtmp://h/a/in"), SecretUrl("rtmp://h/a/out")
    spec = WorkerSpec("demo", *ends, settings.stream, settings.sts)
    fragments: Any = [SimpleNamespace(id=str(number)) for number in range(8)]
    loop = virtual_loop.VirtualLoop()

    async def sent() -> int:
        edges = Edges(ScriptedSource(loop), ScriptedDestination(loop), LevelVad, loop, unthreaded)
        worker = Worker(spec, WorkerMetrics("demo"), edges)
        others = asyncio.all_tasks()
        worker._dubber.submit(fragments)
        calls = asyncio.all_tasks() - others
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return len(calls)

    return virtual_loop.run(sent(), loop)


def breaker_story(settings: Settings, _: Place) -> list[tuple[bool, str]]:
    """Whether calls pass, and the state, through good and bad times."""
    clock, rng = VirtualClock(), random.Random(3)
    breaker = Breaker(settings.sts.breaker, clock.monotonic_ns, random.Random(7))
    story = []
    for step in range(6000):
        clock.advance(rng.choice([0.1, 0.5, 2]))
        ticket = breaker.admit()
        bad = (0.02, 0.3, 0.6)[step // 100 % 3]
        if ticket is None:
            breaker.ping(rng.random() > bad)
        else:
            weights = [1 - bad, bad / 2, bad / 2, 0.002]
            verdicts = [Verdict.GOOD, Verdict.SLOW, Verdict.BAD, Verdict.KEY_REFUSED]
            breaker.report(ticket, rng.choices(verdicts, weights)[0])
        story.append((ticket is not None, breaker.state.value))
    return story


# ---- the service ----------------------------------------------------------------------------


def service_as_run(settings: Settings, place: Place) -> dict[str, Any]:
    """The service as `serve` starts it, up to the moment when it would take requests."""
    seen: dict[str, Any] = {"nice": []}

    def run(own: DrainingServer, sockets: list[socket.socket]) -> None:
        assert len(sockets) == 1
        app: Any = own.config.app
        seen["without a key"] = asyncio.run(_status(app, "/api/v1/voices"))
        admission = app.state.service.admission
        seen["admitted"] = _admitted(admission)
        seen["phrases"] = _by_the_book(app)
        seen["glossary"] = app.state.service._glossary.entries()
        seen["drained after"] = _drained_after(own)

    real = socket.create_server

    def listen(address: tuple[str, int], **options: Any) -> socket.socket:
        seen["address"] = address
        return real((address[0], 0), **options)  # any port will do here

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_server", listen)
        patch.setattr(os, "nice", seen["nice"].append)
        patch.setattr(Engine, "state", property(lambda _: "ready"))
        patch.setattr(DrainingServer, "run", run)
        server.serve(settings)
    return seen


async def _status(app: Any, path: str) -> int:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sts") as client:
        return (await client.get(path)).status_code


def _drained_after(own: DrainingServer) -> float:
    """Seconds until a service gives up on requests that never end."""
    loop = virtual_loop.VirtualLoop()

    async def drain() -> float:
        own.handle_exit(15, None)
        while not await own.on_tick(1):
            await asyncio.sleep(0.1)
        return round(loop.time(), 1)

    return virtual_loop.run(drain(), loop)


def _by_the_book(app: Any) -> str | None:
    """What its phrasebook makes of a greeting, if it has one."""
    book = app.state.service._pipeline._translator._phrasebook
    return book and book.find("Hello!", ("en", "pt-BR"))


def _admitted(admission: Any) -> int:
    """How many requests are let in at a time."""
    for count in range(10_000):
        try:
            admission.enter()
        except StsError:
            return count
    raise AssertionError("there is no end to it")


class Asked(DubcastError):
    """An engine was about to load a model."""


def models_as_loaded(settings: Settings, place: Place) -> dict[str, Any]:
    """How the engines are asked for the models."""
    import ctranslate2
    import onnxruntime
    import tokenizers

    from dubcast.sts.providers import mt_fxtranslate

    seen: dict[str, Any] = {}

    def whisper(folder: str, **options: Any) -> None:
        seen["asr"] = (Path(folder).name, options)
        raise Asked

    def session(file: str, options: Any, providers: list[str]) -> None:
        seen["tts"] = (Path(file).parent.name, options.intra_op_num_threads, providers)
        raise Asked

    def translation(folder: Path) -> None:
        seen["mt"] = folder.parent.name
        raise Asked

    def torch_on_gpu(limit_gb: float | None) -> None:
        seen["gpu_memory_gb"] = limit_gb
        raise Asked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "keep_gpu_code", lambda folder: None)
        patch.setattr(cuda, "missing", lambda: None)
        patch.setattr(cuda, "load_cublas", lambda: None)
        patch.setattr(cuda, "float_type", lambda: "float16")
        patch.setattr(cuda, "torch_on_gpu", torch_on_gpu)
        patch.setattr(ctranslate2.models, "Whisper", whisper)
        patch.setattr(tokenizers, "Tokenizer", _AnyTokenizer)
        patch.setattr(onnxruntime, "InferenceSession", session)
        patch.setattr(synthesis, "installed", lambda: [])
        patch.setattr(mt_fxtranslate, "_loaded", translation)
        providers = build_engine(settings).providers
        for name in ("asr", "mt", "tts"):
            try:
                getattr(providers, name).load()
            except DubcastError as error:
                seen.setdefault(name, str(error))
    return seen


def beam_asked(settings: Settings, _: Place) -> int:
    """How widely recognition searches when there is nothing else to do."""
    return width(build_engine(settings).asr_beam, 60.0, 1.0, is_busy=False)


def providers_taken(settings: Settings, _: Place) -> dict[str, str] | str:
    """Which class does each stage, or why there is none."""
    try:
        engine = build_engine(settings)
    except DubcastError as error:
        return str(error)
    stages = ("hear", "asr", "mt", "tts", "fit")
    return {name: type(getattr(engine.providers, name)).__name__ for name in stages}


def processes_run(settings: Settings, _: Place) -> list[int | str]:
    """How many processes `dubcast sts` keeps running, or that it serves alone."""
    seen: list[int | str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli_sts, "load_settings", lambda *_, **__: settings)
        patch.setattr(log, "setup", lambda *_: None)
        patch.setattr(server, "serve", lambda _, shared: seen.append("alone"))
        patch.setattr(signal, "signal", lambda *_: None)
        patch.setattr(several, "_reserved", lambda _: contextlib.nullcontext(1))
        patch.setattr(several.Several, "run", lambda _, count, stopped: seen.append(count))
        cli_sts.sts()
    return seen


def elsewhere_asked(settings: Settings, place: Place) -> Any:
    """What the services elsewhere are asked for, what is offered with them, and what it cost."""
    place.patch.setattr(remote, "_PAUSE_S", 0.001)
    there: Elsewhere = place.elsewhere
    before = len(there.asked)
    try:
        offer, providers = offered(settings), elsewhere(settings)
    except DubcastError as error:
        return str(error)
    told = {stage: _called(stage, one) for stage, one in providers.items()}
    at_once = [one.capabilities.at_once for one in providers.values()]
    asked = [(one.path, one.key, one.fields.get("model")) for one in there.asked[before:]]
    return offer.pairs, offer.voices, told, at_once, asked


def _called(stage: str, provider: Any) -> tuple[str, list[float]]:
    """What one call made of it, and the costs that were counted."""
    tasks = {
        "asr": AsrTask(np.zeros(16_000, np.float32), "en"),
        "mt": MtTask("Good evening.", "en", "pt-BR"),
        "tts": TtsTask("Boa noite.", Voice("nova", "pt-BR", "unknown")),
    }
    try:
        outcome = type(provider.run_within([tasks[stage]], 5.0)[0]).__name__
    except StsError as error:
        outcome = str(error)
    finally:
        provider.close()
    cost = provider._remote._metrics.provider_cost
    return outcome, [one.value for one in cost.collect()[0].samples if one.name.endswith("total")]


class _AnyTokenizer:
    @staticmethod
    def from_file(_: str) -> _AnyTokenizer:
        return _AnyTokenizer()

    def token_to_id(self, _: str) -> int:
        return 0


BROKEN = {"sts.url": "{broken}", "sts.fallback_urls": ["{first}"]}
OPEN = {"sts.url": "{broken}", "sts.retries": 0, "sts.breaker.failures": 1}
SERVED = {"models.dir": "{store}"}
LOADED = {"models.dir": "{store}", "sts_server.tts_model": "{tts}"}
AWAY = {
    **{f"sts_server.providers.{stage}": "openai" for stage in ("asr", "mt", "tts")},
    **{f"sts_server.remote.{stage}.url": "{elsewhere}/v1" for stage in ("asr", "mt", "tts")},
    "sts_server.remote.tts.voices": [{"name": "nova", "languages": ["pt-BR", "en"]}],
}
OF_EACH = {"api_key": "a-key", "at_once": 3, "model": "other"}
PRICES = ("asr.price_per_minute", "mt.price_per_1000_characters", "tts.price_per_minute")
STORY: dict[str, Any] = {
    "failures": 5,
    "window": 8,
    "min_calls": 10,
    "failure_ratio": 0.3,
    "open_s": 5.0,
    "longest_open_s": 20.0,
    "jitter": 0.4,
    "pings": 4,
    "probes": 3,
}
EFFECTS = {
    "sts.url": Effect("{second}", asked),
    "sts.fallback_urls": Effect(["{second}"], asked, {"sts.url": "{broken}"}),
    "sts.api_key": Effect("a-key", asked),
    "sts.timeout_s": Effect(2.0, asked),
    "sts.max_inflight": Effect(5, at_once),
    "sts.retries": Effect(0, asked, BROKEN),
    "sts.retry_ratio": Effect(0.0, asked, BROKEN),
    "sts.ping_s": Effect(0.0, asked, OPEN),
    "sts.breaker.slow_ratio": Effect(0.5, asked, {"sts.url": "{slow}"}),
    **{f"sts.breaker.{key}": Effect(value, breaker_story) for key, value in STORY.items()},
    "sts_server.host": Effect("127.0.0.2", service_as_run, SERVED),
    "sts_server.port": Effect(8001, service_as_run, SERVED),
    "sts_server.api_key": Effect("a-key", service_as_run, SERVED),
    "sts_server.max_pending": Effect(7, service_as_run, SERVED),
    "sts_server.drain_s": Effect(3.0, service_as_run, SERVED),
    "sts_server.glossary": Effect("{glossary}", service_as_run, SERVED),
    "sts_server.phrasebook": Effect(False, service_as_run, SERVED),
    "sts_server.nice": Effect(9, service_as_run, SERVED),
    "sts_server.asr_model": Effect("{asr}", models_as_loaded, LOADED),
    "sts_server.mt_model": Effect("tiny", models_as_loaded, LOADED),
    "sts_server.tts_model": Effect("{other_tts}", models_as_loaded, LOADED),
    **{
        f"sts_server.providers.{stage}": Effect("of-another-package", providers_taken, LOADED)
        for stage in ("hear", "asr", "mt", "tts", "fit")
    },
    **{
        f"sts_server.remote.{stage}.{key}": Effect(value, elsewhere_asked, AWAY)
        for stage in ("asr", "mt", "tts")
        for key, value in OF_EACH.items()
    },
    **{
        f"sts_server.remote.{stage}.{key}": Effect(value, elsewhere_asked, {**AWAY, **to})
        for stage in ("asr", "mt", "tts")
        for key, value, url in (
            ("url", "{elsewhere}/v1", "{elsewhere}/nothing"),
            ("retries", 0, "{elsewhere}/failing"),
            ("timeout_s", 0.01, "{elsewhere}/late"),
        )
        for to in [{f"sts_server.remote.{stage}.url": url}]
    },
    **{
        f"sts_server.remote.{key}": Effect(60.0, elsewhere_asked, AWAY)
        for key in (*PRICES, "tts.price_per_1000_characters")
    },
    "sts_server.remote.mt.languages": Effect(["en", "pt-BR"], elsewhere_asked, AWAY),
    "sts_server.remote.tts.voices": Effect(
        [{"name": "alloy", "languages": ["en"]}], elsewhere_asked, AWAY
    ),
    "sts_server.piper_voices": Effect("{other_tts}", providers_taken, LOADED),
    "sts_server.processes": Effect(3, processes_run, SERVED),
    "sts_server.device": Effect("cuda", models_as_loaded, LOADED),
    "sts_server.gpu_memory_gb": Effect(
        3.0, models_as_loaded, {**LOADED, "sts_server.device": "cuda"}
    ),
    "sts_server.asr_threads": Effect(3, models_as_loaded, LOADED),
    "sts_server.asr_beam": Effect(1, beam_asked, LOADED),
    "sts_server.tts_threads": Effect(5, models_as_loaded, LOADED),
    "sts_server.tts_engine": Effect("openvino", models_as_loaded, LOADED),
}

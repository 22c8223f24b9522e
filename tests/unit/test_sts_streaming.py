"""A reply in a stream, over HTTP with fake models: frames as they become known, retries, faults."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from dubcast.contract.stream_reply import (
    MEDIA_TYPE,
    Clause,
    Done,
    Failed,
    Frame,
    FrameReader,
    Heard,
    Translated,
)
from dubcast.contract.sts import (
    FragmentConfig,
    FragmentContext,
    LeftAlone,
    StsErrorBody,
    StsRequest,
)
from dubcast.sts.app import create_app
from dubcast.sts.engine import Engine
from dubcast.sts.providers.interface import NOTHING_AROUND, Around, TtsTask, Word
from sts_fakes import Script, fake_engine, request, running, settings

FIRST = "O prefeito disse que a ponte vai abrir em março."
SECOND = "Os moradores não acreditam nele."
WORDS = tuple(
    Word(text, i / 10, (i + 1) / 10)
    for i, text in enumerate(("He", "said", "so.", "They", "do", "not."))
)


class Exchange:
    """One request to the application, its reply read frame by frame."""

    def __init__(self, app: Any, body: bytes, accept: str = MEDIA_TYPE) -> None:
        self.status = 0
        self.kind = ""
        self.headers: dict[bytes, bytes] = {}
        self.raw = b""
        self._reader = FrameReader()
        self._got: asyncio.Queue[Message] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._to_send: list[Message] = [{"type": "http.request", "body": body}]
        headers = [
            (b"content-type", b"application/json"),
            (b"accept", accept.encode()),
        ]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/api/v1/sts/process",
            "raw_path": b"",
            "query_string": b"",
            "headers": headers,
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "server": ("sts", 80),
            "client": ("x", 1),
        }
        self.task = asyncio.ensure_future(app(scope, self._receive, self._got.put))
        self.task.add_done_callback(lambda _: self._got.put_nowait({"type": "end"}))
        self._frames = self._read()

    async def frame(self) -> tuple[Frame, bytes]:
        """The next frame; fails the test if there is none."""
        return await anext(self._frames)

    async def rest(self) -> list[tuple[Frame, bytes]]:
        return [one async for one in self._frames]

    def hang_up(self) -> None:
        """The client closes its connection."""
        self._gone.set()

    async def whole(self) -> bytes:
        async for _ in self._parts():
            pass
        return self.raw

    async def _receive(self) -> Message:
        if self._to_send:
            return self._to_send.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _parts(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._got.get()
            assert message["type"] != "end", "the reply broke off"
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = dict(message["headers"])
                self.kind = self.headers[b"content-type"].decode()
                continue
            self.raw += message.get("body", b"")
            yield message.get("body", b"")
            if not message.get("more_body", False):
                await self.task
                return

    async def _read(self) -> AsyncIterator[tuple[Frame, bytes]]:
        async for part in self._parts():
            for one in self._reader.feed(part):
                yield one
        assert self._reader.ended


@pytest.fixture
def script() -> Script:
    return Script(text="He said so. They do not.", translation=f"{FIRST} {SECOND}", words=WORDS)


@pytest.fixture
def engine(script: Script) -> Iterator[Engine]:
    with running(script) as engine:
        yield engine


@pytest.fixture
def app(engine: Engine) -> Any:
    return create_app(settings(), engine)


def _body(fragment_id: str = "f1", *, timeout_ms: int = 8000, **config: Any) -> bytes:
    one = {"duration_policy": "fit", "slot_ms": 6000, **config}
    asked = request(fragment_id, config=FragmentConfig(**one), timeout_ms=timeout_ms)
    return asked.model_dump_json().encode()


@asynccontextmanager
async def _held(script: Script, stage: str, call: int = 1) -> AsyncIterator[threading.Event]:
    """Holds a stage's nth call until the event is set."""
    free, calls = threading.Event(), iter(range(1, 1000))

    def hook(_: Any) -> None:
        if next(calls) == call:
            assert free.wait(20)

    script.hooks[stage] = hook
    yield free
    free.set()


def _spoken(script: Script) -> list[str]:
    return [task.text for batch in script.calls.get("tts", []) for task in batch]


async def test_all_frames_in_their_order(app: Any, script: Script) -> None:
    exchange = Exchange(app, _body(timings="words"))
    frames = await exchange.rest()
    assert (exchange.status, exchange.kind) == (200, MEDIA_TYPE)
    heard, translated, first, second, done = [frame for frame, _ in frames]
    assert isinstance(heard, Heard) and isinstance(translated, Translated)
    assert (heard.fragment_id, heard.transcript) == ("f1", script.text)
    assert (heard.speech_start_ms, heard.speech_end_ms) == (100, 400)
    assert [word.text for word in heard.words] == [word.text for word in WORDS]
    assert translated.translated_text == script.translation
    assert [clause.text for clause in translated.clauses] == [FIRST, SECOND]
    assert isinstance(first, Clause) and isinstance(second, Clause)
    assert [first.text, second.text] == [FIRST, SECOND]
    assert (first.natural_ms, first.pause_ms, first.tempo) == (1000, 300, 1.0)
    assert (first.sample_rate_hz, first.channels) == (16_000, 1)
    assert isinstance(done, Done)
    assert (done.status, done.speech_ms, done.tempo) == ("success", 2300, 1.0)
    assert done.metadata.tts_model == "fake-tts"


async def test_a_frame_comes_when_it_is_known(app: Any, script: Script) -> None:
    """Each stage is held until what came before it was read."""
    async with _held(script, "mt") as mt, _held(script, "tts", call=2) as tts:
        exchange = Exchange(app, _body())
        assert isinstance((await exchange.frame())[0], Heard)
        mt.set()
        assert isinstance((await exchange.frame())[0], Translated)
        frame, pcm = await exchange.frame()
        assert isinstance(frame, Clause) and frame.index == 0 and pcm
        tts.set()
        assert [frame.kind for frame, _ in await exchange.rest()] == ["clause", "done"]


async def test_no_proxy_is_to_hold_it_back(app: Any) -> None:
    exchange = Exchange(app, _body())
    await exchange.rest()
    assert exchange.headers[b"x-accel-buffering"] == b"no"
    assert exchange.headers[b"cache-control"] == b"no-store"


async def test_a_clause_says_where_its_source_is(app: Any) -> None:
    frames = await Exchange(app, _body()).rest()
    translated = frames[1][0]
    assert isinstance(translated, Translated)
    spans = [
        (one.source_text, one.source_start_ms, one.source_end_ms) for one in translated.clauses
    ]
    assert spans == [("He said so.", 100, 300), ("They do not.", 300, 400)]


async def test_speech_without_words_is_told(app: Any, script: Script) -> None:
    for bounds_s, unheard_ms in (((0.1, 0.6), ()), ((0.1, 4.0), ((500, 3310),))):
        script.bounds_s = bounds_s
        heard, _ = await Exchange(app, _body(f"f{bounds_s[1]}")).frame()
        assert isinstance(heard, Heard) and heard.unheard_ms == unheard_ms


def _cut() -> bytes:
    """A fragment of 300 ms that was cut in running speech, with 100 ms before and after it."""
    asked = request(
        config=FragmentConfig(
            duration_policy="fit", slot_ms=6000, timings="words", before_ms=100, after_ms=100
        ),
        context=FragmentContext(before_text="said before"),
    )
    return asked.model_dump_json().encode()


async def test_what_lies_around_a_fragment_is_heard_with_it(script: Script) -> None:
    script.hears_around = True
    with running(script) as engine:
        frames = await Exchange(create_app(settings(), engine), _cut()).rest()
    around = Around(0.1, 0.1, "said before")
    (heard,), (recognized,) = script.calls["resample"][0], script.calls["asr"][0]
    assert (heard.around, recognized.around) == (around, around)
    assert len(recognized.samples) == 16_000
    told = frames[0][0]
    assert isinstance(told, Heard)
    # What was cut after 300 ms ends with its sentence; the rest goes with the next fragment.
    assert (told.transcript, len(told.words)) == ("He said so.", 3)
    (fitted,) = script.calls["fit"][0]
    assert fitted.frames == 16_000 * script.tts_samples // 24_000


async def test_a_recognizer_that_cannot_use_it_is_given_the_fragment_alone(
    app: Any, script: Script
) -> None:
    await Exchange(app, _cut()).rest()
    (recognized,) = script.calls["asr"][0]
    assert recognized.around == NOTHING_AROUND
    assert len(recognized.samples) == 16_000 - 2 * 1600


async def test_what_goes_with_the_next_fragment_is_not_unheard(app: Any, script: Script) -> None:
    script.bounds_s = (1.0, 3.3)
    script.words = (Word("He", 1.0, 1.2), Word("did", 1.2, 1.5), Word("so.", 1.5, 1.8))
    alone, _ = await Exchange(app, _body("alone")).frame()
    assert isinstance(alone, Heard) and alone.unheard_ms
    script.words = (*script.words, Word("Then", 1.9, 3.6))
    asked = request(
        ms=4300, config=FragmentConfig(duration_policy="fit", slot_ms=6000, after_ms=1000)
    )
    heard, _ = await Exchange(app, asked.model_dump_json().encode()).frame()
    assert isinstance(heard, Heard)
    assert (heard.transcript, heard.unheard_ms) == ("He did so.", ())


async def test_a_dub_in_one_piece_is_as_long_as_the_fragment(app: Any, script: Script) -> None:
    asked = request(config=FragmentConfig(before_ms=100, after_ms=100))
    await Exchange(app, asked.model_dump_json().encode(), "application/json").whole()
    (fitted,) = script.calls["fit"][0]
    assert fitted.frames == 16 * 300


async def test_another_text_before_makes_another_fragment(app: Any, script: Script) -> None:
    for text in ("said before", "said before", "said otherwise"):
        asked = request(
            config=FragmentConfig(duration_policy="fit", slot_ms=6000, before_ms=100),
            context=FragmentContext(before_text=text),
        )
        await Exchange(app, asked.model_dump_json().encode()).whole()
    assert len(script.calls["asr"]) == 2


async def test_the_natural_length_is_asked_of_the_fitter(app: Any, script: Script) -> None:
    await Exchange(app, _body(max_tempo=1.2)).whole()
    tasks = [task for batch in script.calls["fit"] for task in batch]
    assert [(task.max_tempo, task.channels, len(task.clauses)) for task in tasks] == [(1, 1, 1)] * 2


async def test_words_are_left_out_only_if_it_is_not_expected_to_fit(
    app: Any, script: Script
) -> None:
    script.translation = "Bem, o prefeito disse que a ponte vai abrir, né."
    for slot_ms, shortened in ((4000, False), (1500, True)):
        *_, done = await Exchange(app, _body(f"f{slot_ms}", slot_ms=slot_ms)).rest()
        assert isinstance(done[0], Done) and done[0].shortened is shortened
    assert not _spoken(script)[-1].startswith("Bem")


async def test_what_does_not_fit_at_the_highest_tempo_is_partial(app: Any) -> None:
    *_, done = await Exchange(app, _body(slot_ms=1800, max_tempo=1.1)).rest()
    assert isinstance(done[0], Done) and done[0].status == "partial"


async def test_no_speech_is_heard_and_done(app: Any, script: Script) -> None:
    script.speech = False
    heard, done = [frame for frame, _ in await Exchange(app, _body()).rest()]
    assert isinstance(heard, Heard) and isinstance(done, Done)
    assert (heard.transcript, heard.detected_language, done.status) == ("", "und", "no_speech")


@pytest.mark.parametrize("translation", ["...", ""])
async def test_nothing_to_say_is_no_speech(app: Any, script: Script, translation: str) -> None:
    script.translation = translation
    frames = await Exchange(app, _body()).rest()
    assert [frame.kind for frame, _ in frames] == ["heard", "done"]
    assert isinstance(frames[1][0], Done) and frames[1][0].status == "no_speech"


async def test_words_that_are_left_alone() -> None:
    script = Script(likely={"en": 0.1, "pt": 0.875})
    engine = fake_engine(script)
    engine.start()
    assert engine.wait(5) == "ready"
    frames = await Exchange(create_app(settings(), engine), _body()).rest()
    engine.stop()
    heard, done = [frame for frame, _ in frames]
    assert isinstance(heard, Heard) and isinstance(done, Done)
    assert (heard.left_alone, done.status) == (LeftAlone.TARGET_LANGUAGE, "no_speech")


async def test_a_clause_that_cannot_be_spoken_has_no_sound(app: Any, script: Script) -> None:
    script.tts_samples = 0
    frames = await Exchange(app, _body()).rest()
    clauses = [(frame.natural_ms, pcm) for frame, pcm in frames if isinstance(frame, Clause)]
    assert clauses == [(0, b""), (0, b"")]
    assert isinstance(frames[-1][0], Done) and frames[-1][0].status == "no_speech"


async def test_a_policy_that_needs_the_end_is_answered_whole(app: Any) -> None:
    exchange = Exchange(app, _body(duration_policy="match"))
    assert json.loads(await exchange.whole())["status"] == "success"
    assert exchange.kind == "application/json"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "text/html, */*"])
async def test_who_does_not_ask_is_answered_whole(app: Any, accept: str) -> None:
    exchange = Exchange(app, _body(), accept)
    assert json.loads(await exchange.whole())["fragment_id"] == "f1"


async def test_it_may_be_one_of_the_forms_that_are_accepted(app: Any) -> None:
    exchange = Exchange(app, _body(), f"application/json;q=0.1, {MEDIA_TYPE.upper()};q=1")
    await exchange.rest()
    assert exchange.kind == MEDIA_TYPE


async def test_what_fails_before_the_first_frame_has_a_status(app: Any, script: Script) -> None:
    def fail(_: Any) -> None:
        raise ValueError("broken")

    script.hooks["asr"] = fail
    exchange = Exchange(app, _body())
    body = StsErrorBody.model_validate_json(await exchange.whole())
    assert (exchange.status, body.error.stage, body.fragment_id) == (500, "asr", "f1")


def _fail_second_clause(batch: list[TtsTask]) -> None:
    if batch[0].text == SECOND:
        raise ValueError("broken")


async def test_a_fault_leaves_what_was_told_and_a_retry_goes_on(app: Any, script: Script) -> None:
    script.hooks["tts"] = _fail_second_clause
    frames = await Exchange(app, _body()).rest()
    assert [frame.kind for frame, _ in frames] == ["heard", "translated", "clause", "error"]
    failed = frames[-1][0]
    assert isinstance(failed, Failed)
    assert (failed.error.code, failed.error.stage) == ("MODEL_ERROR", "tts")
    script.hooks.clear()
    again = await Exchange(app, _body()).rest()
    assert again[:3] == frames[:3]
    assert [frame.kind for frame, _ in again[3:]] == ["clause", "done"]
    assert _spoken(script) == [FIRST, SECOND, SECOND]
    assert (len(script.calls["asr"]), len(script.calls["mt"])) == (1, 1)


async def test_a_fault_of_ours_is_told_in_the_stream_and_logged_though_the_caller_is_gone(
    app: Any, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("internals")

    monkeypatch.setattr("dubcast.sts.speaking.Speaker.learn", broken)
    frames = await Exchange(app, _body()).rest()
    assert [frame.kind for frame, _ in frames[2:]] == ["clause", "clause", "error"]
    failed = frames[-1][0]
    assert isinstance(failed, Failed) and failed.error.code == "MODEL_ERROR"
    assert "internals" not in failed.error.message
    async with _held(script, "tts") as free:
        gone = Exchange(app, _body("f2"))
        await gone.frame()
        gone.task.cancel()
        with capture_logs() as lines:
            free.set()
            with suppress(asyncio.CancelledError):
                await gone.task
            while not any(line.get("fragmentId") == "f2" for line in lines):
                await asyncio.sleep(0)
    assert [line["event"] for line in lines] == ["internal_error"]


async def test_who_hangs_up_holds_no_place(app: Any, script: Script) -> None:
    async with _held(script, "tts"):
        exchange = Exchange(app, _body())
        await exchange.frame()
        assert app.state.service.admission.pending == 1
        exchange.hang_up()
        await exchange.task
        assert app.state.service.admission.pending == 0


async def test_a_slow_clause_is_a_timeout_in_the_stream(app: Any, script: Script) -> None:
    async with _held(script, "tts", call=2):
        frames = await Exchange(app, _body(timeout_ms=150)).rest()
    failed = frames[-1][0]
    assert isinstance(failed, Failed) and failed.error.code == "TIMEOUT"
    assert [frame.kind for frame, _ in frames[:-1]] == ["heard", "translated", "clause"]


async def test_a_repeated_request_is_told_what_is_there_and_then_the_rest(
    app: Any, script: Script
) -> None:
    async with _held(script, "tts", call=2) as free:
        first = Exchange(app, _body())
        begun = [await first.frame() for _ in range(3)]
        again = Exchange(app, _body(timeout_ms=3000))
        assert [await again.frame() for _ in range(3)] == begun
        free.set()
        assert await again.rest() == await first.rest()
    assert (await Exchange(app, _body()).whole()) == first.raw == again.raw
    assert _spoken(script) == [FIRST, SECOND]


async def test_who_breaks_off_may_come_back(app: Any, script: Script) -> None:
    async with _held(script, "tts", call=2) as free:
        first = Exchange(app, _body())
        begun = [await first.frame() for _ in range(3)]
        first.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first.task
        free.set()
        assert (await Exchange(app, _body()).rest())[:3] == begun
    assert app.state.service.admission.pending == 0
    assert _spoken(script) == [FIRST, SECOND]


async def test_both_forms_of_a_fragment_are_apart(app: Any) -> None:
    await Exchange(app, _body()).whole()
    assert json.loads(await Exchange(app, _body(), "*/*").whole())["status"] == "success"


async def test_an_earlier_clause_of_one_stream_is_spoken_before_a_later_one_of_another(
    app: Any, script: Script
) -> None:
    """The second stream's first clause is due before the first stream's second one."""
    script.words = tuple(Word(word.text, 10 * word.start_s, 10 * word.end_s) for word in WORDS)
    script.bounds_s = (0.0, 6.0)

    def of(stream: str, voice: str, timeout_ms: int) -> bytes:
        config = FragmentConfig(duration_policy="fit", slot_ms=6000, voice_profile=voice)
        one: StsRequest = request(stream, stream_id=stream, config=config, timeout_ms=timeout_ms)
        return one.model_dump_json().encode()

    async with _held(script, "tts") as free:
        first = Exchange(app, of("a", "pf_dora", 9000))
        await first.frame()
        await first.frame()
        await asyncio.to_thread(script.wait_for, "tts")
        second = Exchange(app, of("b", "pm_alex", 10_000))
        await second.frame()
        await second.frame()
        free.set()
        await first.rest()
        await second.rest()
    voices = [task.voice.name for batch in script.calls["tts"] for task in batch]
    assert voices == ["pf_dora", "pm_alex", "pf_dora", "pm_alex"]


async def test_outcomes_are_counted(app: Any, script: Script) -> None:
    await Exchange(app, _body()).whole()
    script.hooks["tts"] = _fail_second_clause
    await Exchange(app, _body("f2")).whole()
    sample = app.state.service.metrics.registry.get_sample_value
    for outcome in ("success", "model_error"):
        assert sample("dubcast_sts_requests_total", {"outcome": outcome}) == 1
    assert sample("dubcast_sts_audio_seconds_total") == 1.0
    assert sample("dubcast_sts_first_clause_seconds_count") == 2

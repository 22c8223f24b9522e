"""Stages whose work is done by a service elsewhere: what is sent, what is made of the reply."""

from __future__ import annotations

import struct
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from dubcast.breaker import LONGEST_HOLD_S
from dubcast.clock import s_to_ns
from dubcast.config import Settings
from dubcast.doctor import elsewhere as doctor
from dubcast.errors import ConfigError, DubcastError, NotReachableError, StsError
from dubcast.metrics import StsMetrics
from dubcast.retry_after import retry_after_s
from dubcast.sts import build
from dubcast.sts.http_errors import error_reply
from dubcast.sts.providers.asr_openai import transcript
from dubcast.sts.providers.interface import (
    AsrTask,
    MtTask,
    Provider,
    Transcript,
    TtsCapabilities,
    TtsTask,
    Voice,
    Word,
)
from dubcast.sts.providers.mt_libretranslate import codes
from dubcast.sts.providers.mt_openai import translation
from dubcast.sts.providers.remote import BadReply, Got
from dubcast.sts.providers.wav import speech_of, to_wav
from dubcast.sts.providers.word_times import timed
from dubcast.sts.several_voices import joined
from dubcast.testing.elsewhere import TEXT, Elsewhere, chatted, refused, spoken, told
from dubcast.testing.sts_server import Reply

KEY = "sk-0f-somebody"
SOUND = np.sin(np.arange(16_000) / 20).astype(np.float32)
VOICES = [{"name": "nova", "languages": ["pt-BR", "en-US"]}]
SPEECH, CHAT, HEARD = "/v1/audio/speech", "/v1/chat/completions", "/v1/audio/transcriptions"
ASR = AsrTask(SOUND, "pt-BR")
MT = MtTask("Good evening.", "en", "pt-BR")
TTS = TtsTask("Boa noite.", Voice("nova", "pt-BR", "unknown", engine="openai"))


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with Elsewhere() as one:
        yield one


def settings(url: str, translator: str = "openai", **stages: dict[str, Any]) -> Settings:
    """Those of a service that has all three stages elsewhere."""
    own = {
        "asr": {"url": f"{url}/v1"},
        "mt": {
            "url": url if translator == "libretranslate" else f"{url}/v1",
            "languages": ["en", "pt"],
        },
        "tts": {"url": f"{url}/v1", "voices": VOICES},
    }
    remote = {stage: {**own[stage], **stages.get(stage, {})} for stage in own}
    providers = {"asr": "openai", "mt": translator, "tts": "openai"}
    return Settings.model_validate({"sts_server": {"providers": providers, "remote": remote}})


ProviderOf = Callable[..., Provider[Any, Any]]


@pytest.fixture
def provider_of(there: Elsewhere) -> Iterator[ProviderOf]:
    made: list[Provider[Any, Any]] = []

    def provider(stage: str, translator: str = "openai", **changes: Any) -> Provider[Any, Any]:
        found = build.elsewhere(settings(there.url, translator, **{stage: changes}))
        made.append(found[stage])
        return made[-1]

    yield provider
    for one in made:
        one.close()


def counted(provider: Any, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric of a provider, by their labels' values."""
    metrics: StsMetrics = provider._remote._metrics
    return {
        tuple(sample.labels.values()): sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.name == name and sample.value
    }


# ---- what is sent and what is made of it ---------------------------------------------------


def test_recognition_sends_sound_and_gives_words_with_their_punctuation(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    asr = provider_of("asr", api_key=KEY)
    asr.load()
    (said,) = asr.run([AsrTask(SOUND, "pt-BR", words=True)])
    assert said.text == TEXT
    assert [word.text for word in said.words] == TEXT.split()
    assert [(word.start_s, word.end_s) for word in said.words][:2] == [(0.0, 0.25), (0.25, 0.5)]
    (call,) = there.calls(HEARD)
    assert call.key == f"Bearer {KEY}"
    with wave.open(BytesIO(call.fields["file"])) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        assert file.getnframes() == len(SOUND)
    sent = {key: value for key, value in call.fields.items() if key != "file"}
    assert sent == {
        "model": "whisper-1",
        "language": "pt",
        "response_format": "verbose_json",
        "temperature": "0",
        "timestamp_granularities[]": ["word", "segment"],
    }


def test_words_are_asked_for_only_where_they_are_wanted(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    (said,) = provider_of("asr").run([ASR])
    assert (said.text, said.words) == (TEXT, ())
    assert "timestamp_granularities[]" not in there.calls(HEARD)[0].fields


def test_a_chat_model_is_told_to_translate_and_nothing_else(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    assert provider_of("mt", model="other").run([MT]) == ["[other] Good evening."]
    (call,) = there.calls(CHAT)
    assert (call.fields["temperature"], call.key) == (0, None)
    assert len(MT.text) < call.fields["max_tokens"] < 1000  # a loop ends, at some cost
    system, user = call.fields["messages"]
    assert user == {"role": "user", "content": "Good evening."}
    assert "from English (en) to Brazilian Portuguese (pt-BR)" in system["content"]


def test_libretranslate_is_asked_in_its_own_codes(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    mt = provider_of("mt", "libretranslate", api_key=KEY)
    mt.load()
    assert mt.run([MT]) == ["[pb] Good evening."]
    (call,) = there.calls("/translate")
    assert call.fields == {
        "q": "Good evening.",
        "source": "en",
        "target": "pb",
        "format": "text",
        "api_key": KEY,
    }


def test_a_voice_is_asked_for_by_its_name(there: Elsewhere, provider_of: ProviderOf) -> None:
    (speech,) = provider_of("tts").run([TTS])
    assert (speech.rate_hz, len(speech.samples)) == (24_000, pytest.approx(12_000, abs=500))
    (call,) = there.calls(SPEECH)
    assert call.fields == {
        "model": "tts-1",
        "input": "Boa noite.",
        "voice": "nova",
        "response_format": "wav",
    }


def test_what_replies_cost_is_counted_in_the_settings_currency(provider_of: ProviderOf) -> None:
    asr = provider_of("asr", price_per_minute=0.6)
    mt = provider_of("mt", price_per_1000_characters=10.0)
    tts = provider_of("tts", price_per_minute=60.0, price_per_1000_characters=100.0)
    asr.run([ASR])
    mt.run([MT])
    assert mt.capabilities.priced  # so nothing is asked for that could be spared
    tts.run([TTS])
    cost = "dubcast_sts_provider_cost_total"
    assert counted(asr, cost) == {("asr", "openai"): pytest.approx(0.01)}
    assert counted(mt, cost) == {("mt", "openai"): pytest.approx(0.13)}
    assert counted(tts, cost) == {("tts", "openai"): pytest.approx(0.5 + 1.0)}


# ---- what is offered, and what is refused at the start -------------------------------------


def test_what_is_offered_follows_from_the_settings_without_a_call() -> None:
    offer = build.offered(settings("http://127.0.0.1:9"))
    assert offer.pairs == (("en", "pt-BR"), ("pt-BR", "en"))
    assert [(voice.name, voice.language) for voice in offer.voices] == [
        ("nova", "pt-BR"),
        ("nova", "en-US"),
    ]
    assert build.needed_models(settings("http://127.0.0.1:9")) == set()
    all_known = build.offered(settings("http://127.0.0.1:9", mt={"languages": []}))
    assert ("de", "pt-BR") in all_known.pairs


@pytest.mark.parametrize(
    ("stage", "translator", "changes", "why"),
    [
        ("asr", "openai", {"url": None}, r"sts_server\.remote\.asr\.url is not set"),
        ("mt", "openai", {"languages": ["xx"]}, "'xx' is not known; there are: .*pt-BR"),
        ("mt", "libretranslate", {"languages": []}, r"remote\.mt\.languages is empty"),
        ("tts", "openai", {"voices": []}, r"remote\.tts\.voices is empty"),
        (
            *("tts", "openai"),
            {"voices": [{"name": "a", "languages": ["xx"]}]},
            "the language 'xx' is not known",
        ),
    ],
)
def test_settings_that_say_too_little_are_refused(
    stage: str, translator: str, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        build.elsewhere(settings("http://127.0.0.1:9", translator, **{stage: changes}))


def test_a_model_that_is_not_there_is_named_with_those_that_are(provider_of: ProviderOf) -> None:
    with pytest.raises(ConfigError, match=r"remote\.asr\.model = 'wisper'.* has: gpt-4o-mini, "):
        provider_of("asr", model="wisper").load()


def test_a_service_that_lists_no_models_is_believed(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    there.models = None
    with capture_logs() as lines:
        provider_of("tts", model="kokoro").load()
    assert [(one["event"], one["asked_for"]) for one in lines] == [("lists_no_models", "kokoro")]


def test_a_language_that_libretranslate_lacks_is_named(provider_of: ProviderOf) -> None:
    with pytest.raises(ConfigError, match="the server has no de; it has: en, es, pb"):
        provider_of("mt", "libretranslate", languages=["en", "de"]).load()


def test_codes_of_languages() -> None:
    assert codes(["en", "pt-BR"], ["en", "pt"]) == {"en": "en", "pt-BR": "pt"}
    assert codes(["pt-BR"], ["pt", "pt-br", "pb"]) == {"pt-BR": "pt-br"}


@pytest.mark.parametrize(
    ("reply", "kind", "why"),
    [
        (
            refused(401, "no"),
            ConfigError,
            r"a key, and sts_server\.remote\.asr\.api_key is not set",
        ),
        (refused(503, "loading"), NotReachableError, "HTTP 503: loading"),
        (Reply(200, b"<html>"), NotReachableError, "its list of models cannot be read"),
    ],
)
def test_what_a_service_says_at_the_start(
    there: Elsewhere, provider_of: ProviderOf, reply: Reply, kind: type[DubcastError], why: str
) -> None:
    there.faults["/v1/models"] = lambda _: reply
    with pytest.raises(kind, match=why):
        provider_of("asr").load()


def test_an_address_without_its_v1_is_asked_after(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    there.faults["/models"] = lambda _: Reply(200, b"<html>", {"Content-Type": "text/html"})
    missing = r"not JSON\): is the /v1 missing in sts_server\.remote\.asr\.url\?"
    with pytest.raises(NotReachableError, match=missing):
        provider_of("asr", url=there.url).load()


def test_nobody_there_is_waited_for() -> None:
    nobody = build.elsewhere(settings("http://127.0.0.1:9"))["asr"]
    with pytest.raises(NotReachableError, match=r"asr\.openai at http://127\.0\.0\.1:9/v1: "):
        nobody.load()
    nobody.close()


def test_the_doctor_asks_each_and_says_what_is_wrong(there: Elsewhere) -> None:
    there.faults["/v1/models"] = lambda call: refused(503, "loading") if call == 1 else None
    asr, mt, tts = doctor.findings(settings(there.url, tts={"model": "nothing"}))
    assert (asr.ok, asr.name, asr.detail) == (True, "asr elsewhere", "whisper-1")
    assert (mt.ok, mt.needed) == (False, True)
    assert mt.detail == f"mt.openai at {there.url}/v1: HTTP 503: loading"
    assert "sts_server.remote.tts.model = 'nothing'" in tts.detail
    assert doctor.findings(Settings()) == []
    (wrong,) = doctor.findings(settings(there.url, tts={"voices": []}))
    assert (wrong.ok, "voices is empty" in wrong.detail) == (False, True)


def test_voices_of_one_name_stay_apart_beside_others() -> None:
    own = TtsCapabilities("own", voices=(TTS.voice, replace(TTS.voice, language="en-US")))
    other = TtsCapabilities(
        "other", voices=(replace(TTS.voice, engine="x"), Voice("b", "de", "male"))
    )
    assert joined([own, other]).voices == (*own.voices, other.voices[1])


# ---- faults --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code", "retryable", "why"),
    [
        (refused(401, f"bad key {KEY}"), "MODEL_ERROR", False, "HTTP 401: it refuses the key in"),
        (refused(429, "slow down"), "OVERLOADED", True, "HTTP 429: too many calls, .*: slow down"),
        (refused(500, "oops \ud800"), "MODEL_ERROR", True, r"HTTP 500: oops \?"),
        (Reply(500, b"[" * 100_000), "MODEL_ERROR", True, "HTTP 500"),
        (refused(500, f"oops {KEY}"), "MODEL_ERROR", True, r"HTTP 500: oops \*\*\*\*"),
        (refused(404, "no model"), "MODEL_ERROR", False, r"no model \(asked for model 'tts-1'\)"),
        (Reply(302), "MODEL_ERROR", False, "HTTP 302"),
        (told({}), "MODEL_ERROR", True, "its speech is neither WAV nor PCM but application/json"),
        (spoken(1, 24_000), None, True, ""),
        (spoken(90, 8_000), "MODEL_ERROR", True, "lasts 90 s, which no fragment has room for"),
        (spoken(1, 2_000), "MODEL_ERROR", True, "its speech has 2000 Hz and 1 channels"),
        (
            Reply(200, spoken(1, 24_000).body[:999], {"Content-Type": "audio/wav"}),
            *("MODEL_ERROR", True, "its WAV ends after 955 of 48000 bytes"),
        ),
        (Reply(200, bytes(4000), cut_after=100), "MODEL_ERROR", True, "peer closed|incomplete"),
    ],
)
def test_each_fault_has_its_word(
    there: Elsewhere,
    provider_of: ProviderOf,
    reply: Reply,
    code: str | None,
    retryable: bool,
    why: str,
) -> None:
    there.faults[SPEECH] = lambda _: reply
    tts = provider_of("tts", api_key=KEY, retries=0)
    if code is None:
        assert tts.run([TTS])
        return
    with pytest.raises(StsError, match=why) as caught:
        tts.run([TTS])
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert KEY not in str(caught.value)
    assert counted(tts, "dubcast_sts_provider_cost_total") == {}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(200, b'{"choices": ['), "not JSON"),
        (told([]), "no dict of JSON"),
        (told({"choices": []}), "no message"),
        (chatted("  "), "empty"),
        (chatted("Boa \ud800 noite"), "not JSON"),
        (Reply(200, b"[" * 100_000), "not JSON"),
        (chatted("Boa", "length"), r"did not come to its end \(length\)"),
    ],
)
def test_answers_that_are_no_translation(
    there: Elsewhere, provider_of: ProviderOf, reply: Reply, why: str
) -> None:
    there.faults[CHAT] = lambda _: reply
    with pytest.raises(StsError, match=why):
        provider_of("mt", retries=0).run([MT])


def test_a_call_is_tried_again_if_there_is_time(there: Elsewhere, provider_of: ProviderOf) -> None:
    there.faults[CHAT] = lambda call: refused(500, "oops") if call == 0 else None
    mt = provider_of("mt")
    assert mt.run([MT])
    calls = counted(mt, "dubcast_sts_provider_calls_total")
    assert calls == {("mt", "openai", "http_500"): 1.0, ("mt", "openai", "success"): 1.0}


@pytest.mark.parametrize("left_s", [0.35, 5.0])
def test_it_is_not_tried_again_where_time_or_the_service_forbids(
    there: Elsewhere, provider_of: ProviderOf, left_s: float
) -> None:
    there.faults[CHAT] = lambda _: refused(429, "later", Retry_After="60")
    with pytest.raises(StsError) as caught:
        provider_of("mt", retries=5).run_within([MT], left_s)
    assert caught.value.retry_after_s == 60
    assert len(there.calls(CHAT)) == 1


def test_a_service_that_fails_is_left_alone(there: Elsewhere, provider_of: ProviderOf) -> None:
    there.faults[SPEECH] = lambda _: refused(500, "oops")
    tts = provider_of("tts", retries=0)
    for _ in range(3):
        with pytest.raises(StsError, match="HTTP 500"):
            tts.run([TTS])
    with pytest.raises(StsError, match="left alone for now: it failed several") as caught:
        tts.run([TTS])
    assert caught.value.code == "OVERLOADED"
    assert 1 <= (caught.value.retry_after_s or 0) <= LONGEST_HOLD_S
    assert len(there.calls(SPEECH)) == 3
    states = counted(tts, "dubcast_sts_provider_breaker_state")
    assert states == {("tts", "openai", "open"): 1.0}


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_is_busy_is_left_for_as_long_as_it_asks(
    there: Elsewhere, provider_of: ProviderOf, status: int
) -> None:
    there.faults[SPEECH] = lambda _: refused(status, "later", Retry_After="60")
    tts = provider_of("tts", retries=0)
    with pytest.raises(StsError, match=f"HTTP {status}") as caught:
        tts.run([TTS])
    assert (caught.value.code, caught.value.retry_after_s) == ("OVERLOADED", 60)
    with pytest.raises(StsError, match="left alone for now: it is busy") as caught:
        tts.run([TTS])
    assert caught.value.retry_after_s == pytest.approx(60, abs=1)
    states = counted(tts, "dubcast_sts_provider_breaker_state")
    assert states == {("tts", "openai", "closed"): 1.0}
    left_alone = counted(tts, "dubcast_sts_provider_left_alone_seconds")
    assert left_alone == {("tts", "openai"): pytest.approx(60, abs=1)}
    assert len(there.calls(SPEECH)) == 1


def test_to_be_left_for_ever_is_to_be_left_for_long(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    there.faults[SPEECH] = lambda _: refused(429, "later", Retry_After="9" * 400)
    with pytest.raises(StsError, match="HTTP 429") as caught:
        provider_of("tts", retries=0).run([TTS])
    assert caught.value.retry_after_s == LONGEST_HOLD_S
    assert error_reply(caught.value).headers["Retry-After"] == str(int(LONGEST_HOLD_S))


@pytest.mark.parametrize(
    ("headers", "told_s"),
    [
        ({}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "Fri, 01 Jan 2027 00:01:00 GMT"}, None),
        (
            {
                "Retry-After": "Fri, 01 Jan 2027 00:01:00 GMT",
                "Date": "Fri, 01 Jan 2027 00:00:30 GMT",
            },
            30.0,
        ),
    ],
)
def test_until_when_it_is_to_be_left_is_read_in_either_form(
    headers: dict[str, str], told_s: float | None
) -> None:
    assert retry_after_s(headers) == told_s


def test_to_refuse_without_a_word_of_when_is_a_failure(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    there.faults[SPEECH] = lambda _: refused(429, "the account is empty")
    tts = provider_of("tts", retries=0)
    for _ in range(3):
        with pytest.raises(StsError, match="HTTP 429"):
            tts.run([TTS])
    states = counted(tts, "dubcast_sts_provider_breaker_state")
    assert states == {("tts", "openai", "open"): 1.0}


def test_a_refused_key_opens_the_breaker_at_once(there: Elsewhere, provider_of: ProviderOf) -> None:
    there.faults[HEARD] = lambda _: refused(403, "no")
    asr = provider_of("asr", retries=0)
    key = r"sts_server\.remote\.asr\.api_key"
    no = rf"HTTP 403: it refuses to serve without a key, and {key} is not set: no"
    for why in (no, rf"left alone for now: key_refused \({no}\)"):
        with pytest.raises(StsError, match=why):
            asr.run([ASR])
    assert len(there.calls(HEARD)) == 1


@pytest.mark.parametrize(
    ("status", "why"),
    [(401, r"api_key: of no project"), (403, r"api_key, or what it is to open: of no project")],
)
def test_a_refused_key_is_told_with_the_service_s_words(
    there: Elsewhere, provider_of: ProviderOf, status: int, why: str
) -> None:
    there.faults[HEARD] = lambda _: refused(status, "of no project")
    with pytest.raises(StsError, match=why):
        provider_of("asr", api_key=KEY).run([ASR])


def test_why_it_is_left_alone_stays_known(there: Elsewhere, provider_of: ProviderOf) -> None:
    there.faults[SPEECH] = lambda _: refused(500, f"no disk left, {KEY}")
    tts = provider_of("tts", retries=0, api_key=KEY)
    for _ in range(3):
        with pytest.raises(StsError, match="HTTP 500"):
            tts.run([TTS])
    told = r"left alone for now: it failed several times in a row \(HTTP 500: no disk left, \*+\)"
    with pytest.raises(StsError, match=told):
        tts.run([TTS])


def test_a_service_that_nobody_asks_any_more_is_not_down(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    """The stream that was refused has ended: the time goes by, and nothing calls."""
    there.faults[SPEECH] = lambda _: refused(500, "oops")
    tts: Any = provider_of("tts", retries=0)
    for _ in range(3):
        with pytest.raises(StsError):
            tts.run([TTS])
    remote = tts._remote
    state, left_alone = (
        f"dubcast_sts_provider_{name}" for name in ("breaker_state", "left_alone_seconds")
    )
    assert counted(tts, state) == {("tts", "openai", "open"): 1.0}
    assert 1 < counted(tts, left_alone)["tts", "openai"] <= LONGEST_HOLD_S
    now = remote._breaker._now
    remote._breaker._now = lambda: now() + s_to_ns(LONGEST_HOLD_S)
    remote._metrics.exposition()
    assert counted(tts, state) == {("tts", "openai", "half_open"): 1.0}
    assert counted(tts, left_alone) == {}


def test_figures_of_a_process_end_with_it() -> None:
    """Several processes tell together; one that ended left a provider open, or items waiting."""
    metrics = StsMetrics()
    gauges = [metrics.queue_depth, metrics.provider_breaker, metrics.provider_left_alone]
    assert [one._multiprocess_mode for one in gauges] == ["liveall"] * 3


@pytest.mark.parametrize(
    ("left_s", "timeout_s", "state"), [(0.35, 10.0, "closed"), (10.0, 0.05, "open")]
)
def test_a_fragment_that_came_late_says_nothing_of_the_service(
    there: Elsewhere, provider_of: ProviderOf, left_s: float, timeout_s: float, state: str
) -> None:
    there.faults[SPEECH] = lambda _: Reply(200, wait_s=60)
    tts = provider_of("tts", retries=0, timeout_s=timeout_s)
    for _ in range(3):
        with pytest.raises(StsError, match="no reply within"):
            tts.run_within([TTS], left_s)
    there.released.set()
    found = counted(tts, "dubcast_sts_provider_breaker_state")
    assert found == {("tts", "openai", state): 1.0}


def test_a_text_that_is_refused_says_nothing_of_the_service(
    there: Elsewhere, provider_of: ProviderOf
) -> None:
    there.faults[SPEECH] = lambda call: refused(400, "this voice cannot") if call < 5 else None
    tts = provider_of("tts", retries=0)
    for _ in range(5):
        with pytest.raises(StsError, match="this voice cannot"):
            tts.run([TTS])
    assert tts.run([TTS])


# ---- pure ----------------------------------------------------------------------------------


def test_words_lie_where_their_letters_do() -> None:
    told_words = [Word("its", 0.0, 0.3), Word("20", 0.5, 0.7), Word("past", 0.7, 1.0)]
    assert [one.text for one in timed("It's 20 past!", told_words)] == ["It's", "20", "past!"]
    assert [one.start_s for one in timed("It's 20 past!", told_words)] == [0.0, 0.5, 0.7]
    assert [one.end_s for one in timed("It's 20 past!", told_words)] == [0.3, 0.7, 1.0]


def test_times_of_a_segment_are_shared_by_its_letters() -> None:
    first, second = timed("ab cd", [Word("ab cd", 1.0, 2.0)])
    assert (first.start_s, first.end_s) == (1.0, pytest.approx(1.5))
    assert (second.start_s, second.end_s) == (pytest.approx(1.5), 2.0)


@pytest.mark.parametrize(
    ("text", "told_words"), [("", []), ("a b", []), ("...", [Word("a", 0, 1)])]
)
def test_without_letters_or_times_there_are_no_words(text: str, told_words: list[Word]) -> None:
    assert timed(text, told_words) == ()


def test_words_in_order_whatever_the_spelling() -> None:
    pieces = [Word("twenty", 0.0, 0.5), Word("dollars", 0.5, 1.0)]
    words = timed("$20 please now", pieces)
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[-1] == 1.0


def _json(text: str) -> Got:
    return Got(text.encode())


def test_what_is_no_speech_is_dropped() -> None:
    silent = '{"text": "Thanks.", "segments": [{"text": "Thanks.", "start": 0, "end": 1, '
    silent += '"no_speech_prob": 0.9, "avg_logprob": -1.4}]}'
    assert transcript(_json(silent), words=True) == Transcript("", -1.4, dropped="no_speech_prob")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "not JSON"),
        ('{"text": 1}', "no text"),
        ('{"text": "a", "words": [{"word": "a"}]}', "cannot be read"),
        ('{"text": "a", "segments": ["b"]}', "cannot be read"),
        ('{"text": "a", "words": [{"word": "a", "start": NaN, "end": 1}]}', "from nan to 1.0"),
    ],
)
def test_transcripts_that_cannot_be_read(body: str, why: str) -> None:
    with pytest.raises(BadReply, match=why):
        transcript(_json(body), words=True)


def test_times_before_the_sound_are_its_beginning() -> None:
    said = transcript(
        _json('{"text": "a", "words": [{"word": "a", "start": -1, "end": -0.5}]}'), words=True
    )
    assert said.words == (Word("a", 0.0, 0.0),)


def test_quotation_marks_around_all_of_it_are_dropped() -> None:
    got = Got(chatted('"Boa noite."').body)
    assert translation(got, "Good evening.") == "Boa noite."
    assert translation(got, '"Good evening."') == '"Boa noite."'


def test_wav_there_and_back() -> None:
    speech = speech_of(to_wav(SOUND, 22_050), "audio/wav")
    assert speech.rate_hz == 22_050
    np.testing.assert_allclose(speech.samples, SOUND, atol=1e-4)


def test_a_wav_that_was_streamed_goes_to_the_end_of_the_body() -> None:
    body = bytearray(to_wav(SOUND, 24_000))
    body[40:44] = struct.pack("<I", 0xFFFFFFFF)
    assert len(speech_of(bytes(body), "").samples) == len(SOUND)


def test_bare_pcm_is_taken_at_the_rate_that_it_says() -> None:
    assert speech_of(bytes(480), "audio/pcm").rate_hz == 24_000
    assert speech_of(bytes(480), "audio/L16; rate=16000; channels=1").rate_hz == 16_000


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b"", "audio/pcm", "no whole samples"),
        (bytes(3), "audio/pcm", "no whole samples"),
        (b"ID3...", "audio/mpeg", "neither WAV nor PCM but audio/mpeg"),
        (b"RIFF....WAVE", "", "holds no samples"),
        (b"RIFF....WAVEfmt " + struct.pack("<I", 4) + bytes(4), "", "no whole header"),
    ],
)
def test_what_is_no_speech_of_a_form_that_is_known(body: bytes, kind: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        speech_of(body, kind)

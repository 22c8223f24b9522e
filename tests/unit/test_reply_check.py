"""Which replies can be a dub of the fragment that was sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.contract.sts import FragmentConfig, PcmAudio, StsRequest
from dubcast.errors import StsError
from dubcast.testing.sts_server import success, tone
from dubcast.worker.reply_check import checked, longest_body


def request(seconds: float, slot_ms: int | None = None, policy: str = "fit") -> StsRequest:
    return StsRequest(
        fragment_id="run-1",
        stream_id="demo",
        sequence_number=1,
        audio=PcmAudio.from_pcm(bytes(2 * round(seconds * RATE)), RATE, 1),
        config=FragmentConfig.model_validate({"duration_policy": policy, "slot_ms": slot_ms}),
    )


def accepted(
    asked: StsRequest, seconds: float, text: str = "sim", pcm: bytes | None = None, **changes: Any
) -> bool:
    """Whether a dub of `seconds` saying `text` passes."""
    told = asked.model_dump(mode="json")
    pcm = tone(seconds, RATE) if pcm is None else pcm
    try:
        _, voice = checked(success(told, pcm, translated_text=text, **changes).body, asked)
    except StsError as error:
        assert error.code == "INVALID_REPLY"
        assert not error.retryable
        return False
    return voice is not None and voice.dtype == np.float32


def test_natural_lengths_pass() -> None:
    assert accepted(request(3.0), 3.0)
    assert accepted(request(3.0), 0.45, "sim")
    assert accepted(request(8.0), 0.45, "sim")
    assert accepted(request(1.0, slot_ms=1200), 3.5)
    assert accepted(request(0.2), 2.9)


@pytest.mark.parametrize("seconds", [1.0, 2.0, 4.0])
def test_a_tenth_or_ten_times_what_was_asked_does_not(seconds: float) -> None:
    assert not accepted(request(seconds), seconds / 10)
    assert not accepted(request(seconds), seconds * 10 if seconds < 3 else 29.0)


def test_a_language_has_a_name_that_can_be_told_with_the_next_fragment() -> None:
    assert accepted(request(3.0), 2.0, detected_language="x" * 35)
    assert not accepted(request(3.0), 2.0, detected_language="x" * 36)


def test_more_text_than_can_be_said_in_the_time_was_cut_off() -> None:
    assert accepted(request(3.0), 2.0, "a" * 60)
    assert not accepted(request(3.0), 2.0, "a" * 101)


def test_to_match_means_about_as_long() -> None:
    assert accepted(request(2.0, policy="match"), 2.0)
    assert not accepted(request(2.0, policy="match"), 0.9)
    assert accepted(request(2.0), 0.9)


@pytest.mark.parametrize(
    ("level", "good"), [(0.3, True), (0.01, True), (0.001, False), (0.0, False)]
)
def test_silence_is_no_speech(level: float, good: bool) -> None:
    assert accepted(request(1.0), 1.0, pcm=tone(1.0, RATE, level=level)) == good


def test_a_direct_current_is_silence() -> None:
    pcm = np.full(RATE, 9000, "<i2").tobytes()
    assert not accepted(request(1.0), 1.0, pcm=pcm)


def test_a_few_clipped_samples_pass_and_many_do_not() -> None:
    wave = np.frombuffer(tone(1.0, RATE), "<i2").copy()
    wave[:4000] = 32767
    assert accepted(request(1.0), 1.0, pcm=wave.tobytes())
    wave[:6000] = -32768
    assert not accepted(request(1.0), 1.0, pcm=wave.tobytes())


@pytest.mark.parametrize("field", ["tempo", "processing_time_ms"])
def test_figures_are_finite(field: str) -> None:
    assert not accepted(request(1.0), 1.0, **{field: float("inf")})
    assert not accepted(request(1.0), 1.0, stages_ms={"tts": float("nan")})
    assert accepted(request(1.0), 1.0, stages_ms={"tts": 3})


def test_the_longest_reply_that_passes_can_be_read_whole() -> None:
    asked = request(1.0, slot_ms=4000)
    stereo = np.repeat(np.frombuffer(tone(12.0, RATE), "<i2"), 2).tobytes()
    audio = {"channels": 2, "duration_ms": 12_000}
    body = success(asked.model_dump(mode="json"), stereo, audio=audio).body
    assert checked(body, asked)[1] is not None
    assert len(body) < longest_body(asked) < 1.1 * len(body)


def test_what_is_left_alone_has_no_voice() -> None:
    asked = request(1.0)
    told = asked.model_dump(mode="json")
    bare = {"status": "no_speech", "dubbed_audio": None, "left_alone": "target_language"}
    response, voice = checked(success(told, **bare).body, asked)
    assert (response.left_alone, voice) == ("target_language", None)
    assert not accepted(asked, 1.0, left_alone="target_language")

"""Every setting of a stream changes something: none is accepted and ignored."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from worker_fakes import dub_reply, work

from dubcast.audio.pcm import RATE, Float
from dubcast.clock import NS_PER_S
from dubcast.config import Section, StreamSettings, StsClientSettings
from dubcast.contract.worker import Outcome
from dubcast.testing.sts_server import ScriptedSts, success
from dubcast.worker.core import WorkerCore
from dubcast.worker.spec import separation_settings
from dubcast.worker.sts_client import StsClient

CHUNK = 1024
# (from, to, level): a short word, a pause of 0.45 s, soft speech, running speech, a long pause.
PROGRAMME = (
    *((1.0, 2.0, 0.9), (2.45, 4.0, 0.9), (4.6, 5.6, 0.4), (6.2, 15.0, 0.9), (16.5, 17.5, 0.9)),
)

CHANGES: dict[str, Any] = {
    "delay_s": 6.0,
    "bg_gain": 0.5,
    "dub_gain": 0.5,
    "duck_db": 40.0,
    "match_loudness": False,
    "crossfade_ms": 10,
    "true_peak_dbtp": -9.0,
    "target_lufs": -30.0,
    "ducking.enabled": False,
    "max_shift_s": 0.1,
    "duration_policy": "match",
    "fragments.mode": "fixed",
    "fragments.min_s": 2.5,
    "fragments.max_s": 2.0,
    "fragments.pause_ms": 700,
    "fragments.vad_threshold": 0.3,
}
FIXED_CHANGES = {"fragments.chunk_s": 1.5, "fragments.overlap_ms": 100}
# Of a stream whose every second fragment is not dubbed: what it changes, beside what.
FALLBACK_CHANGES: dict[str, tuple[dict[str, Any], Any]] = {
    "fallback": ({}, "silence"),
    "fallback_order": ({"fallback": "background"}, ("silence",)),
    "fallback_duck_db": ({"fallback": "ducked"}, 30.0),
    "separation.on_failure": ({}, "skip"),
}
ROOM = 0.02  # what sounds between the words
DUCKING_CHANGES = {
    "ducking.attack_ms": 100,
    "ducking.release_ms": 60,
    "ducking.depth_db": 20.0,
    "ducking.threshold_db": 0.0,
}
SEPARATION = {"separation.separator": "nsnet2", "separation.nice": 9}
SENT = {
    "source_language": "pt-BR",
    "target_language": "en",
    "voice": "pm_alex",
    "max_tempo": 1.1,
    "duration_policy": "match",
}


class LevelVad:
    """The probability of speech is the window's level."""

    def probability(self, window: Float) -> float:
        return float(np.abs(window).max())

    def reset(self) -> None:
        pass


def policy(base: dict[str, Any], **changes: Any) -> StreamSettings:
    tree: dict[str, Any] = {}
    for key, value in {**base, **changes}.items():
        section, _, name = key.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[name] = value
    return StreamSettings.model_validate(tree)


def played(settings: StreamSettings, *, failing: bool = False) -> str:
    """A digest of all that leaves and when, each fragment being dubbed a little too long.

    `failing`: every second fragment fails. No background ever comes.
    """
    core = WorkerCore(settings, "run", LevelVad(), 0)
    core.connect(audio_only=True)
    digest = hashlib.sha256()
    for number in range(26 * RATE // CHUNK):
        now = number * CHUNK * NS_PER_S // RATE
        at = number * CHUNK / RATE
        level = next((v for a, b, v in PROGRAMME if a <= at < b), ROOM) if at < 18 else 0.0
        wave = np.sign(np.arange(CHUNK) % 48 - 23.5) * round(level * 32767)
        pcm = np.stack([wave, wave], axis=1).astype(np.int16).tobytes()
        for fragment in core.audio(now, pcm, now):
            assert core.send(fragment) is not None
            if failing and fragment.sequence % 2:
                core.failed(fragment, Outcome.FAILED, "scripted")
                continue
            length = fragment.span.slot_stop - fragment.span.start + RATE // 2
            voice = 0.3 * np.sign(np.sin(np.arange(length) / 9)) * (np.arange(length) % RATE > 9000)
            core.replied(fragment, dub_reply(voice.astype(np.float32)), now)
        batch, _ = core.poll(now)
        for block in batch.audio:
            digest.update(f"{now} {block.start} ".encode() + block.samples.tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def normal() -> str:
    return played(policy({}))


@pytest.mark.parametrize("key", CHANGES)
def test_it_changes_what_is_heard(key: str, normal: str) -> None:
    assert played(policy({}, **{key: CHANGES[key]})) != normal


@pytest.mark.parametrize("key", FIXED_CHANGES)
def test_it_changes_what_is_heard_in_fixed_mode(key: str) -> None:
    fixed = {"fragments.mode": "fixed"}
    assert played(policy(fixed, **{key: FIXED_CHANGES[key]})) != played(policy(fixed))


@pytest.mark.parametrize("key", FALLBACK_CHANGES)
def test_it_changes_what_is_heard_in_place_of_a_dub(key: str) -> None:
    base, value = FALLBACK_CHANGES[key]
    changed = played(policy(base, **{key: value}), failing=True)
    assert changed != played(policy(base), failing=True)


@pytest.mark.parametrize("key", DUCKING_CHANGES)
def test_it_changes_what_is_heard_while_the_bed_is_ducked(key: str) -> None:
    assert played(policy({}, **{key: DUCKING_CHANGES[key]})) != played(policy({}))


@pytest.mark.parametrize("key", SEPARATION)
def test_it_reaches_the_separation(key: str) -> None:
    chosen = separation_settings(policy({}, **{key: SEPARATION[key]}), None)
    assert chosen != separation_settings(policy({}), None)


def test_separation_can_be_off() -> None:
    assert separation_settings(policy({}, **{"separation.separator": "off"}), None) is None


@pytest.mark.parametrize("key", SENT)
async def test_it_reaches_the_speech_service(key: str) -> None:
    configs = []
    for settings in (policy({}), policy({}, **{key: SENT[key]})):
        with ScriptedSts(lambda request, call: success(request)) as sts:
            client = StsClient(StsClientSettings(url=sts.url), "demo", settings, lambda: 0)
            await client.dub(work(5 * NS_PER_S))
            await client.close()
        configs.append(sts.requests[0]["config"])
    assert configs[0] != configs[1]


def test_no_setting_of_a_stream_is_left_out() -> None:
    def keys(section: type[Section], prefix: str = "") -> set[str]:
        found = set()
        for name, field in section.model_fields.items():
            inner = field.annotation
            deeper = isinstance(inner, type) and issubclass(inner, Section)
            found |= keys(inner, f"{name}.") if deeper else {prefix + name}  # type: ignore[arg-type]
        return found

    assert keys(StreamSettings) == {
        *(*CHANGES, *FIXED_CHANGES, *FALLBACK_CHANGES, *DUCKING_CHANGES, *SENT, *SEPARATION)
    }

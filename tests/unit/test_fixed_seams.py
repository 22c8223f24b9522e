"""Fixed chunks overlap: what is said at their seams is said once, from the cut to the wire."""

from __future__ import annotations

import base64
import itertools
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.clock import NS_PER_S
from dubcast.config import FragmentSettings, StreamSettings, StsClientSettings
from dubcast.contract.sts import DurationPolicy
from dubcast.contract.worker import Outcome
from dubcast.sts.providers.interface import Transcript, Word
from dubcast.sts.understanding import without_repeated
from dubcast.testing.sts_server import Reply, ScriptedSts, success
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment_length import FragmentLengthLimit
from dubcast.worker.sts_client import StsClient
from worker_fakes import dub_reply

CHUNK = 960
TEXT = (
    "alpha bravo cargo delta eagle forest garden hotel island jungle kitten lemon market north "
    "oven pepper queen river summer tango uncle valley winter xenon yellow zebra"
)
WORDS = TEXT.split()
WORD, PAUSE = round(0.33 * RATE), round(0.04 * RATE)
LEVEL, STEP = 6000, 500  # word i is a square wave of LEVEL + i * STEP
SHORTEST = RATE // 50  # less of a word than this is not heard
SILENCE = Transcript("")
POLICY = StreamSettings.model_validate({"delay_s": 8, "fragments": {"mode": "fixed"}})


class LevelVad:
    def probability(self, window: Float) -> float:
        return 0.9 if float(np.abs(window).max()) > 0.1 else 0.0

    def reset(self) -> None:
        pass


def speech() -> Int16:
    """All words one after the other, a second of silence around them; mono."""
    parts = [np.zeros(RATE)]
    for number in range(len(WORDS)):
        index = np.arange(WORD)
        parts += [np.where(index % 96 < 48, 1, -1) * (LEVEL + number * STEP), np.zeros(PAUSE)]
    return np.concatenate([*parts, np.zeros(3 * RATE)]).astype(np.int16)


def hear(pcm: bytes) -> Transcript:
    """What an ear hears that knows its words by their level, whole or in part, and when."""
    level = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
    changes = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
    words = []
    for first, stop in itertools.pairwise(changes):
        if level[first] >= LEVEL and stop - first >= SHORTEST:
            text = WORDS[round((level[first] - LEVEL) / STEP)]
            words.append(Word(text, first / RATE, stop / RATE))
    return Transcript(" ".join(word.text for word in words), words=tuple(words))


def service(said: list[str]) -> Any:
    """A service that says what it hears, as the real one does at a seam; `said` gathers it."""

    def script(request: dict[str, Any], call: int) -> Reply:
        heard = hear(base64.b64decode(request["audio"]["data_base64"]))
        overlap_s = request["config"].get("overlap_ms", 0) / 1000
        heard = without_repeated(heard, request["context"]["source_text"], overlap_s)
        said.extend(heard.text.split())
        return success(request, transcript=heard.text, translated_text=heard.text)

    return script


class Dubber:
    """A core in virtual time, whose chunks are dubbed by a service on the wire."""

    def __init__(self, url: str) -> None:
        self.now = 0
        self.core = WorkerCore(POLICY, "run", LevelVad(), 0)
        settings = StsClientSettings(url=url)
        self.client = StsClient(settings, "demo", POLICY, lambda: self.now)
        self.overlaps_ms: list[int] = []

    async def play(self, sound: Int16, *, told: bool, failing: int = -1) -> None:
        """`told`: the service is told of the overlap; the chunk number `failing` fails."""
        for at in range(0, len(sound) - CHUNK + 1, CHUNK):
            self.now = at * NS_PER_S // RATE
            pcm = np.repeat(sound[at : at + CHUNK], 2).tobytes()
            for fragment in self.core.audio(self.now, pcm, self.now):
                work = self.core.dubs.send(fragment)
                assert work is not None
                if fragment.sequence == failing:
                    self.core.dubs.failed(fragment, Outcome.FAILED, "scripted")
                    continue
                work = work if told else replace(work, overlap_ms=0)
                self.overlaps_ms.append(work.overlap_ms)
                reply = await self.client.dub(work)
                assert reply.voice is not None
                self.core.dubs.replied(fragment, reply, self.now)
        await self.client.close()


async def spoken(*, told: bool, failing: int = -1) -> tuple[list[str], list[int]]:
    """The words that the dubs say, and what the service was told of each overlap."""
    said: list[str] = []
    with ScriptedSts(service(said)) as sts:
        dubber = Dubber(sts.url)
        await dubber.play(speech(), told=told, failing=failing)
    return said, dubber.overlaps_ms


async def test_a_word_at_a_seam_is_said_twice_without_the_overlap_and_once_with_it() -> None:
    twice, _ = await spoken(told=False)
    assert len(twice) >= len(WORDS) + 3
    once, overlaps_ms = await spoken(told=True)
    assert once == WORDS
    assert overlaps_ms == [0, *[POLICY.fragments.overlap_ms] * (len(overlaps_ms) - 1)]


@pytest.mark.parametrize(
    ("mode", "duration_policy", "is_seam"),
    [("fixed", "fit", True), ("speech", "fit", True), ("speech", "match", False)],
)
async def test_only_a_chunk_whose_seam_is_pending_waits_and_leaves_time_for_itself(
    mode: Literal["fixed", "speech"], duration_policy: DurationPolicy, is_seam: bool
) -> None:
    """A seam is an overlap, or a cut in running speech of which each clause is due by itself."""
    fragmented = FragmentSettings(mode=mode, max_s=2.0)
    changed = {"fragments": fragmented, "duration_policy": duration_policy}
    policy = POLICY.model_copy(update=changed)
    core = WorkerCore(policy, "run", LevelVad(), 0)
    sound, fragments, patience_s = speech(), [], []
    for at in range(0, len(sound) - CHUNK + 1, CHUNK):
        now = at * NS_PER_S // RATE
        pcm = np.repeat(sound[at : at + CHUNK], 2).tobytes()
        for fragment in core.audio(now, pcm, now):
            patience_s.append(core.dubs.patience_s(fragment, now))
            work = core.dubs.send(fragment)
            assert work is not None
            expected_s = FragmentLengthLimit(8).round_trip_s(2.0)
            left_s = (work.deadline_ns - now) / NS_PER_S
            assert patience_s[-1] < left_s - expected_s
            fragments.append(fragment)
            if len(fragments) == 3:
                core.dubs.replied(fragment, dub_reply(np.ones(2 * RATE, np.float32)), now)
    # The first has none before it, the fourth knows all that it needs.
    waiting = [patience > 0 for patience in patience_s[:5]]
    assert waiting == ([False, True, True, False, True] if is_seam else [False] * 5)


@pytest.mark.parametrize("failing", [1, 3])
async def test_after_a_chunk_that_failed_nothing_is_left_out(failing: int) -> None:
    """Its dub did not say them, so they are not said twice."""
    _, overlaps_ms = await spoken(told=True, failing=failing)
    assert [n for n, overlap in enumerate(overlaps_ms) if not overlap] == [0, failing]

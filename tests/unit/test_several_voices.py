"""Several providers of voices as one keep what each can do at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dubcast.sts.providers.interface import Speech, TtsCapabilities, TtsProvider, TtsTask, Voice
from dubcast.sts.several_voices import SeveralVoices, joined

ANNA, OTTO = Voice("anna", "de", "female"), Voice("otto", "de", "male")


class Speaker(TtsProvider):
    """Speaks as many samples as the text has characters, at a rate of its own."""

    def __init__(self, voice: Voice, rate_hz: int, **able: int) -> None:
        self.capabilities = TtsCapabilities(voice.name, voices=(voice,), **able)  # type: ignore[arg-type]
        self.rate_hz = rate_hz
        self.calls: list[list[str]] = []
        self.left_s: list[float] = []

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        self.calls.append([task.text for task in batch])
        return [Speech(np.zeros(len(task.text), np.float32), self.rate_hz) for task in batch]

    def run_within(self, batch: Sequence[TtsTask], left_s: float) -> list[Speech]:
        self.left_s.append(left_s)
        return self.run(batch)


def told(speech: Sequence[Speech]) -> list[tuple[int, int]]:
    return [(len(one.samples), one.rate_hz) for one in speech]


def test_each_has_its_share_of_a_batch_in_as_large_calls_as_it_takes() -> None:
    anna, otto = Speaker(ANNA, 1000, batch_max=3), Speaker(OTTO, 2000)
    several = SeveralVoices([anna, otto])
    assert several.capabilities.batch_max == 3
    texts = [(ANNA, "a"), (OTTO, "bb"), (ANNA, "ccc"), (ANNA, "d"), (OTTO, "e"), (ANNA, "ff")]
    batch = [TtsTask(text, voice) for voice, text in texts]
    expected = [(1, 1000), (2, 2000), (3, 1000), (1, 1000), (1, 2000), (2, 1000)]
    assert told(several.run(batch)) == expected
    assert anna.calls == [["a", "ccc", "d"], ["ff"]]
    assert otto.calls == [["bb"], ["e"]]


def test_the_time_that_is_left_is_told_to_each_call() -> None:
    anna, otto = Speaker(ANNA, 1000), Speaker(OTTO, 1000)
    SeveralVoices([anna, otto]).run_within([TtsTask("a", ANNA), TtsTask("b", OTTO)], 60.0)
    assert [*anna.left_s, *otto.left_s] == pytest.approx([60.0, 60.0], abs=30)


def test_what_one_can_do_at_a_time_is_not_lost_beside_another() -> None:
    safe = TtsCapabilities("elsewhere", thread_safe=True, at_once=8)
    batches = TtsCapabilities("gpu", batch_max=16)
    both = joined([safe, batches])
    assert (both.batch_max, both.thread_safe, both.at_once) == (16, True, 8)
    alone = joined([batches, TtsCapabilities("cpu")])
    assert (alone.batch_max, alone.thread_safe, alone.at_once) == (16, False, 1)


def test_what_is_loaded_in_its_place_does_what_it_can() -> None:
    class OnTheCpu(Speaker):
        def load(self) -> None:
            self.capabilities = TtsCapabilities("cpu", voices=(ANNA,))

    several = SeveralVoices([OnTheCpu(ANNA, 1000, batch_max=16), Speaker(OTTO, 1000)])
    several.load()
    assert several.capabilities.batch_max == 1


def test_the_one_that_is_safe_is_run_while_the_other_is_busy() -> None:
    begun, go_on = threading.Event(), threading.Event()
    inside: list[str] = []

    class Slow(Speaker):
        def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
            inside.append(batch[0].text)
            begun.set()
            assert go_on.wait(20)
            return super().run(batch)

    several = SeveralVoices([Slow(ANNA, 1000), Speaker(OTTO, 1000, thread_safe=True)])
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(several.run, [TtsTask("a", ANNA)])
        assert begun.wait(20)
        second = threads.submit(several.run, [TtsTask("b", ANNA)])
        assert told(several.run([TtsTask("c", OTTO)])) == [(1, 1000)]
        assert inside == ["a"]
        go_on.set()
        assert [told(one.result()) for one in (first, second)] == [[(1, 1000)]] * 2
    assert inside == ["a", "b"]

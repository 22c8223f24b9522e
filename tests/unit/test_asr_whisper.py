"""The recognizer is asked which language it hears, once, on what it has encoded anyhow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dubcast.contract.sts import LeftAlone
from dubcast.sts.providers.asr_whisper import WhisperAsr
from dubcast.sts.providers.interface import ASR_RATE, Around, AsrTask, Transcript
from dubcast.sts.providers.registry import Device
from dubcast.sts.which_language import Answer, Question

ENGLISH, PORTUGUESE = {"en": 0.9, "pt": 0.1}, {"en": 0.1, "pt": 0.9}


class Model:
    """In place of Whisper: what it is asked, and what it was made to say."""

    n_mels = 80

    def __init__(self, likely: Sequence[dict[str, float]], score: float = -0.1) -> None:
        self.likely = likely
        self.score = score
        self.encoded: list[int] = []  # seconds
        self.asked = 0
        self.prompts: list[str] = []
        self.beams: list[int] = []

    def encode(self, mels: np.ndarray) -> np.ndarray:
        self.encoded.append(mels.shape[2] // 100)
        return mels

    def detect_language(self, encoded: np.ndarray) -> list[list[tuple[str, float]]]:
        self.asked += 1
        return [[(f"<|{code}|>", p) for code, p in one.items()] for one in self.likely]

    def generate(self, encoded: np.ndarray, prompts: list[list[str]], **how: Any) -> list[Any]:
        self.prompts += [prompt[1] for prompt in prompts]
        self.beams.append(how["beam_size"])
        said = SimpleNamespace(sequences_ids=[[1, 2]], scores=[self.score], no_speech_prob=0.0)
        return [said] * len(prompts)


def _recognizer(model: Model) -> WhisperAsr:
    asr = WhisperAsr(Path(), "whisper", "cpu", 1)
    asr._model = model
    asr._ct2 = SimpleNamespace(StorageView=SimpleNamespace(from_array=lambda mels: mels))
    asr._tokenizer = SimpleNamespace(decode=lambda ids, skip_special_tokens: "good evening")
    return asr


def _task(question: Question | None, language: str = "en") -> AsrTask:
    return AsrTask(np.zeros(2 * ASR_RATE, np.float32), language, question=question)


NAMED = Question(("en",), "pt-BR", 2.0)
AUTO = Question(("en", "pt-BR"), "es", 2.0, named=False)


def test_what_is_to_be_dubbed_is_encoded_once_and_decoded() -> None:
    model = Model([ENGLISH])
    (said,) = _recognizer(model).run([_task(NAMED)])
    assert (said.text, said.answer) == ("good evening", Answer("en", 0.9))
    assert (model.encoded, model.asked, model.prompts) == ([10], 1, ["<|en|>"])


def test_what_is_left_alone_is_not_decoded() -> None:
    model = Model([PORTUGUESE])
    (said,) = _recognizer(model).run([_task(NAMED)])
    assert (said.text, said.words) == ("", ())
    assert said.answer == Answer("pt-BR", 0.9, LeftAlone.TARGET_LANGUAGE)
    assert model.prompts == []


def test_whatever_is_spoken_is_decoded_as_what_was_heard() -> None:
    model = Model([PORTUGUESE])
    (said,) = _recognizer(model).run([_task(AUTO)])
    assert (said.text, model.prompts) == ("good evening", ["<|pt|>"])


def test_nobody_is_asked_where_nothing_is_to_be_decided() -> None:
    model = Model([])
    (said,) = _recognizer(model).run([_task(None, "pt-BR")])
    assert (said.text, said.answer) == ("good evening", None)
    assert (model.asked, model.prompts) == (0, ["<|pt|>"])


def test_each_of_a_batch_has_its_own_answer() -> None:
    model = Model([PORTUGUESE, ENGLISH, PORTUGUESE])
    tasks = [_task(NAMED), _task(NAMED), _task(AUTO)]
    said = _recognizer(model).run(tasks)
    assert [bool(one.text) for one in said] == [False, True, True]
    assert [one.answer and one.answer.language for one in said] == ["pt-BR", "en", "pt-BR"]
    assert (len(model.encoded), model.asked) == (1, 1)


@pytest.mark.parametrize("question", [NAMED, AUTO])
def test_what_is_decoded_again_is_not_asked_again(question: Question) -> None:
    model = Model([ENGLISH], score=-2.0)
    (said,) = _recognizer(model).run([_task(question)])
    assert said.dropped == "logprob"
    assert (model.encoded, model.asked, model.prompts) == ([10, 30], 1, ["<|en|>"] * 2)
    assert said.answer == Answer("en", 0.9)


def test_the_search_is_as_wide_as_is_asked() -> None:
    model = Model([ENGLISH])
    _recognizer(model).run([_task(None), replace(_task(None), beam=5)])
    _recognizer(model).run([_task(None)])
    assert model.beams == [5, 1]


class PassingOver(Model):
    """Takes these tokens for what was said, time by time; the first word lasts until the others."""

    def __init__(self, *said: list[int]) -> None:
        super().__init__([ENGLISH])
        self.said = iter(said)
        self.frames: list[int] = []

    def generate(self, encoded: np.ndarray, prompts: list[list[str]], **how: Any) -> list[Any]:
        said = super().generate(encoded, prompts, **how)
        said[0].sequences_ids = [next(self.said)]
        return said

    def align(
        self, encoded: np.ndarray, prompt: list[str], texts: list[list[int]], frames: list[int]
    ) -> list[Any]:
        self.frames += frames
        count = len(texts[0])
        ends = [(n, frames[0] // 2 - 33 * (count - n)) for n in range(1, count + 1)]
        return [SimpleNamespace(alignments=[(0, 0), *ends])]


ALL, FEW = [1, 2, 3, 4, 5, 6], [5, 6]


def _heard(model: Model, beam: int = 5) -> Transcript:
    task = AsrTask(np.zeros(4 * ASR_RATE, np.float32), "en", words=True, question=NAMED, beam=beam)
    (said,) = _timing_recognizer(model, "cpu").run([task])
    assert said.answer == Answer("en", 0.9)
    return said


@pytest.mark.parametrize("beam", [5, 1])
def test_where_speech_was_passed_over_it_is_decoded_after_a_silence(beam: int) -> None:
    model = PassingOver(FEW, ALL)
    said = _heard(model, beam)
    assert said.text == "w1 w2 w3 w4 w5 w6"
    assert (said.words[0].start_s, said.words[-1].end_s) == (0.0, 4.0)
    assert (model.beams, model.frames, model.asked) == ([beam, 1], [400, 420], 1)


def test_where_no_more_is_heard_then_the_first_decoding_stays() -> None:
    for second in (FEW, [7]):
        model = PassingOver(FEW, second)
        assert _heard(model).text == "w5 w6"
        assert model.beams == [5, 1]


def test_what_was_heard_whole_is_decoded_once() -> None:
    model = PassingOver(ALL)
    _heard(model)
    assert model.beams == [5]


class Timing(Model):
    """Finds each word where its text says; notes what it was asked to align."""

    def __init__(self) -> None:
        super().__init__([])
        self.aligned: list[tuple[str, list[list[int]]]] = []

    def align(
        self, encoded: np.ndarray, prompt: list[str], texts: list[list[int]], frames: list[int]
    ) -> list[Any]:
        self.aligned.append((prompt[1], texts))
        late = 1 if prompt[1] == "<|pt|>" else 0
        starts = [5 * i + late for i in range(len(texts))]
        return [SimpleNamespace(alignments=[(0, start), (1, start + 2)]) for start in starts]


def _timing_recognizer(model: Model, device: Device) -> WhisperAsr:
    asr = _recognizer(model)
    asr._device = device
    asr._first_special = 100
    asr._tokenizer = SimpleNamespace(
        decode=lambda ids, skip_special_tokens=False: " ".join(f"w{i}" for i in ids),
        id_to_token=lambda i: f"Ġw{i}",
        token_to_id=lambda token: token,
    )
    return asr


def test_on_a_gpu_words_of_all_clips_are_timed_together() -> None:
    model = Timing()
    tasks = [replace(_task(None, tag), words=True) for tag in ("en", "pt-BR", "en")]
    said = _timing_recognizer(model, "cuda").run([*tasks, _task(None)])
    assert model.encoded == [10]
    # Each language is asked for once, with a text in every row.
    assert sorted(model.aligned) == [(f"<|{code}|>", [[1, 2]] * 4) for code in ("en", "pt")]
    assert [[word.start_s for word in one.words] for one in said] == [
        *([0.0, 0.04], [0.12, 0.16], [0.2, 0.24], [])
    ]


def test_on_a_cpu_clips_with_words_go_alone() -> None:
    model = Timing()
    said = _timing_recognizer(model, "cpu").run([replace(_task(None), words=True)] * 2)
    assert model.encoded == [10, 10]
    assert [len(one.words) for one in said] == [2, 2]


def test_on_a_gpu_what_is_suspicious_is_decoded_again_together() -> None:
    model = Model([], score=-2.0)
    said = _timing_recognizer(model, "cuda").run([_task(None)] * 3)
    assert model.encoded == [10, 30]
    assert [one.dropped for one in said] == ["logprob"] * 3


BEFORE = Around(before_s=1.0, after_s=0.5, text="w1 w2")


class Running(PassingOver):
    """Says these tokens; each word lasts half a second."""

    def align(
        self, encoded: np.ndarray, prompt: list[str], texts: list[list[int]], frames: list[int]
    ) -> list[Any]:
        self.frames += frames
        return [SimpleNamespace(alignments=[(n, 25 * n) for n in range(len(texts[0]) + 1)])]


def _around(model: Model, around: Around = BEFORE, words: bool = True) -> Transcript:
    """Four seconds of a fragment, and what is around them."""
    seconds = 4 + around.before_s + around.after_s
    samples = np.zeros(round(seconds * ASR_RATE), np.float32)
    task = AsrTask(samples, "en", words=words, question=NAMED, around=around)
    (said,) = _timing_recognizer(model, "cpu").run([task])
    return said


OWN = [3, 4, 5, 6, 7, 8, 9, 10]
SAID = "w3 w4 w5 w6 w7 w8 w9 w10"


@pytest.mark.parametrize("words", [True, False])
def test_a_fragment_is_heard_with_what_lies_around_it_and_tells_its_own_words(words: bool) -> None:
    model = Running([1, 2, *OWN])
    said = _around(model, words=words)
    assert (model.encoded, model.frames) == ([10], [550])
    # Times are those of the fragment, whose sound begins a second later.
    assert [word.start_s for word in said.words] == [0.5 * n for n in range(8)]
    assert (said.text, said.answer) == (SAID, Answer("en", 0.9))


@pytest.mark.parametrize(
    ("misled", "why"),
    [
        ([], "nothing"),
        ([1, 2], "nothing new"),
        ([1, 2, 3], "passed over"),
        ([1, 2, *[3] * 8], "a loop"),
    ],
)
def test_what_its_surroundings_mislead_about_is_heard_alone(misled: list[int], why: str) -> None:
    model = Running(misled, OWN)
    assert _around(model).text == SAID
    assert model.frames[-1] == 400
    assert (model.encoded, model.asked) == ([10, 10], 1)


@pytest.mark.parametrize("own", [OWN[:-1], list(range(3, 31))])
def test_only_what_is_its_own_tells_whether_it_was_understood(own: list[int]) -> None:
    """A last word that lasts until the sound ends, and words as fast as somebody can speak."""
    model = Running([1, 2, *own])
    assert len(_around(model).words) == len(own)
    assert model.encoded == [10]


def test_words_that_the_fragment_before_left_to_this_one_are_said_as_it_begins() -> None:
    model = Running([1, 2, *range(3, 16)])
    said = _around(model, Around(before_s=3.0, after_s=0.5, text="w1 w2"))
    assert [(word.start_s, word.end_s) for word in said.words[:5]] == [
        *[(0.0, 0.0)] * 4,
        (0.0, 0.5),
    ]


def test_what_is_left_alone_is_not_heard_alone() -> None:
    model = Running()
    model.likely = [PORTUGUESE]
    assert _around(model).answer == Answer("pt-BR", 0.9, LeftAlone.TARGET_LANGUAGE)
    assert len(model.encoded) == 1


def test_what_follows_is_heard_too_where_nothing_was_said_before() -> None:
    model = Running(OWN)
    said = _around(model, Around(after_s=1.0))
    assert model.frames == [500]
    assert (said.text, said.words[-1].end_s) == (SAID, 4.0)

"""Speech recognition: Whisper through CTranslate2.

Measured on the base model: audio padded to 10 s instead of 30 s makes the encoder
six times cheaper at the same word error rate, while less padding makes the decoder loop; a text
prompt brings insertions, so there is none. The thread count is pinned because it changes words.

A fragment that was cut in running speech is decoded with the sound around it: the words of a cut
are those that get lost. Over six programmes of real speech that is a sixth of the word errors.
Given the words before it to go on from, the decoder makes as few, but writes no marks any more.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dubcast.errors import MissingPartError
from dubcast.sts.going_on import first_new
from dubcast.sts.providers import cuda
from dubcast.sts.providers.gpu_else_cpu import AsrGpuElseCpu
from dubcast.sts.providers.interface import (
    ASR_RATE,
    NOTHING_AROUND,
    Around,
    AsrCapabilities,
    AsrProvider,
    AsrTask,
    Transcript,
    Word,
)
from dubcast.sts.providers.mel import HOP, log_mel
from dubcast.sts.providers.registry import Device, Registration, Setup
from dubcast.sts.unheard import unheard_s
from dubcast.sts.which_language import Answer, decide, primary

_FILES = ("model.bin", "config.json", "tokenizer.json")
SHORT_S = 10
LONG_S = 30
# Whisper needs some silence after the speech, or it repeats the phrase.
_LONGEST_IN_SHORT_S = 8.0

_MAX_TOKENS_PER_S = 6.5
_MIN_LOGPROB = -1.0
_MAX_NO_SPEECH = 0.6
_MAX_COMPRESSION = 2.4
# So many words twice in a row at the end are what the decoder makes where it has no more to write.
_LONG_REPEAT = 5
_CAP_TOKENS = 10
_CAP_TOKENS_PER_S = 9
_PROMPT_TOKENS = 4
# A clip that begins within a sentence is now and then decoded from the next one on, and so nearly
# never with so much silence before it. Every clip with it: a tenth more word errors in fast sport.
_SILENCE_S = 0.2
_BATCH_ON_CPU = 4
_BATCH_ON_GPU = 32
_TOKEN_FRAME_S = 0.02
# Whisper writes what is not speech in brackets: [Music], (applause).
_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪")


@dataclass(frozen=True)
class Decoded:
    """One decoding of a clip: text without what is in brackets, and how sure the model was.

    `answer`: which language it was taken for, if that was asked; nothing else is known of what is
    left alone.
    """

    text: str
    tokens: int
    seconds: float
    avg_logprob: float
    no_speech_prob: float
    words: tuple[Word, ...] = ()
    answer: Answer | None = None

    @property
    def unheard_s(self) -> float:
        """How much was passed over, as far as the words' times tell."""
        return unheard_s(self.words, self.seconds)


class WhisperAsr(AsrProvider):
    """Whisper in CTranslate2's format: `model.bin`, `config.json`, `tokenizer.json`."""

    def __init__(self, folder: Path, name: str, device: Device, threads: int) -> None:
        self.capabilities = _capabilities(name, device)
        self._folder = folder
        self._device = device
        self._threads = threads
        self._model: Any = None
        self._ct2: Any = None
        self._tokenizer: Any = None
        self._first_special = 0
        self._spectrograms: Any = None

    def load(self) -> None:
        try:
            import ctranslate2
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingPartError(
                f"{error.name} is missing: pip install 'dubcast[sts]'"
            ) from error
        if self._device == "cuda":
            cuda.load_cublas()
        self._ct2 = ctranslate2
        self._tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        self._first_special = self._tokenizer.token_to_id("<|endoftext|>")
        self._model = ctranslate2.models.Whisper(
            str(self._folder),
            device=self._device,
            compute_type="int8" if self._device == "cpu" else cuda.float_type(),
            inter_threads=1,
            intra_threads=self._threads,
        )
        if self._device == "cuda":
            self._spectrograms = _on_gpu(self._model.n_mels)
        self.run([AsrTask(np.zeros(ASR_RATE, np.float32), "en")])

    def run(self, batch: Sequence[AsrTask]) -> list[Transcript]:
        first = self._first(batch)
        alone = [_known(task.alone, one.answer) for task, one in zip(batch, first, strict=True)]
        doubtful = (i for i, one in enumerate(first) if suspicious(one))
        again = [i for i in doubtful if _window_s(alone[i]) < LONG_S]
        later = self._decode_in_groups([alone[i] for i in again], LONG_S)
        second = dict(zip(again, later, strict=True))
        return [_transcript(one, second.get(i)) for i, one in enumerate(first)]

    def _first(self, batch: Sequence[AsrTask]) -> list[Decoded]:
        """Decode clips, and once more, after a silence, where speech was passed over."""
        first = self._within(batch)
        passed = [i for i, one in enumerate(first) if one.unheard_s and not suspicious(one)]
        tasks = [_after_silence(_known(batch[i].alone, first[i].answer)) for i in passed]
        later = self._decode_in_groups(tasks)
        for i, one in zip(passed, map(_without_silence, later), strict=True):
            if one.unheard_s < first[i].unheard_s and not suspicious(one):
                first[i] = replace(one, answer=first[i].answer)
        return first

    def _within(self, batch: Sequence[AsrTask]) -> list[Decoded]:
        """Decode clips with what lies around them, and once more without it where that misled."""
        decoded = self._decode_in_groups(batch)
        around = [i for i, task in enumerate(batch) if task.around != NOTHING_AROUND]
        own = {i: _own(decoded[i], batch[i].around) for i in around}
        misled = [i for i in around if _is_misled(decoded[i], own[i])]
        alone = [_known(batch[i].alone, decoded[i].answer) for i in misled]
        for i, one in zip(misled, self._decode_in_groups(alone), strict=True):
            own[i] = replace(one, answer=decoded[i].answer)
        return [own.get(i, one) for i, one in enumerate(decoded)]

    def close(self) -> None:
        self._model = None

    def _decode_in_groups(self, batch: Sequence[AsrTask], window: int = 0) -> list[Decoded]:
        """Decode clips of one window length together: `window`, or what each needs.

        On a CPU only those of 10 s without words: larger batches would be slower there.
        """
        groups: dict[tuple[int, int], list[int]] = {}
        for i, task in enumerate(batch):
            own = window or _window_s(task)
            alone = self._device == "cpu" and (own > SHORT_S or task.words)
            groups.setdefault((own, i if alone else -1), []).append(i)
        results: dict[int, Decoded] = {}
        for (own, _), group in groups.items():
            decoded = self._decode([batch[i] for i in group], own)
            results.update(zip(group, decoded, strict=True))
        return [results[i] for i in range(len(batch))]

    def _decode(self, tasks: Sequence[AsrTask], seconds: int) -> list[Decoded]:
        mels = self._mels(tasks, seconds)
        encoded = self._model.encode(self._ct2.StorageView.from_array(mels))
        answers = self._answers(encoded, tasks)
        if all(answer and answer.left_alone for answer in answers):
            return [_left_alone(answer) for answer in answers]
        tasks = [_known(*pair) for pair in zip(tasks, answers, strict=True)]
        decoded = self._generate(encoded, tasks)
        return [
            _left_alone(answer) if answer and answer.left_alone else replace(one, answer=answer)
            for one, answer in zip(decoded, answers, strict=True)
        ]

    def _mels(self, tasks: Sequence[AsrTask], seconds: int) -> Any:
        """The clips' spectrograms: an array, or a tensor on the GPU."""
        if self._spectrograms is not None:
            return self._spectrograms([task.samples for task in tasks], seconds)
        bands = self._model.n_mels
        return np.stack([log_mel(task.samples, seconds, bands) for task in tasks])

    def _answers(self, encoded: Any, tasks: Sequence[AsrTask]) -> list[Answer | None]:
        """Which language each clip is taken for, where that is asked: one step of the decoder."""
        if not any(task.question for task in tasks):
            return [None] * len(tasks)
        answers = []
        for task, found in zip(tasks, self._model.detect_language(encoded), strict=True):
            likely = {token.strip("<|>"): float(share) for token, share in found}
            answers.append(decide(task.question, likely) if task.question else None)
        return answers

    def _generate(self, encoded: Any, tasks: Sequence[AsrTask]) -> list[Decoded]:
        lengths = [len(task.samples) / ASR_RATE for task in tasks]
        results = self._model.generate(
            encoded,
            [_prompt(task.language) for task in tasks],
            beam_size=max(task.beam for task in tasks),
            max_length=_PROMPT_TOKENS + _CAP_TOKENS + round(_CAP_TOKENS_PER_S * max(lengths)),
            return_scores=True,
            return_no_speech_prob=True,
        )
        decoded = [self._decoded(*pair) for pair in zip(results, lengths, strict=True)]
        words = self._words(encoded, tasks, [one.sequences_ids[0] for one in results])
        return [replace(one, words=own) for one, own in zip(decoded, words, strict=True)]

    def _words(
        self, encoded: Any, tasks: Sequence[AsrTask], ids: Sequence[Sequence[int]]
    ) -> list[tuple[Word, ...]]:
        """When each word of each clip was said, by the attention of the model's alignment heads."""
        texts = [[i for i in one if i < self._first_special] for one in ids]
        wanted = [
            bool(text) and (task.words or task.around != NOTHING_AROUND)
            for task, text in zip(tasks, texts, strict=True)
        ]
        found: list[tuple[Word, ...]] = [()] * len(tasks)
        for language in {task.language for task, w in zip(tasks, wanted, strict=True) if w}:
            paths = self._aligned(encoded, language, tasks, texts)
            for i, (task, path) in enumerate(zip(tasks, paths, strict=True)):
                if wanted[i] and task.language == language:
                    found[i] = self._timed(texts[i], path)
        return found

    def _aligned(
        self, encoded: Any, language: str, tasks: Sequence[AsrTask], texts: Sequence[list[int]]
    ) -> list[Sequence[tuple[int, int]]]:
        """The path of each text through its clip; all are taken for one language."""
        prompt = [self._tokenizer.token_to_id(token) for token in _prompt(language)]
        frames = [max(1, len(task.samples) // HOP) for task in tasks]
        some = [text or [self._first_special - 1] for text in texts]  # each row needs a text
        return [one.alignments for one in self._model.align(encoded, prompt, some, frames)]

    def _timed(self, text: list[int], path: Sequence[tuple[int, int]]) -> tuple[Word, ...]:
        starts = token_starts(path, len(text))
        groups = word_groups([self._tokenizer.id_to_token(i) for i in text])
        spelled = [self._tokenizer.decode([text[i] for i in group]).strip() for group in groups]
        times = [(starts[group[0]], starts[group[-1] + 1]) for group in groups]
        return without_sounds([Word(w, *t) for w, t in zip(spelled, times, strict=True)])

    def _decoded(self, result: Any, seconds: float) -> Decoded:
        ids = result.sequences_ids[0]
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        # The score is the mean over the text's tokens; the end token counts as one more.
        logprob = result.scores[0] * len(ids) / (len(ids) + 1)
        return Decoded(clean(text), len(ids), seconds, logprob, result.no_speech_prob)


def _on_gpu(bands: int) -> Any:
    """Makes spectrograms on the GPU, or None where torch is not installed."""
    try:
        from dubcast.sts.providers.mel_torch import MelSpectrograms
    except ImportError:
        return None
    return MelSpectrograms(bands, "cuda")


def _transcript(first: Decoded, second: Decoded | None) -> Transcript:
    """What was said, by the second decoding if there was one."""
    decoded = second or first
    dropped = not_credible(decoded) if suspicious(first) else None
    return Transcript(
        "" if dropped else decoded.text,
        decoded.avg_logprob,
        decoded.no_speech_prob,
        dropped,
        () if dropped else decoded.words,
        first.answer,
    )


def _known(task: AsrTask, answer: Answer | None) -> AsrTask:
    """The task with its question answered."""
    return replace(task, language=answer.language, question=None) if answer else task


def _after_silence(task: AsrTask) -> AsrTask:
    """The clip with a silence before it, searched narrowly: of a wide search the likeliest
    beginnings are kept, and a sentence that begins clearly is one."""
    silence = np.zeros(round(_SILENCE_S * ASR_RATE), np.float32)
    return replace(task, samples=np.concatenate([silence, task.samples]), beam=1)


def _without_silence(decoded: Decoded) -> Decoded:
    """What was decoded after a silence, with the times of the clip."""
    words = tuple(_moved(word, -_SILENCE_S, earliest_s=0.0) for word in decoded.words)
    return replace(decoded, words=words, seconds=decoded.seconds - _SILENCE_S)


def _own(decoded: Decoded, around: Around) -> Decoded:
    """What is the fragment's own of what was decoded with what lies around it: the words that were
    not said before it, and their times in it."""
    words = [_moved(word, -around.before_s) for word in decoded.words]
    # What the fragment before left to this one was said before it begins.
    own = [_moved(word, 0.0, earliest_s=0.0) for word in words[first_new(around.text, words) :]]
    return replace(
        decoded,
        text=" ".join(word.text for word in own),
        words=tuple(own),
        seconds=decoded.seconds - around.before_s,
        tokens=round(decoded.tokens * len(own) / max(len(words), 1)),
    )


def _moved(word: Word, by_s: float, earliest_s: float = -math.inf) -> Word:
    start_s, end_s = (max(at + by_s, earliest_s) for at in (word.start_s, word.end_s))
    return replace(word, start_s=start_s, end_s=end_s)


def _is_misled(whole: Decoded, own: Decoded) -> bool:
    """Signs that a fragment is understood better without what lies around it."""
    if whole.answer and whole.answer.left_alone:
        return False
    return suspicious(whole) or not own.words or bool(own.unheard_s)


def _left_alone(answer: Answer | None) -> Decoded:
    return Decoded("", 0, 0.0, 0.0, 0.0, answer=answer)


def _prompt(language: str) -> list[str]:
    return [
        "<|startoftranscript|>",
        f"<|{primary(language)}|>",
        "<|transcribe|>",
        "<|notimestamps|>",
    ]


def token_starts(alignments: Sequence[tuple[int, int]], count: int) -> list[float]:
    """Start of each of `count` tokens, and of the end token, in seconds.

    `alignments`: the path of (token, 20 ms frame), as Whisper's dynamic time warping gives it.
    """
    first: dict[int, int] = {}
    for token, frame in alignments:
        first.setdefault(token, frame)
    starts: list[float] = []
    for token in range(count + 1):
        starts.append(first[token] * _TOKEN_FRAME_S if token in first else starts[-1])
    return starts


def word_groups(tokens: Sequence[str]) -> list[list[int]]:
    """Indices of the tokens of each word; `Ġ`, a space, begins one in Whisper's vocabulary."""
    groups: list[list[int]] = []
    for i, token in enumerate(tokens):
        if token.startswith("Ġ") or not groups:
            groups.append([])
        groups[-1].append(i)
    return groups


def without_sounds(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words that `clean` leaves of the same text."""
    text = " ".join(word.text for word in words)
    spans = [found.span() for found in _BRACKETED.finditer(text)]
    kept, at = [], 0
    for word in words:
        if word.text and not any(start < at + len(word.text) and at < end for start, end in spans):
            kept.append(word)
        at += len(word.text) + 1
    return tuple(kept)


def window_s(seconds: float) -> int:
    """The length that a clip is padded to."""
    return SHORT_S if seconds <= _LONGEST_IN_SHORT_S else LONG_S


def _window_s(task: AsrTask) -> int:
    return window_s(len(task.samples) / ASR_RATE)


def clean(text: str) -> str:
    """Text without bracketed sounds, in single spaces; empty if no letter or digit is left."""
    plain = " ".join(_BRACKETED.sub(" ", text).split())
    return plain if any(char.isalnum() for char in plain) else ""


def suspicious(decoded: Decoded) -> bool:
    """Signs that the decoder looped or made the text up."""
    return (
        decoded.avg_logprob < _MIN_LOGPROB
        or decoded.tokens / max(decoded.seconds, 1.0) > _MAX_TOKENS_PER_S
        or compression(decoded.text) > _MAX_COMPRESSION
        or repeats(decoded.text)
    )


def not_credible(decoded: Decoded) -> str | None:
    """Why a text that was suspicious, and was decoded with full padding, is dropped."""
    if decoded.no_speech_prob > _MAX_NO_SPEECH:
        return "no_speech_prob"
    if decoded.avg_logprob < _MIN_LOGPROB:
        return "logprob"
    # Short text hardly compresses: only a loop does.
    return "loop" if compression(decoded.text) > _MAX_COMPRESSION else None


def compression(text: str) -> float:
    """Size of the text against its zlib size, Whisper's own measure of repetition."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def repeats(text: str) -> bool:
    """True if one to six words follow each other three times or more, or the text ends with five or
    more that it says twice in a row."""
    words = re.findall(r"\w+", text.lower())
    for size in range(_LONG_REPEAT, len(words) // 2 + 1):
        if words[-size:] == words[-2 * size : -size]:
            return True
    for size in range(1, 7):
        for start in range(len(words) - 3 * size + 1):
            one = words[start : start + size]
            if words[start + size : start + 3 * size] == one * 2:
                return True
    return False


def _capabilities(model: str, device: Device) -> AsrCapabilities:
    most = _BATCH_ON_GPU if device == "cuda" else _BATCH_ON_CPU
    return AsrCapabilities(model=model, batch_max=most, tells_languages=True, hears_around=True)


def _create(setup: Setup) -> AsrProvider:
    folder, name, threads = setup.folder(*_FILES), setup.model_name, setup.threads
    if setup.device == "cpu":
        return WhisperAsr(folder, name, "cpu", threads)
    gpu = WhisperAsr(folder, name, setup.device, threads)
    return AsrGpuElseCpu(gpu, lambda: WhisperAsr(folder, name, "cpu", threads))


PROVIDER = Registration(
    create=_create,
    offers=lambda setup: _capabilities(setup.model_name, setup.device),
    models=("whisper-base",),
)

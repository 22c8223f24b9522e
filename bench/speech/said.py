"""`python -m bench.speech.said`: whether what is written is said right.

The tables of spoken forms, the words of a glossary through the real translation, and spoken forms
that another model understands.
"""

from __future__ import annotations

import asyncio
import difflib
import itertools
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soxr
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from dubcast.config import Settings
from dubcast.contract.glossary import GlossaryEntry
from dubcast.contract.sts import FragmentConfig, PcmAudio, StsRequest, StsResponse
from dubcast.languages import catalogue
from dubcast.languages.language import Language
from dubcast.languages.spoken_form import spoken_form
from dubcast.measure import speech_models
from dubcast.measure.figures import Bar, Figure
from dubcast.models.store import ModelStore
from dubcast.sts import build
from dubcast.sts.engine import Engine, Providers
from dubcast.sts.phrasebook import built_in
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import (
    ASR_RATE,
    AsrProvider,
    AsrTask,
    Capabilities,
    FitProvider,
    FitTask,
    Fitted,
    Heard,
    HearProvider,
    PcmTask,
    Speech,
    Transcript,
    TtsCapabilities,
    TtsProvider,
    TtsTask,
    Voice,
)
from dubcast.sts.providers.registry import Setup
from dubcast.sts.service import Service

HERE = Path(__file__).parent
TABLES = HERE.parents[1] / "tests/unit/tables"
VOICES = {"en": "af_heart", "pt-BR": "pf_dora"}
# Every so many-th line of a table is spoken: all kinds of forms are among them.
EVERY = 6
# What is said around a form: Whisper makes up words for what is as short as "uma hora".
AROUND = {
    "en": ("Now I will read it to you slowly:", "and that is how it was written here."),
    "pt-BR": ("Agora eu vou ler para vocês devagar:", "e é assim que estava escrito aqui."),
}

BARS = (
    Bar("spoken_forms_right", "==", 1.0, "lines of the tables"),
    Bar("glossary_right", ">=", 0.95, "sentences with a term, both directions"),
    Bar("spoken_forms_read_back", ">=", 0.95, "words, said by Kokoro and read by Whisper"),
)


@dataclass(frozen=True)
class Row:
    """A written form, and how it is said."""

    language: Language
    written: str
    said: str


@dataclass(frozen=True)
class Case:
    """A sentence with a term of a glossary."""

    source: str
    target: str
    entry: GlossaryEntry
    sentence: str


def rows(folder: Path = TABLES) -> list[Row]:
    """The lines of the tables of spoken forms."""
    found = []
    for tag in VOICES:
        language = catalogue.find(tag)
        assert language is not None
        lines = (folder / f"spoken_forms_{tag}.tsv").read_text(encoding="utf-8").splitlines()
        cells = [line.split("\t") for line in lines if line and not line.startswith("# ")]
        found += [Row(language, written, said) for written, said in cells]
    return found


def cases(file: Path = HERE / "glossary.tsv") -> list[Case]:
    """The sentences for the glossary."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            continue
        direction, entry, sentence = line.split("\t")
        source, target = direction.split(">")
        rest, _, say = entry.partition(" / ")
        term, _, translation = rest.partition(" = ")
        parsed = GlossaryEntry(term=term, translation=translation or None, say=say or None)
        found.append(Case(source, target, parsed, sentence))
    return found


def forms_right(table: Sequence[Row]) -> tuple[float, list[str]]:
    """The share of lines that are said as they should be, and those that are not."""
    wrong = [
        f"{row.written}: {said}, not {row.said}"
        for row in table
        if (said := spoken_form(row.written, row.language)) != row.said
    ]
    return 1 - len(wrong) / len(table), wrong


def glossary_right(sentences: Sequence[Case], settings: Settings) -> tuple[float, list[str]]:
    """The share of sentences that keep their term, in the reply and for the voice."""
    with translating(settings) as dubbed:
        wrong = [
            f"{case.sentence}: {told}"
            for case in sentences
            if not is_kept(case.entry, *(told := dubbed(case, (case.entry,))))
        ]
    return 1 - len(wrong) / len(sentences), wrong


def is_kept(entry: GlossaryEntry, translated: str, said: str) -> bool:
    """Whether a translation has the term as it is wanted, and the voice its pronunciation.

    At the start of a sentence the term may have a capital.
    """
    word = entry.translation or entry.term
    forms = (re.escape(word), f"^{re.escape(word[0].upper() + word[1:])}")
    kept = any(re.search(rf"(?<!\w){form}(?!\w)", translated) for form in forms)
    return kept and (entry.say is None or entry.say in said)


def read_back(table: Sequence[Row], settings: Settings) -> tuple[float, list[str]]:
    """The share of words that come back when a voice says them and Whisper writes them down."""
    hits = total = 0
    wrong = []
    asr = registry.create(AsrProvider, "whisper", Setup(ModelStore(settings.models), threads=2))
    asr.load()
    try:
        with speech_models.narrator(settings) as speak:
            for row in table:
                tag = row.language.tag
                samples, rate = speak(_in_a_sentence(row), VOICES[tag])
                heard = asr.run([AsrTask(_for_ear(samples, rate), tag)])[0].text
                same, of = understood(row, heard)
                hits, total = hits + same, total + of
                wrong += [f"{row.written}: {heard}"] if same < of else []
    finally:
        asr.close()
    return hits / total, wrong


def understood(row: Row, heard: str) -> tuple[int, int]:
    """How many words of a spoken form are in what was heard of its sentence, and of how many.

    All of them if its figures are there, as they were written: "15h30" is "1530" for who writes
    down what is said, and no rule could read that back.
    """
    around = [words(text) for text in AROUND[row.language.tag]]
    form = words(spoken_form(row.written, row.language))
    found = words(spoken_form(heard, row.language))
    figures_written, figures_heard = (re.sub(r"\D", "", one) for one in (row.written, heard))
    if figures_written and figures_written == figures_heard:
        return len(form), len(form)
    wanted = [*around[0], *form, *around[1]]
    start, end = len(around[0]), len(around[0]) + len(form)
    blocks = difflib.SequenceMatcher(a=wanted, b=found, autojunk=False).get_matching_blocks()
    same = sum(max(0, min(end, one.a + one.size) - max(start, one.a)) for one in blocks)
    return same, len(form)


def _in_a_sentence(row: Row) -> str:
    before, after = AROUND[row.language.tag]
    form = spoken_form(row.written, row.language).rstrip(".!")
    return f"{before} {form}, {after}"


def measured(settings: Settings) -> tuple[dict[str, Figure], dict[str, list[str]]]:
    """The figures, and under their keys what was wrong."""
    table = rows()
    found = {
        "spoken_forms_right": forms_right(table),
        "glossary_right": glossary_right(cases(), settings),
        "spoken_forms_read_back": read_back(table[::EVERY], settings),
    }
    return {key: share for key, (share, _) in found.items()}, {
        key: wrong for key, (_, wrong) in found.items()
    }


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"\w+", text.casefold().replace("'", ""))


def _for_ear(samples: np.ndarray, rate: int) -> np.ndarray:
    resampled: np.ndarray = soxr.resample(samples, rate, ASR_RATE).astype(np.float32)
    return resampled


# ---- a service with a real translation and nothing else -------------------------------------


class _Hear(HearProvider):
    capabilities = Capabilities("none")

    def run(self, batch: Sequence[PcmTask]) -> list[Heard]:
        return [Heard(np.zeros(ASR_RATE, np.float32), True, (0.0, 1.0)) for _ in batch]


class _Ear(AsrProvider):
    """Hears the text that it is given."""

    capabilities = Capabilities("none")
    text = ""

    def run(self, batch: Sequence[AsrTask]) -> list[Transcript]:
        return [Transcript(self.text) for _ in batch]


class _Voice(TtsProvider):
    """Notes what it is to say."""

    capabilities = TtsCapabilities(
        "none", voices=(Voice("one", "en-US", "female"), Voice("other", "pt-BR", "female"))
    )

    def __init__(self) -> None:
        self.said: list[str] = []

    def run(self, batch: Sequence[TtsTask]) -> list[Speech]:
        self.said += [task.text for task in batch]
        return [Speech(np.zeros(2400, np.float32), 24_000) for _ in batch]


class _Fit(FitProvider):
    capabilities = Capabilities("none")

    def run(self, batch: Sequence[FitTask]) -> list[Fitted]:
        return [
            Fitted(bytes(2 * task.frames), 100, 1.0, True, ((0, 100),) * len(task.clauses))
            for task in batch
        ]


class Sentence(Protocol):
    """A sentence in one language, to be put into another."""

    @property
    def source(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def sentence(self) -> str: ...


class Dubbed(Protocol):
    """The translation of a sentence, and what the voice was given."""

    def __call__(
        self, one: Sentence, glossary: tuple[GlossaryEntry, ...] = ()
    ) -> tuple[str, str]: ...


@contextmanager
def translating(settings: Settings) -> Iterator[Dubbed]:
    """A service that translates as the settings say, with the phrasebook, and hears and says
    nothing. Raises MissingPartError without a translation.
    """
    mt = build.translation(settings)
    ear, voice = _Ear(), _Voice()
    engine = Engine(Providers(_Hear(), ear, mt, voice, _Fit()), inbox_limit=16)
    engine.start()
    numbers = itertools.count()

    def dubbed(one: Sentence, glossary: tuple[GlossaryEntry, ...] = ()) -> tuple[str, str]:
        ear.text = one.sentence
        voice.said.clear()
        request = _request(next(numbers), one, glossary)
        reply = StsResponse.model_validate_json(asyncio.run(service.process(request)))
        return reply.translated_text, " ".join(voice.said)

    try:
        if engine.wait(60) != "ready":
            raise RuntimeError(f"no translation: {engine.failure}")
        service = Service(engine, 1, built_in())
        yield dubbed
    finally:
        engine.stop()


def _request(number: int, one: Sentence, glossary: tuple[GlossaryEntry, ...]) -> StsRequest:
    config = FragmentConfig(
        source_language=one.source,
        target_language=one.target,
        duration_policy="fit",
        slot_ms=30_000,
        glossary=glossary,
    )
    return StsRequest(
        fragment_id=f"f{number}",
        stream_id="bench",
        sequence_number=number,
        audio=PcmAudio.from_pcm(bytes(2 * ASR_RATE), ASR_RATE, 1),
        config=config,
    )


def _measure(settings: Settings, _out: Path, console: Console) -> Found:
    found, wrong = measured(settings)
    for key, lines in wrong.items():
        for line in lines:
            console.print(f"{key}: {line}", highlight=False, markup=False)
    return Found(found, wrong)


PART = Part("said", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("speech", [PART]))

"""Hears a fragment and recognizes what is said in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dubcast.contract.sts import UNDETERMINED, LeftAlone, StsRequest, WordTime
from dubcast.sts import overlap, songs
from dubcast.sts.beam import width
from dubcast.sts.border import spoken_until
from dubcast.sts.engine import Engine
from dubcast.sts.offer import Choice
from dubcast.sts.providers.interface import (
    ASR_RATE,
    NOTHING_AROUND,
    Around,
    AsrCapabilities,
    AsrTask,
    Heard,
    PcmTask,
    Transcript,
)
from dubcast.sts.stage_calls import StageCalls
from dubcast.sts.unheard import unheard
from dubcast.sts.which_language import Question


@dataclass(frozen=True)
class Understood:
    """What was heard of a fragment; `choice`: the request's, with its source as it was heard.

    `bounds_s`: where its speech is, if that was asked for. `left_from_s`: what was heard from there
    on goes with the next fragment. `song_odds`: how surely its words are sung, if that can be told.
    """

    said: Transcript
    choice: Choice
    bounds_s: tuple[float, float] | None = None
    language: str = UNDETERMINED
    probability: float | None = None
    left_from_s: float | None = None
    song_odds: float | None = None

    @property
    def left_alone(self) -> LeftAlone | None:
        """Why its words are not to be dubbed, if that is so."""
        return self.said.answer.left_alone if self.said.answer else None

    @property
    def bounds_ms(self) -> tuple[int, int] | tuple[None, None]:
        """The same bounds as they are told."""
        if self.bounds_s is None:
            return None, None
        return to_ms(self.bounds_s[0]), to_ms(self.bounds_s[1])

    @property
    def unheard_ms(self) -> tuple[tuple[int, int], ...]:
        """Where somebody speaks and no words were recognized, as it is told."""
        if self.bounds_s is None:
            return ()
        end_s = self.bounds_s[1] if self.left_from_s is None else self.left_from_s
        spans = unheard(self.said.words, min(end_s, self.bounds_s[1]))
        return tuple((to_ms(start_s), to_ms(end_s)) for start_s, end_s in spans)

    @property
    def share(self) -> float | None:
        """The probability of the language as it is told."""
        if self.probability is None:
            return None
        return round(min(max(self.probability, 0.0), 1.0), 4)

    @property
    def words(self) -> tuple[WordTime, ...]:
        """The words' times as they are told."""
        return tuple(
            WordTime(text=word.text, start_ms=to_ms(word.start_s), end_ms=to_ms(word.end_s))
            for word in self.said.words
        )


async def understand(
    engine: Engine, calls: StageCalls, request: StsRequest, choice: Choice, *, words: bool
) -> Understood:
    """What is said in a fragment; `words`: with each word's time. Raises StsError.

    Cancelling is safe.
    """
    config, around = request.config, _around(request)
    heard = await calls.run(engine.hear, _pcm_task(request, around))
    if not heard.speech:
        return Understood(Transcript(""), choice, heard.bounds_s)
    fragment_s = request.fragment_ms / 1000
    asked = asr_task(heard, choice, words=words, so_far=request.context.language, around=around)
    if not _hears_around(engine):
        asked = asked.alone
    left_s = calls.left_ms() / 1000
    beam = width(engine.asr_beam, left_s, fragment_s, is_busy=engine.is_busy)
    said = await calls.run(engine.asr, replace(asked, beam=beam))
    song_odds = None
    if heard.tune and said.text:
        song_odds = songs.odds_of(heard.tune, request.context.song_odds)
    said = songs.without_song(said, song_odds, choice.source.tag)
    said = without_repeated(said, request.context.source_text, config.overlap_ms / 1000)
    understood = replace(_understood(said, choice, heard.bounds_s), song_odds=song_odds)
    return without_next(understood, fragment_s) if config.after_ms else understood


def _around(request: StsRequest) -> Around:
    config = request.config
    return Around(config.before_ms / 1000, config.after_ms / 1000, request.context.before_text)


def _pcm_task(request: StsRequest, around: Around) -> PcmTask:
    audio, config = request.audio, request.config
    return PcmTask(
        audio.pcm_bytes(),
        audio.sample_rate_hz,
        audio.channels,
        bounds=config.timings != "none",
        tune=config.leave_songs,
        around=around,
    )


def _hears_around(engine: Engine) -> bool:
    capabilities = engine.providers.asr.capabilities
    return isinstance(capabilities, AsrCapabilities) and capabilities.hears_around


def _understood(
    said: Transcript, choice: Choice, bounds_s: tuple[float, float] | None
) -> Understood:
    answer = said.answer
    if not said.text and not (answer and answer.left_alone):
        return Understood(said, choice, bounds_s)
    if answer is None:
        return Understood(said, choice, bounds_s, choice.source.tag)
    source = choice.heard(answer.language)
    return Understood(said, source, bounds_s, answer.language, answer.probability)


def without_next(understood: Understood, cut_s: float) -> Understood:
    """Without the words that go with the next fragment, of one that was cut in running speech."""
    words = understood.said.words
    count = spoken_until(words, cut_s, understood.choice.source)
    if count == len(words):
        return understood
    text = " ".join(word.text for word in words[:count])
    said = replace(understood.said, text=text, words=words[:count])
    return replace(understood, said=said, left_from_s=words[count].start_s)


def asr_task(
    heard: Heard,
    choice: Choice,
    *,
    words: bool = False,
    so_far: str = "",
    around: Around = NOTHING_AROUND,
) -> AsrTask:
    """What the recognition is asked: what is said, and in which language.

    `so_far`: what the stream was taken for before; `around`: what is in the samples beside it.
    """
    start_s, stop_s = heard.bounds_s or (0.0, len(around.without(heard.samples)) / ASR_RATE)
    sources = tuple(one.tag for one in choice.sources)
    question = Question(sources, choice.target.tag, stop_s - start_s, choice.named, so_far)
    return AsrTask(heard.samples, choice.source.tag, words, question, around=around)


def without_repeated(said: Transcript, previous: str, overlap_s: float) -> Transcript:
    """The transcript without the words that the chunk before has said already."""
    count = overlap.repeated_words(previous, said.words, overlap_s)
    if count == 0:
        return said
    words = said.words[count:]
    return replace(said, text=" ".join(word.text for word in words), words=words)


def to_ms(seconds: float) -> int:
    """Seconds as the contract tells them."""
    return round(1000 * seconds)

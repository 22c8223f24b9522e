"""Which language a fragment is taken for, and whether it is left alone. Pure.

Whisper is sure of nothing on a word or two, but hardly ever wrong between two languages. So a
named source and the target are weighed against each other, whatever else it may be; any other
language has to be all but certain. Of several sources, the one that the stream has spoken so far
needs less to be believed, the less is said the more so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dubcast.contract.sts import LeftAlone

# The target's share of itself and the source, from which on the fragment is left to it.
_TARGET_SHARE = 0.6
_BRIEF_S, _TARGET_SHARE_BRIEF = 1.0, 0.75
# Of this much speech in one language the recognizer is sure: measured, the other's share is below
# 0.001 then. Where it is not sure, part of it is in either, and of that the recognition would write
# down one and the dub take the voice of both. It finds nearly all that hold both where English is
# the source, half of them where Portuguese is: of the others the recognizer is sure as well.
_LONG_S, _TARGET_SHARE_LONG = 2.5, 0.15
# Where a reader mumbles, a third and more goes to languages that nobody speaks, and of the rest
# most to English, whatever is spoken. So against a source that the operator named, English counts
# as the target only where the two together are most of what was heard, or a good part of it where
# little is said. Another target needs no such proof: of 829 pieces (1.2 and 2.2 s) of recordings in
# English none is taken for Portuguese without it, and with it 18 more of 385 Portuguese are dubbed.
_DRAWN_TO = "en"
_CLEAR_S, _CLEAR, _CLEAR_BRIEF = 1.5, 0.75, 0.3
# A language that is less likely than this was not heard at all.
_LEAST = 0.1
# But a source as unlikely as this is not what is said, even where neither was heard: of the two it
# is the target, if that is so much likelier.
_EXCLUDED, _TIMES, _FAINT = 0.01, 5, 0.02
_OTHER = 0.9
# How much likelier the language so far is than the recognizer says, by how much is said: of a word
# or two it knows little, of a sentence nearly everything.
_SO_FAR: Sequence[tuple[float, float]] = ((_BRIEF_S, 20.0), (_LONG_S, 6.0), (float("inf"), 2.0))


@dataclass(frozen=True)
class Question:
    """What is to be decided of a fragment; languages are tags.

    `sources`: what it may be dubbed from, one of them if it is named. `speech_s`: how much is said.
    `so_far`: what the stream was taken for before, if that is known.
    """

    sources: tuple[str, ...]
    target: str
    speech_s: float
    named: bool = True
    so_far: str = ""


@dataclass(frozen=True)
class Answer:
    """What a fragment is taken for: a tag as the question has it, else the recognizer's code.

    `left_alone`: why it is not to be dubbed; None: it is dubbed from `language`.
    """

    language: str
    probability: float
    left_alone: LeftAlone | None = None


def decide(question: Question, probabilities: Mapping[str, float]) -> Answer:
    """The answer, by how likely each language is; keys are codes without a region (`pt`)."""
    answer = _decide(question, _weighed(question, probabilities))
    return replace(answer, probability=probabilities.get(primary(answer.language), 0.0))


def _weighed(question: Question, probabilities: Mapping[str, float]) -> Mapping[str, float]:
    """The probabilities, with what was said before; they add up to what they did."""
    code = primary(question.so_far)
    if question.named or code not in probabilities:
        return probabilities
    times = next(times for below_s, times in _SO_FAR if question.speech_s < below_s)
    weighed = {**probabilities, code: times * probabilities[code]}
    scale = sum(probabilities.values()) / sum(weighed.values())
    return {code: scale * share for code, share in weighed.items()}


def _decide(question: Question, probabilities: Mapping[str, float]) -> Answer:
    def heard(tag: str, left_alone: LeftAlone | None = None) -> Answer:
        return Answer(tag, probabilities.get(primary(tag), 0.0), left_alone)

    target = heard(question.target, LeftAlone.TARGET_LANGUAGE)
    source = max(map(heard, question.sources), key=lambda one: one.probability)
    if _is_target(target.probability, source.probability, question):
        return target
    known = {primary(source.language), primary(target.language)}
    rest = {code: p for code, p in probabilities.items() if code not in known}
    other = heard(max(rest, key=rest.__getitem__, default="und"), LeftAlone.OTHER_LANGUAGE)
    if other.probability >= _OTHER:
        return other
    if not question.named and source.probability < _LEAST:
        return max(target, other, key=lambda one: one.probability)
    return source


def _is_target(target: float, source: float, question: Question) -> bool:
    share = _TARGET_SHARE
    if question.speech_s < _BRIEF_S:
        share = _TARGET_SHARE_BRIEF
    elif question.speech_s >= _LONG_S:
        share = _TARGET_SHARE_LONG
    if source < _EXCLUDED and target >= max(_TIMES * source, _FAINT):
        return True
    both = target + source
    if both < _clear(question):
        return False
    return target >= _LEAST and target >= share * both


def _clear(question: Question) -> float:
    """How much of what was heard has to be source or target, for the target to count."""
    if not question.named or primary(question.target) != _DRAWN_TO:
        return 0.0
    return _CLEAR if question.speech_s >= _CLEAR_S else _CLEAR_BRIEF


def primary(tag: str) -> str:
    """A tag without its region: `pt` of `pt-BR`."""
    return tag.partition("-")[0].lower()

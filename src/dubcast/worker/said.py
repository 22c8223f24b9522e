"""What was said last, in both languages: the service is told it with the next fragment. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dubcast.audio.pcm import RATE, ms_to_samples
from dubcast.contract.sts import WordTime
from dubcast.worker.fragment import Fragment

_TEXT = 500  # characters that the service is told of a fragment before
_TEXTS = 16  # kept; more are never on their way at a time
# So much of what was said before a fragment is heard again with it, if that goes on from there.
_BEFORE = round(2.5 * RATE)
_GOES_ON = ms_to_samples(5)
_FOLLOWS = ms_to_samples(2000)  # a longer silence ends a sentence
# Together no more than the recognizer hears for the same price; less than this is of no use.
_MOST = 8 * RATE
_LEAST = ms_to_samples(200)
# Of a fragment that is heard with what follows, the service leaves so much to the next one at most,
# which must have room for it however long it becomes.
_LEFT = ms_to_samples(1700)


@dataclass(frozen=True)
class Around:
    """What lies around a fragment: so many samples before and after it, in whole ms, and what was
    said before, word for word."""

    before: int = 0
    after: int = 0
    text: str = ""


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class _Words:
    """Where each word of a fragment begins, where the last one ends, and where the fragment."""

    begun: tuple[tuple[int, str], ...]
    end: int
    stop: int


class Said:
    """The texts of the last fragments that have a dub, and where that ends, by sequence number.
    Not thread-safe."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[str, str, int]] = {}
        self._words: dict[int, _Words] = {}

    def heard(self, sequence: int, start: int, stop: int, words: Sequence[WordTime]) -> None:
        """The words of the fragment from `start` to `stop` are known."""
        begun = tuple((start + ms_to_samples(word.start_ms), word.text) for word in words)
        end = max((start + ms_to_samples(word.end_ms) for word in words), default=stop)
        self._words[sequence] = _Words(begun, end, stop)
        if len(self._words) > _TEXTS:
            del self._words[min(self._words)]

    def around(self, fragment: Fragment, longest: int) -> Around:
        """What lies around a fragment that was cut in running speech, as far as it is known;
        `longest`: what the next one may be, in samples."""
        length = fragment.span.stop - fragment.span.start
        before, text = self._just_before(fragment, min(_BEFORE, _MOST - length))
        after = min(fragment.heard_after, _MOST - length - before)
        if longest > _MOST - _LEFT:
            after = 0
        return Around(before, _whole_ms(after) if after >= _LEAST else 0, text)

    def _just_before(self, fragment: Fragment, most: int) -> tuple[int, str]:
        """How long before a fragment the words begin that lead up to it, and the words; where none
        of them is near, what was left to it begins after the last one."""
        known, start = self._words.get(fragment.sequence - 1), fragment.span.start
        if known is None or abs(start - known.stop) > _GOES_ON:
            return 0, ""
        near = [(at, text) for at, text in known.begun if at >= start - most]
        text = " ".join(text for _, text in near)
        begins = near[0][0] if near else max(known.end, start - most)
        if start - begins < _LEAST or len(text) > _TEXT:
            return 0, ""
        return _whole_ms(start - begins), text

    def note(self, part: Fragment) -> None:
        """A fragment has its dub, or a clause of it has."""
        source, target, _ = self._texts.get(part.sequence, ("", "", 0))
        source, target = f"{source} {part.transcript}", f"{target} {part.translation}"
        texts = source.strip()[-_TEXT:], target.strip()[-_TEXT:]
        self._texts[part.sequence] = (*texts, part.span.stop)
        if len(self._texts) > _TEXTS:
            del self._texts[min(self._texts)]

    def before(self, fragment: Fragment) -> tuple[str, str]:
        """Source and target text of the fragment that it follows, if the dub of that came in time:
        what follows later, or what was not dubbed, does not go on with it."""
        source, target, stop = self._texts.get(fragment.sequence - 1, ("", "", 0))
        return (source, target) if fragment.span.start - stop <= _FOLLOWS else ("", "")

    def repeats(self, fragment: Fragment) -> int:
        """How much of its start, in samples, repeats words that are known and have a dub: what
        the fragment before did not get across is not to be left out of this one.
        """
        return fragment.overlap if fragment.sequence - 1 in self._texts else 0


def _whole_ms(samples: int) -> int:
    return samples - samples % ms_to_samples(1)

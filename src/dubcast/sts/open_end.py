"""Which words of a fragment that was cut where speech goes on are left for the next one. Pure.

A sentence is translated better as a whole, and the words before a cut are recognized worse than
those that something follows: what is left is heard again, with what comes after it. In a trial of
recognition alone (nine minutes of readers and talk, 5.2 s at most) 200 words were wrong, and 220
where only the last word is left; such counts differ by 10 from trial to trial.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dubcast.languages.language import Language
from dubcast.languages.sentences import spans
from dubcast.sts.providers.interface import Word

# A fragment keeps so much: less is recognized worse than what is gained.
_LEAST_S = 1.2
# The times of words are right to a tenth of a second or so.
_AT_THE_END_S = 0.2
_NEAR_S = 0.1
# The detector hears nobody for a window and more: the cut lies between two words. Of ten words that
# were left there, in talk and fast sport, the next fragment lost or misheard eight: what is
# alone before the pause between two sentences is easily passed over.
_GAP_S = 0.02
# Where it is quiet is looked for in windows of so much, every so much; farther away it has to be
# quieter by so many dB per second.
_WINDOW_S, _STEP_S, _DB_PER_S = 0.03, 0.01, 40.0
_CLEARLY_DB = 3.0


def rest(
    words: Sequence[Word],
    language: Language,
    length_s: float,
    most_s: float,
    speech_end_s: float | None = None,
) -> int | None:
    """Which word is the first that is left, of a fragment of `length_s`; None: all are kept.

    What follows the last sentence of which no more than `most_s` follow, else the last clause, else
    the last word, if it reaches to the end and may have been cut off. `speech_end_s`: where the
    speech ends, by the detector.
    """
    at = [n for n in range(1, len(words)) if length_s - words[n].start_s <= most_s]
    late = [n for n in at if words[n].start_s >= _LEAST_S]
    begins = _sentence_begins(words, language)
    for borders in (begins, [n for n in late if _ends_clause(words, n, language)]):
        if found := [n for n in late if n in borders]:
            return found[-1]
    if speech_end_s is not None and speech_end_s <= length_s - _GAP_S:
        return None
    is_cut_off = bool(at) and words[-1].end_s >= length_s - _AT_THE_END_S
    return len(words) - 1 if is_cut_off else None


def _sentence_begins(words: Sequence[Word], language: Language) -> frozenset[int]:
    """Which words begin sentences."""
    starts, at = {}, 0
    for number, word in enumerate(words):
        starts[at] = number
        at += len(word.text) + 1
    text = " ".join(word.text for word in words)
    return frozenset(starts[start] for start, _ in spans(text, language) if start in starts)


def _ends_clause(words: Sequence[Word], number: int, language: Language) -> bool:
    """Whether a clause ends before a word; a comma between figures is none."""
    before, after = words[number - 1].text, words[number].text
    figures = before[:-1].isdigit() and after[:1].isdigit()
    return before[-1:] in language.clause_marks and before[-1:] != "" and not figures


def between_words(samples: npt.NDArray[np.int16], rate_hz: int, border_s: float) -> float:
    """Where it is quietest, within a tenth of a second of where a word is said to begin, in seconds
    of `samples`, shape (frames,); the border itself where nothing is clearly quieter.
    """
    window, step = round(_WINDOW_S * rate_hz), round(_STEP_S * rate_hz)
    first = max(round((border_s - _NEAR_S - _WINDOW_S / 2) * rate_hz), 0)
    last = round((border_s + _NEAR_S + _WINDOW_S / 2) * rate_hz)
    part = samples[first:last].astype(np.float64)
    if len(part) < 2 * window:
        return border_s
    frames = np.lib.stride_tricks.sliding_window_view(part, window)[::step]
    middles_s = (first + np.arange(len(frames)) * step + window / 2) / rate_hz
    away_s = np.abs(middles_s - border_s)
    level_db = 10 * np.log10(np.mean(frames**2, axis=1) + 1) + _DB_PER_S * away_s
    best, here = int(np.argmin(level_db)), int(np.argmin(away_s))
    return float(middles_s[best]) if level_db[best] < level_db[here] - _CLEARLY_DB else border_s

"""Which words are new where a fragment is heard with what was said before it. Pure.

The recognizer writes down all of it. What was told of the fragment before is found in it by its
words, since their times are right to a fifth of a second only.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from dubcast.sts.overlap import normalized
from dubcast.sts.providers.interface import Word

# What begins later than this after the fragment does was not said before it; what ends earlier
# than that after it begins may have been.
_LATEST_S, _ENDS_S = 0.8, 0.1
# What is left of a word that was cut begins with the fragment: "increase," "crease, that thereby".
_CUT_S, _SHORTEST_REST = 0.2, 3


def first_new(said_before: str, words: Sequence[Word]) -> int:
    """How many of the first `words`, whose times are those of the fragment, were `said_before`;
    of what was left to the fragment nothing was."""
    known = [normalized(word) for word in said_before.split()]
    if not known:
        return 0
    heard = [normalized(word.text) for word in words if word.start_s < _LATEST_S]
    blocks = SequenceMatcher(None, known, heard, autojunk=False).get_matching_blocks()
    *found, _ = blocks  # the last one is empty, and marks the end
    count = found[-1].b + found[-1].size if found else 0
    # Words that were told otherwise before.
    left = len(known) - (found[-1].a + found[-1].size) if found else len(words)
    while left > 0 and count < len(words) and words[count].end_s <= _ENDS_S:
        count, left = count + 1, left - 1
    return count + _is_rest(known[-1], words[count:])


def _is_rest(last: str, words: Sequence[Word]) -> bool:
    """Whether the first of the words is the end of the last one, which was cut."""
    if not words or words[0].start_s > _CUT_S:
        return False
    word = normalized(words[0].text)
    return len(word) >= _SHORTEST_REST and last != word and last.endswith(word)

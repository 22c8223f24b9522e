"""How much louder or softer a dub must be to stand where the speech that it replaces stood."""

from __future__ import annotations

import numpy as np

from dubcast.audio.loudness import HOP, SILENT, KFilter, gated, integrated
from dubcast.audio.pcm import Float, Int16, from_db, to_float

# A dub further off than this is broken, not soft: what is left is not made good by gain.
_LEAST_DB, _MOST_DB = -18.0, 12.0
# Without a separated background, what stands still in the original is taken for it: the level
# that its quietest hops have. The speech is reckoned at most this much below the original.
_FLOOR_QUANTILE = 0.05
_MOST_FLOOR_DB = 6.0
_MOST_MISSING = 4.0


class SpeechLevel:
    """The loudness of the speech in an original, collected hop by hop."""

    def __init__(self) -> None:
        self._k = KFilter()
        self._hops: list[float] = []
        self._separated = True

    def feed(self, original: Int16, background: Int16 | None) -> None:
        """The next hop, each (HOP, 2); `background` is given for all hops or for none."""
        speech = whole = to_float(original)
        if background is None:
            self._separated = False
        else:
            speech = whole - to_float(background)
        self._hops.append(self._k.power(speech) * _missing(speech, whole))

    @property
    def lufs(self) -> float:
        """Gated loudness of the speech; SILENT if there is none."""
        hops = np.array(self._hops)
        whole = gated(hops)
        if self._separated or whole == SILENT:
            return whole
        above = gated(np.maximum(hops - np.quantile(hops, _FLOOR_QUANTILE, method="lower"), 0.0))
        return max(above, whole - _MOST_FLOOR_DB)


def _missing(speech: Float, whole: Float) -> float:
    """By how much the power of a speech estimate is to be raised; 1.0 if it is all of `whole`.

    A separator's gain is near a Wiener gain G = S / (S + B): the estimate's own power, G**2 times
    the whole's, lacks what stayed in the background, while its correlation with the whole, G times
    the whole's power, is S. Over-subtraction makes that too much where the speech is far below the
    background (by 2 dB at -6 dB); what real separators leave over music is more.
    """
    own = float(np.vdot(speech, speech))
    shared = float(np.vdot(speech, whole))
    return min(max(shared / own, 0.0), _MOST_MISSING) if own > 0 else 1.0


def gain_between(speech_lufs: float, voice_lufs: float) -> float:
    """The linear gain that brings a voice to the speech's loudness, within -18..+12 dB.

    1.0 if either is silent: there is nothing to match then.
    """
    if SILENT in (speech_lufs, voice_lufs):
        return 1.0
    return from_db(min(max(speech_lufs - voice_lufs, _LEAST_DB), _MOST_DB))


def match_gain(original: Int16, background: Int16 | None, voice: Float) -> float:
    """The linear gain for a dub `voice` (mono, heard on both channels).

    `original`, `background`: the replaced span, (frames, 2) each; None: not separated.
    """
    level = SpeechLevel()
    for at in range(0, len(original) - HOP + 1, HOP):
        under = None if background is None else background[at : at + HOP]
        level.feed(original[at : at + HOP], under)
    return gain_between(level.lufs, integrated(voice))

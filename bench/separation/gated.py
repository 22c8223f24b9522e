"""A separated stream behind the gate, as on air: the original outside speech, bit for bit.

Witnesses are the voice activity detector and the separator's share of speech; no transcript helps.
"""

from __future__ import annotations

from bench.separation.measure import Streamed
from dubcast.audio.pcm import Float, Int16, to_float, to_int16
from dubcast.audio.vad import WINDOW, SileroVad, SpeechModel, VadStream
from dubcast.separation.gate import SpeechGate

_BLOCK = 1024


def gated(whole: Int16, made: Streamed, model: SpeechModel | None = None) -> Float:
    """What is heard in place of the mix `whole` (frames, 2), with the speech taken out.

    `model`: the voice activity detector (None: Silero).
    """
    gate = SpeechGate()
    vad = VadStream(model or SileroVad())
    for start in range(0, len(whole), _BLOCK):
        for window in vad.feed(start, whole[start : start + _BLOCK]):
            gate.vad(window.start, WINDOW, window.probability)
    gate.shares(0, made.speech_share)
    return to_float(gate.render(0, whole, to_int16(made.background)))

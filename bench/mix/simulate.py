"""An ideal dub of a programme, and the same with one fault: proof that each figure sees its own.

No worker, no server: the known bed, and the reference translation spoken on the onset of every
line at the line's own loudness. What the judge says of it is what it says of perfection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.mix import judge, loudness, recorded
from bench.mix.models import Voice
from bench.mix.takes import Evidence, Stems, fitted
from dubcast.audio.pcm import RATE, Float
from dubcast.config import Settings
from dubcast.measure import speech_models

_GAP_S = 0.03
_LATE_S = 0.8
_DRIFT_S = 0.6
_FASTEST = 1.25
_LINES = 8
# Not yet the next line: they are 1.9 s apart in the demo.
_REST_S = 1.6


@dataclass(frozen=True)
class Fault:
    """What is broken, and the figures that must miss their bars because of it."""

    about: str
    misses: frozenset[str]


FAULTS: Mapping[str, Fault] = {
    "none": Fault("nothing: the ideal dub", frozenset()),
    "source": Fault(
        "the source goes out as it came",
        frozenset({"original_words_over_chance", "roundtrip_chrf", "onset_in_window_share"}),
    ),
    "leak": Fault("the original stays 6 dB below", frozenset({"leak_under_dub_db"})),
    "half": Fault(
        "dubs end half way and the original comes back",
        frozenset({"original_words_over_chance", "roundtrip_chrf"}),
    ),
    "late": Fault("every dub 0.8 s late", frozenset({"onset_in_window_share"})),
    "fast": Fault("every dub at 1.4", frozenset({"tempo_in_band_share", "tempo_max"})),
    "drift": Fault(
        "each dub 0.6 s later than the one before",
        frozenset({"onset_in_window_share", "backlog_end_s", "backlog_slope_abs"}),
    ),
    "loud": Fault("dubs 3 dB too loud", frozenset({"loudness_error_lu_p95"})),
    "hot": Fault("all of it 15 dB up", frozenset({"true_peak_dbtp", "loudness_error_lu_p95"})),
    "mute": Fault(
        "each second dub and its bed is silence",
        frozenset({"silence_ratio_added", "dead_air_share", "roundtrip_chrf"}),
    ),
    "garbled": Fault("every dub says the first line", frozenset({"roundtrip_chrf"})),
}


def shortened(known: Stems) -> Stems:
    """The programme up to its ninth line: enough to see a fault, and each is judged anew."""
    lines = known.narration[:_LINES]
    end = round((lines[-1].end_s + _REST_S) * RATE)
    return Stems(known.bed[:end], known.speech[:end], lines)


def run(known: Stems, fault: str, voice: Voice, settings: Settings) -> Evidence:
    """The evidence of a run with this fault."""
    entries = _entries(known, fault, voice, settings)
    if fault == "source":
        bare = [{**e, "dub_start_s": None, "dub_end_s": None} for e in entries]
        return Evidence(known, known.source, known.source, (0.0, known.seconds), bare)
    out = known.bed.copy()
    for index, entry in enumerate(entries):
        _sound(out, entry, known, fault, index, voice)
    if fault == "leak":
        out += 0.5 * known.speech[:, None]
    if fault == "hot":
        out *= 10 ** (15 / 20)
    logged = [{**entry, "translated_text": entry["said"]} for entry in entries]
    return Evidence(known, known.source, recorded.coded(out), (0.0, known.seconds), logged)


def _entries(known: Stems, fault: str, voice: Voice, settings: Settings) -> list[dict[str, Any]]:
    policy = settings.stream
    texts = [line.text for line in known.narration]
    said = speech_models.reference_translation(
        texts, policy.source_language, policy.target_language
    )
    if fault == "garbled":
        said = [said[0]] * len(said)
    ends = [line.start_s for line in known.narration[1:]] + [known.seconds]
    entries = []
    for index, (line, text, following) in enumerate(zip(known.narration, said, ends, strict=True)):
        natural = len(voice.say(text)) / RATE
        room = following - line.start_s - _GAP_S
        part = 0.5 if fault == "half" else 1.0
        tempo = 1.4 if fault == "fast" else min(max(natural / room, 1.0), _FASTEST)
        start = line.start_s + _delay_s(fault, index)
        entry = {
            "source_start_s": line.start_s,
            "source_end_s": line.end_s,
            "outcome": "dubbed",
            "dub_start_s": start,
            "dub_end_s": start + part * natural / tempo,
            "tempo": tempo,
            "said": text,
        }
        entries.append(entry)
    return entries


def _delay_s(fault: str, index: int) -> float:
    return {"late": _LATE_S, "drift": _DRIFT_S * index}.get(fault, 0.0)


def _sound(
    out: Float, entry: Mapping[str, Any], known: Stems, fault: str, index: int, voice: Voice
) -> None:
    first, last = (round(entry[key] * RATE) for key in ("dub_start_s", "dub_end_s"))
    if fault == "mute" and index % 2:
        out[first:last] = 0
        return
    whole = voice.say(entry["said"])
    if fault == "half":
        begin, end = last, round(entry["source_end_s"] * RATE)
        out[begin:end] += known.speech[begin:end, None]
        clip = fitted(whole, 2 * (last - first))[: last - first]
    else:
        clip = fitted(whole, last - first)
    span = slice(*(round(entry[key] * RATE) for key in ("source_start_s", "source_end_s")))
    level = loudness.integrated(np.repeat(known.speech[span, None], 2, axis=1))
    wanted = (-23.0 if level is None else level) + (3.0 if fault == "loud" else 0.0)
    judge.add(out, first, judge.at_loudness(clip, wanted))

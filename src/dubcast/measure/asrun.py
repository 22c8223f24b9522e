"""The figures that the as-run records of a stream give. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dubcast.contract.worker import AsRunEntry, Outcome, SpeechAired, undubbed_share
from dubcast.measure.figures import Figure
from dubcast.measure.percentile import percentile


def fragment_figures(asrun: Sequence[AsRunEntry]) -> dict[str, Figure]:
    """Counts, tempo and lag of the fragments of an as-run log, or of their clauses, and how much
    of the speech aired without a dub."""
    speech = [entry for entry in asrun if entry.to_be_dubbed]
    dubbed = [entry for entry in speech if entry.outcome is Outcome.DUBBED]
    # What goes on where another has ended has no beginning that is heard as one.
    begin = [one for before, one in pairwise([None, *asrun]) if one and not one.goes_on(before)]
    lags = [lag_s for entry in begin if (lag_s := entry.lag_s) is not None]
    return {
        "fragments_speech": len(speech),
        "fragments_dubbed": len(dubbed),
        "dubbed_share": round(len(dubbed) / len(speech), 4) if speech else 0.0,
        "undubbed_speech_share": undubbed_share(speech_seconds(asrun)),
        "tempo_p95": percentile([entry.tempo for entry in dubbed], 95),
        "dub_lag_p50_s": percentile(lags, 50),
        "dub_lag_p95_s": percentile(lags, 95),
    }


def speech_seconds(asrun: Sequence[AsRunEntry]) -> dict[SpeechAired, float]:
    """Seconds of speech by how they went on air."""
    seconds: dict[SpeechAired, float] = {}
    for aired, aired_s in (one for entry in asrun for one in entry.aired_s.items()):
        seconds[aired] = seconds.get(aired, 0.0) + aired_s
    return seconds

"""The figures that the as-run records of a stream give. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.measure.figures import Figure


def fragment_figures(asrun: Sequence[AsRunEntry]) -> dict[str, Figure]:
    """Counts, tempo and lag of the fragments of an as-run log."""
    speech = [entry for entry in asrun if not entry.outcome.original_is_right]
    dubbed = [entry for entry in speech if entry.outcome is Outcome.DUBBED]
    lags = [span[0] - entry.source_start_s for entry in dubbed if (span := entry.dub_span_s)]
    return {
        "fragments_speech": len(speech),
        "fragments_dubbed": len(dubbed),
        "dubbed_share": round(len(dubbed) / len(speech), 4) if speech else 0.0,
        "tempo_p95": _percentile([entry.tempo for entry in dubbed], 95),
        "dub_lag_p50_s": _percentile(lags, 50),
        "dub_lag_p95_s": _percentile(lags, 95),
    }


def _percentile(values: Sequence[float], rank: float) -> float | None:
    return round(float(np.percentile(values, rank)), 3) if values else None

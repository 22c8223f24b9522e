"""A percentile as a figure. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentile(values: Sequence[float], rank: float, digits: int = 3) -> float | None:
    """The value that `rank` percent of them do not exceed, rounded; None if there are none."""
    return round(float(np.percentile(values, rank)), digits) if values else None

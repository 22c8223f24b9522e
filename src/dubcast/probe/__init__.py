"""Measures recordings: A/V offset, gaps, order, bit-exactness, delay."""

from dubcast.probe.measure import (
    Comparison,
    ProbeReport,
    Sync,
    Track,
    measure,
    probe,
)

__all__ = ["Comparison", "ProbeReport", "Sync", "Track", "measure", "probe"]

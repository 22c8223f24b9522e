"""The edges of a worker that runs: GStreamer, Silero, the machine's clock and its threads."""

from __future__ import annotations

import asyncio

from dubcast.audio.vad import SileroVad
from dubcast.clock import SystemClock
from dubcast.worker.edges import Edges
from dubcast.worker.gst.input import open_input
from dubcast.worker.gst.output import OutputPipeline


def real_edges() -> Edges:
    """Raises MissingPartError if GStreamer or the voice detector is not there."""
    return Edges(open_input, OutputPipeline, SileroVad, SystemClock(), asyncio.to_thread)

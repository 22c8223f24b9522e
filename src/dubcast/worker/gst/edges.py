"""The edges of a worker that runs: GStreamer, Silero, the machine's clock and its threads."""

from __future__ import annotations

import asyncio
from functools import partial

from dubcast import gst_elements
from dubcast.audio.vad import SileroVad
from dubcast.clock import SystemClock
from dubcast.worker.edges import Edges
from dubcast.worker.gst.input import open_input
from dubcast.worker.gst.output import OutputPipeline
from dubcast.worker.gst.pipeline import preload
from dubcast.worker.source_url import scheme_of


def load_elements(source: str) -> None:
    """Load what a stream from this source will most likely need, before it begins.

    Raises ConfigError for a source that cannot be named.
    """
    reading = gst_elements.SOURCES[scheme_of(source)]
    preload({*reading, *gst_elements.SOUND["AAC"], *gst_elements.INPUT, *gst_elements.OUTPUT})


def real_edges(*, with_opus: bool = False) -> Edges:
    """`with_opus`: the output carries it beside AAC. Raises MissingPartError if GStreamer or the
    voice detector is not there."""
    output = partial(OutputPipeline, with_opus=with_opus)
    return Edges(open_input, output, SileroVad, SystemClock(), asyncio.to_thread)

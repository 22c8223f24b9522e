"""Inputs of every kind: which pipeline reads a source."""

from __future__ import annotations

from dubcast import gst_elements
from dubcast.worker.container import Container, container_of
from dubcast.worker.edges import Input, InputCallbacks
from dubcast.worker.gst.demuxed_input import DemuxedInput
from dubcast.worker.gst.flv_input import FlvInput
from dubcast.worker.gst.pipeline import require
from dubcast.worker.gst.rtsp_input import RtspInput
from dubcast.worker.source_url import path_of, scheme_of

_FLV = ("rtmp", "rtmps", "http", "https")


def open_input(url: str, callbacks: InputCallbacks, patience_s: float) -> Input:
    """The pipeline that reads `url` once. `patience_s`: how long it may send nothing (FLV).

    Raises MissingPartError if GStreamer lacks what this source, or any output, needs: it would
    else be known only when media has come.
    """
    scheme = scheme_of(url)
    require((*gst_elements.SOURCES[scheme], *gst_elements.INPUT, *gst_elements.OUTPUT))
    container = container_of(path_of(url)) if scheme == "file" else None
    if scheme in _FLV or container is Container.FLV:
        return FlvInput(url, callbacks, patience_s)
    if scheme == "rtsp":
        return RtspInput(url, callbacks)
    return DemuxedInput(url, callbacks, pts_alone=container is Container.MATROSKA)

"""The words for where a stream and its destinations stand: states and reason codes, one table.

They are told at `/v1/streams` and at a forwarder's `/status`, with the time since when.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class StreamState(StrEnum):
    """What a stream is doing."""

    IDLE = "idle"  # no publisher, nothing runs
    STARTING = "starting"  # a publisher is there or was let in, the output cannot be read yet
    LIVE = "live"  # the output can be read, and dubs are on air or nobody speaks
    DEGRADED = "degraded"  # on air, or ought to be, with something missing; the reason says what
    GRACE = "grace"  # the publisher is gone and awaited; the worker and the egress run on
    STOPPING = "stopping"  # the worker and the egress are being stopped
    FAILED = "failed"  # cannot be served; not tried again for this publisher


class StreamReason(StrEnum):
    """Why a stream is in its state. While its worker has nothing on air, the worker's own state is
    the reason instead. What to do about each: docs/reasons.md.
    """

    NEW = "new"  # just heard of
    PUBLISHER_EXPECTED = "publisher_expected"  # it was let in, and is not listed yet
    PUBLISHER_UP = "publisher_up"
    PUBLISHER_BACK = "publisher_back"  # within the grace period
    PUBLISHER_GONE = "publisher_gone"
    NO_CAPACITY = "no_capacity"  # as many streams run here as may
    ADOPTED = "adopted"  # its processes were found running
    STOPPED = "stopped"
    ON_AIR = "on_air"
    RESUMING = "resuming"  # a worker that replaced another plays the original yet
    OUTPUT_LOST = "output_lost"  # the worker's way to the media server is cut
    OUTPUT_NOT_READY = "output_not_ready"  # media leaves; the media server does not list it yet
    PASSTHROUGH = "passthrough"  # the worker kept crashing: the original passes untouched
    VIDEO_CODEC = "video_codec"  # these two: the source carries what dubcast does not take
    AUDIO_CODEC = "audio_codec"
    NO_VIDEO = "no_video"  # these two: the source has no such track
    NO_AUDIO = "no_audio"
    MISSING_PART = "missing_part"  # a GStreamer element is not installed
    POLICY_REFUSED = "policy_refused"  # the speech service lacks its language or voice
    WORKER_CANNOT_START = "worker_cannot_start"  # it said so
    WORKER_CRASHED = "worker_crashed"  # these five: it ended, and is started again
    WORKER_HUNG = "worker_hung"
    WORKER_MEMORY = "worker_memory"
    WORKER_QUIET_OVER = "worker_quiet_over"  # the passthrough made room for it
    WORKER_REPLACED = "worker_replaced"  # its publisher came back by another protocol or codec
    NOT_DUBBING = "not_dubbing"  # on air, but what is said is not dubbed; the detail says why
    SEPARATION_OFF = "separation_off"  # dubs lie over the ducked original: nothing separates it


class NotDubbing(StrEnum):
    """Why what is said on a stream is not dubbed: the detail of `not_dubbing`."""

    STS_UNREACHABLE = "sts_unreachable"  # no connection to the speech service
    STS_REFUSED_KEY = "sts_refused_key"  # it wants another key
    LANGUAGE_REFUSED = "language_refused"  # it does not take what it is asked for
    OVERLOADED = "overloaded"  # it says so, or its replies come too late
    STS_FAILING = "sts_failing"  # it answers, with errors or with what is no dub
    SEPARATION_OFF = "separation_off"  # without separation this stream's policy is not to dub


class NoWhep(StrEnum):
    """Why browsers cannot look at an output by WHEP."""

    OFF = "off"  # the output carries no Opus: not asked for
    B_FRAMES = "b_frames"  # WebRTC has none, and pictures pass as they are


class EgressState(StrEnum):
    """A destination as people see it."""

    CONNECTING = "connecting"  # no media yet, or only just
    LIVE = "live"  # the destination takes the stream
    SLOW = "slow"  # it takes the stream, and less than there is; the detail says how much
    STALLED = "stalled"  # connected, but nothing has been taken for too long; being cut
    REFUSED = "refused"  # the destination said no; tried again, slowly
    RETRYING = "retrying"  # waiting before the next try
    STOPPED = "stopped"  # asked to stop


class EgressFailure(StrEnum):
    """Why a try of a forwarder ended; the reason of its state."""

    INPUT_NOT_READY = "input_not_ready"  # the dubbed stream is not there (yet)
    REFUSED = "refused"  # the destination does not want us: key, permission, in use
    UNREACHABLE = "unreachable"  # no connection to the destination
    CERTIFICATE = "certificate"  # by rtmps: whoever answered cannot prove who it is
    LOST = "lost"  # it was live, and then was not
    STALLED = "stalled"  # it took nothing for too long
    INTERNAL = "internal"  # the forwarder itself failed


class EgressStatus(BaseModel):
    """`GET /status` of a forwarder; no URL. Unknown fields are ignored, so that an older reader
    understands a newer forwarder."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stream_id: str
    destination: str
    state: EgressState
    reason: EgressFailure | Literal[""] = Field(description="why the last try ended, if it did")
    since_s: float
    connects: int = Field(description="times it became live")
    tries: int
    bytes: int = Field(description="taken by the destination in this try")
    last_error: str = Field(description="how the last try ended, in the destination's words if any")
    detail: str = Field("", description="of `slow`: how much is taken of how much")
    lag_s: float = Field(0.0, description="how long what it takes now has waited for it")
    skips: int = Field(0, description="times that something was left out for it")

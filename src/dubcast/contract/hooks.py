"""What the media server's hook program sends to the orchestrator."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class HookEvent(BaseModel):
    """`POST /v1/mediamtx/events/ready` and `/not-ready`.

    Hooks are hints: they may be lost, doubled, late or out of order. `sourceId` is the fencing
    token. Unknown source types and further fields are accepted, since newer servers add them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str = Field(max_length=512)
    query: str = Field(default="", max_length=4096, repr=False)  # a key may be in it
    sourceType: str = Field(default="", max_length=64)
    sourceId: str = Field(default="", max_length=128)


class HookReply(BaseModel):
    """Whether the event named an ingest path (`accepted`) or not (`ignored`)."""

    result: str

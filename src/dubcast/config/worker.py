"""Settings of a stream's worker."""

from __future__ import annotations

import math

from pydantic import Field, model_validator

from dubcast.config.values import Host, Section, UserPath

# Four stems of 192 kB a second, two segments of each.
_DUMP_MB_PER_S = 4 * 2 * 0.192


class DumpSettings(Section):
    """Recordings of each stem for debugging. They hold what was said: off by default."""

    dir: UserPath | None = Field(None, description="folder for WAV files of each stem; none: off")
    segment_s: int = Field(60, ge=1, le=600, description="length of a file")
    max_mb: int = Field(1024, ge=1, le=1_000_000, description="the oldest go when there is more")
    retention_h: float = Field(24.0, gt=0, le=8760, description="older files are deleted")

    @model_validator(mode="after")
    def _check_room(self) -> DumpSettings:
        least = math.ceil(self.segment_s * _DUMP_MB_PER_S)
        if self.max_mb < least:
            raise ValueError(f"max_mb must be {least} or more for segments of {self.segment_s} s")
        return self


class WorkerSettings(Section):
    """A stream worker's own knobs."""

    asrun_dir: UserPath | None = Field(
        None, description="folder for the as-run log (transcripts!); none: not written"
    )
    metrics_host: Host = Field(
        "127.0.0.1", description="where a stream's workers and forwarders serve /metrics"
    )
    resume_delay_s: float = Field(
        1.0,
        ge=0.5,
        le=15,
        description="delay after a crash, with the original sound, until `delay_s` of the stream "
        "is held; then it steps back to `delay_s` once. `delay_s` or more: no output until then",
    )
    drain_s: float = Field(
        10.0, ge=0, le=60, description="on SIGTERM what is held is played out, at most so long"
    )
    dumps: DumpSettings = DumpSettings()

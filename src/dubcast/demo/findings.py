"""What a demo run found: the data of its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dubcast.contract.worker import AsRunEntry
from dubcast.demo.plots import Sound
from dubcast.measure.figures import Bar, Figure


@dataclass
class Programme:
    """What was found of one programme. `av_points` are (output s, ms), `delay_points`
    (output s, s); both sounds are on stream time (the output shifted back by the delay).

    `said`: the narrator's sentences; `heard`: what a recogniser understood of the output.
    """

    stream_id: str
    title: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    fragments: Sequence[AsRunEntry] = ()
    av_points: Sequence[tuple[float, float]] = ()
    delay_points: Sequence[tuple[float, float]] = ()
    source: Sound | None = None
    output: Sound | None = None
    said: Sequence[str] = ()
    heard: Sequence[str] = ()
    notes: Sequence[str] = ()
    probe: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON, without the sounds."""
        return {
            "title": self.title,
            "figures": dict(self.figures),
            "fragments": [fragment.model_dump(mode="json") for fragment in self.fragments],
            "av_points": list(self.av_points),
            "delay_points": list(self.delay_points),
            "said": list(self.said),
            "heard": list(self.heard),
            "notes": list(self.notes),
            "probe": dict(self.probe),
        }


@dataclass
class DemoReport:
    """What a demo run found. `figures` are judged, and are of all programmes together."""

    figures: Mapping[str, Figure]
    bars: Sequence[Bar] = ()
    programmes: Sequence[Programme] = ()
    title: str = "dubcast demo"
    summary: str = ""
    seed: int | None = None
    notes: Sequence[str] = ()

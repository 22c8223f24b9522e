"""The demo's report: one JSON file, and one HTML file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dubcast.demo.findings import DemoReport
from dubcast.demo.page import page
from dubcast.measure import figures


@dataclass(frozen=True)
class Written:
    """The files, and whether every bar is met."""

    json: Path
    html: Path
    passed: bool


def write(report: DemoReport, out_dir: Path) -> Written:
    """Write `report.json` and `report.html` into `out_dir`.

    Raises MissingPartError without the ffmpeg program, MediaError if sound cannot be encoded.
    """
    verdicts = figures.judge(report.figures, report.bars)
    programmes = {one.stream_id: one.as_data() for one in report.programmes}
    detail = {"programmes": programmes, "notes": list(report.notes)}
    document = figures.document(report.figures, seed=report.seed, detail=detail)
    document["bars"] = figures.bars_as_data(report.bars)
    written = Written(
        out_dir / "report.json", out_dir / "report.html", figures.passed(verdicts)
    )  # fmt: skip
    figures.write_json(written.json, document)
    written.html.write_text(page(report, verdicts, document), encoding="utf-8")
    return written

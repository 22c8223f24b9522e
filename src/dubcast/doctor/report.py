"""The doctor's report: findings, and how they are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One line of the report. `needed`: without it dubcast does not run here."""

    name: str
    ok: bool
    detail: str = ""
    needed: bool = True

    @property
    def state(self) -> str:
        """`ok`, `missing`, or `note`: not as it might be, and no reason not to start."""
        return "ok" if self.ok else "missing" if self.needed else "note"


_MARKS = {"ok": "ok     ", "missing": "MISSING", "note": "note   "}


def complete(findings: Sequence[Finding]) -> bool:
    """True if everything that is needed is here."""
    return not any(one.state == "missing" for one in findings)


def lines(findings: Sequence[Finding]) -> list[str]:
    """The report for people."""
    told = [
        f"{_MARKS[one.state]}  {one.name}{f'  ({one.detail})' if one.detail else ''}"
        for one in findings
    ]
    return [*told, "everything that is needed is here"] if complete(findings) else told


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The report for programs."""
    found = [{**asdict(one), "state": one.state} for one in findings]
    return {"complete": complete(findings), "findings": found}

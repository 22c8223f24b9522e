"""docs/reasons.md has every code that dubcast gives as a reason, with what to do, and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from dubcast import run_result
from dubcast.contract.errors import ErrorCode
from dubcast.contract.streams import EgressFailure, NotDubbing, NoWhep, StreamReason
from dubcast.contract.sts import LeftAlone, NoDub
from dubcast.contract.worker import Outcome, WorkerState
from dubcast.worker.dubbing import _DETAILS

ROOT = Path(__file__).parents[2]
SECTIONS = (ROOT / "docs/reasons.md").read_text(encoding="utf-8").split("\n## ")
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
CLIENT_CODES = {"INVALID_REPLY", "OTHER_REPLY", "BREAKER_OPEN"}


def rows(title: str) -> dict[str, tuple[str, str]]:
    """Code -> what it means, what to do; of the section that begins so."""
    (section,) = (one for one in SECTIONS if one.startswith(title))
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| `")
    ]
    codes = [row[0].strip("`") for row in found]
    assert len(codes) == len(set(codes)), "a code twice"
    return {code: (row[1], row[2]) for code, row in zip(codes, found, strict=True)}


def strings(module: str) -> set[str]:
    """Every string in a module of the worker that looks like a code."""
    tree = ast.parse((ROOT / "src/dubcast/worker" / module).read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {one for one in constants if isinstance(one, str) and re.fullmatch(r"[a-z_]+", one)}


def placing_reasons() -> set[str]:
    return {one for one in strings("planner.py") if one.endswith("too_long")}


KNOWN: dict[str, set[str]] = {
    # A worker that has stopped is told as the stream's own `stopped`.
    "A stream": {*StreamReason, *WorkerState},
    "Not dubbed": {*NotDubbing},
    "A fragment": {
        *Outcome,
        *get_args(ErrorCode),
        *CLIENT_CODES,
        *LeftAlone,
        *NoDub,
        *(code for code in _DETAILS if code.islower()),
        *placing_reasons(),
    },
    "A destination": {*EgressFailure},
    "No WHEP": {*NoWhep},
    "An alert": set(re.findall(r"alert: (\w+)", ALERTS.read_text(encoding="utf-8"))),
    "A publisher": {"wrong_key", "unknown_stream", "not_allowed", "path", "no_read_key"},
    "`dubcast run`": {
        "2",
        *map(
            str,
            (run_result.DELIVERED, run_result.NOTHING_DELIVERED, run_result.NOTHING_DUBBED),
        ),
    },
}


@pytest.mark.parametrize("title", KNOWN)
def test_every_code_is_in_the_page_with_what_to_do(title: str) -> None:
    told = rows(title)
    assert set(told) == set(KNOWN[title])
    assert all(meaning and way_out for meaning, way_out in told.values())


def test_what_a_worker_refuses_its_source_for_is_a_reason_of_a_stream() -> None:
    refusals = {one for one in strings("flv_reader.py") if one.endswith("_codec")}
    assert refusals == {"video_codec", "audio_codec"}
    assert refusals <= set(StreamReason)


def test_what_the_media_server_is_told_is_in_the_page() -> None:
    source = (ROOT / "src/dubcast/mediaserver/auth.py").read_text(encoding="utf-8")
    found = set(re.findall(r'Refusal\("([a-z_]+)"', source))
    assert found == KNOWN["A publisher"]


def test_what_a_fragment_is_decided_for_is_in_the_page() -> None:
    reasons = {"deadline", "not_sent", "no_background"}
    assert reasons <= strings("fragments.py")
    assert "queue_full" in strings("dubber.py")
    assert reasons | {"queue_full"} <= set(rows("A fragment"))
    assert placing_reasons() == {"dub_too_long", "previous_dub_too_long"}


def test_the_page_is_found_from_the_readme() -> None:
    assert "(docs/reasons.md)" in (ROOT / "README.md").read_text(encoding="utf-8")

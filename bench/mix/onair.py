"""Puts the programmes on air: all roles, a third party, and recorders at both ends."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from bench.mix.takes import Kept
from dubcast.config import Settings, StreamEntry
from dubcast.errors import MediaError
from dubcast.measure import stage
from dubcast.measure.material import Material
from dubcast.measure.playing import Ends, OnStage, asrun_path, play

NOTE = "take.json"


class Programme(Protocol):
    """What is put on air. `policy`: what its stream is set to, its delay among it."""

    @property
    def name(self) -> str: ...

    @property
    def delay_s(self) -> float: ...

    @property
    def policy(self) -> Mapping[str, object]: ...


def kept(programme: Programme, out: Path) -> Kept:
    """Where the files of a programme's run are."""
    return Kept(out / programme.name)


def note(kept_files: Kept) -> dict[str, Any]:
    """What was noted of a run: its delay, what the processes used, the machine's load."""
    data: dict[str, Any] = json.loads((kept_files.folder / NOTE).read_text(encoding="utf-8"))
    return data


def run(
    plays: Sequence[tuple[Programme, Material]], settings: Settings, out: Path, console: Console
) -> None:
    """Play each programme through everything and keep both ends and the as-run log."""
    names = [programme.name for programme, _ in plays]
    roles, third = stage.stage_settings(settings, out, names)
    roles = _with_policies(roles, [programme for programme, _ in plays])
    with stage.running(roles, third, out) as up_pid:
        for programme, material in plays:
            console.print(f"on air: {programme.name}, {material.duration_s:.0f} s")
            _play(programme, material, OnStage(roles, third, up_pid, out))


def _with_policies(roles: Settings, programmes: Sequence[Programme]) -> Settings:
    streams = {
        programme.name: StreamEntry(
            destinations=roles.orchestrator.streams[programme.name].destinations,
            policy=dict(programme.policy),
        )
        for programme in programmes
    }
    orchestrator = roles.orchestrator.model_copy(update={"streams": streams})
    return roles.model_copy(update={"orchestrator": orchestrator})


def _play(programme: Programme, material: Material, where: OnStage) -> None:
    files = kept(programme, where.out)
    shutil.rmtree(files.folder, ignore_errors=True)
    files.folder.mkdir(parents=True)
    asrun = asrun_path(where.out, programme.name)
    asrun.unlink(missing_ok=True)
    played = play(
        where,
        programme.name,
        material.clip,
        Ends(files.source, files.output),
        seconds=material.duration_s,
        delay_s=programme.delay_s,
    )
    if not asrun.exists():
        raise MediaError(f"the worker of {programme.name} decided nothing; logs are in {where.out}")
    shutil.copy(asrun, files.asrun)
    # The load tells a machine that was too busy from a product that was too slow.
    noted = {
        "delay_s": programme.delay_s,
        **asdict(played.usage),
        "longest_fragments_s": played.longest_fragments_s,
        "load": os.getloadavg(),
    }
    (files.folder / NOTE).write_text(json.dumps(noted) + "\n")

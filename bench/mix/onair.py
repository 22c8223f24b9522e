"""Puts the programmes on air: all roles, a third party, and recorders at both ends."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.mix.programmes import Programme
from bench.mix.takes import Kept
from dubcast.config import Settings, StreamEntry
from dubcast.contract.ids import ingest_path
from dubcast.demo import show
from dubcast.errors import MediaError
from dubcast.live_view import LiveView
from dubcast.measure import stage
from dubcast.measure.material import Material
from dubcast.measure.recorder import RecorderProcess

NOTE = "take.json"
_TAIL_S = 3.0
_FIRST_DATA_S = 30.0


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
    roles = _with_delays(roles, [programme for programme, _ in plays])
    with stage.running(roles, third, out) as up_pid:
        for programme, material in plays:
            console.print(f"on air: {programme.name}, {material.duration_s:.0f} s")
            _play(programme, material, (roles, third), up_pid, out)


def _with_delays(roles: Settings, programmes: Sequence[Programme]) -> Settings:
    streams = {
        programme.name: StreamEntry(
            destinations=roles.orchestrator.streams[programme.name].destinations,
            policy={"delay_s": programme.delay_s},
        )
        for programme in programmes
    }
    orchestrator = roles.orchestrator.model_copy(update={"streams": streams})
    return roles.model_copy(update={"orchestrator": orchestrator})


def _play(
    programme: Programme,
    material: Material,
    settings: tuple[Settings, Settings],
    up_pid: int,
    out: Path,
) -> None:
    roles, third = settings
    name = programme.name
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asrun = out / "asrun" / f"{name}.asrun.jsonl"
    asrun.unlink(missing_ok=True)
    ingest = f"rtmp://127.0.0.1:{roles.media_server.rtmp_port}/{ingest_path(name)}"
    with _recording(ingest, stage.third_party_url(third, name), folder) as output:
        publisher = stage.publish(material.clip, ingest, folder)
        try:
            with LiveView(name) as view, stage.Watcher(up_pid, name, asrun) as watcher:
                show.show_until_published(publisher, view, watcher, material.duration_s)
                if not output.wait_for_data(_FIRST_DATA_S):
                    raise MediaError(f"nothing reached the third party; logs are in {out}")
                show.show_for(programme.delay_s + _TAIL_S, view, watcher)
        finally:
            publisher.stop()
    if not asrun.exists():
        raise MediaError(f"the worker of {name} decided nothing; logs are in {out}")
    shutil.copy(asrun, folder / "asrun.jsonl")
    # The load tells a machine that was too busy from a product that was too slow.
    noted = {"delay_s": programme.delay_s, **asdict(watcher.usage()), "load": os.getloadavg()}
    (folder / NOTE).write_text(json.dumps(noted) + "\n")


@contextmanager
def _recording(ingest: str, third: str, folder: Path) -> Iterator[RecorderProcess]:
    source = RecorderProcess(ingest, folder / "source.flv")
    output = RecorderProcess(third, folder / "output.flv")
    try:
        yield output
    finally:
        source.stop()
        output.stop()

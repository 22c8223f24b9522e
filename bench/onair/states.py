"""`python -m bench.onair.states`: how soon a stream says that it is not dubbed, and why.

Real processes: the roles of `dubcast up`, the speech service with its models, narrated speech. A
stream of the orchestrator has the way to its service cut, then finds one there that fails every
fragment, and is read at `/v1/streams`. Beside it, from the same source, workers with a wrong key
and with a language that the service lacks, read at `/status`. What counts is how many fragments go
on air without a dub before it is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from bench import parts
from bench.parts import Found, Part
from dubcast.cli.service import is_ready
from dubcast.config import Secret, Settings
from dubcast.contract.ids import ingest_path
from dubcast.contract.streams import NotDubbing, StreamReason, StreamState
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.errors import MediaError
from dubcast.measure import stage
from dubcast.measure.figures import Bar, Figure
from dubcast.measure.narrated import narrated
from dubcast.testing import faults as replies
from dubcast.testing.proxy import FaultProxy, Faults
from dubcast.testing.sts_server import ScriptedSts

BARS = (
    Bar("state_told_fragments", "<=", 1, "on air without a dub before the right detail is told"),
    Bar("state_back_fragments", "<=", 2, "dubs on air before that is no longer told"),
    Bar("state_wrong_details", "==", 0, "looks that found another detail"),
)
_STREAM = "air"
_POLL_S = 0.1
_READY_S = 240.0
_MOST_S = 90.0  # until a fault is told, or over
_LACKING = "eo"  # a language that no voice speaks
_SERVED = frozenset({Outcome.DUBBED, Outcome.NO_SPEECH})

Look = Callable[[], Awaitable[str | None]]  # the detail; "": none is told; None: not on air


@dataclass
class Told:
    """A fault: the details that were read, with when, in monotonic ns.

    `also`: what is true of it too, for a moment.
    """

    name: str
    expected: NotDubbing
    began_ns: int
    details: list[tuple[int, str]] = field(default_factory=list)
    healed_ns: int | None = None
    also: frozenset[NotDubbing] = frozenset()

    @property
    def told_ns(self) -> int | None:
        """When it was first told as what it is."""
        return next((at for at, detail in self.details if detail == self.expected), None)

    @property
    def over_ns(self) -> int | None:
        """When it was no longer told, after it was healed."""
        healed = self.healed_ns
        later = (at for at, detail in self.details if healed and at > healed and not detail)
        return next(later, None)

    @property
    def wrong(self) -> int:
        """How often another detail was read."""
        return sum(detail not in ("", self.expected, *self.also) for _, detail in self.details)


def told_after(one: Told, entries: Iterable[AsRunEntry]) -> int | None:
    """Fragments that went on air without a dub before the fault was told; None: it never was."""
    if one.told_ns is None:
        return None
    return len(_without_dub(_on_air_between(entries, one.began_ns, one.told_ns)))


def back_after(one: Told, entries: Iterable[AsRunEntry]) -> int | None:
    """Fragments that went on air with a dub made since the fault was healed, after the last one
    without, before that was told; None: it never was.

    There need be none without: a fragment that fails may be dubbed at its second try.
    """
    if one.over_ns is None or one.healed_ns is None:
        return None
    known = _on_air_between(entries, one.began_ns, one.over_ns)
    last, healed_ns = max(_without_dub(known), default=-1), one.healed_ns
    dubbed = (entry for entry in known if entry.outcome is Outcome.DUBBED)
    made = {entry.sequence_number for entry in dubbed if _made_ns(entry) >= healed_ns}
    return sum(sequence > last for sequence in made)


def _without_dub(entries: Iterable[AsRunEntry]) -> set[int]:
    """The fragments of which a clause did not go as it should; one that begins late does."""
    known = list(entries)
    dubbed = {_clause(entry) for entry in known if entry.outcome is Outcome.DUBBED}
    begins_late = (entry.outcome is Outcome.LATE and _clause(entry) in dubbed for entry in known)
    return {
        entry.sequence_number
        for entry, late in zip(known, begins_late, strict=True)
        if entry.outcome not in _SERVED and not late
    }


def _clause(entry: AsRunEntry) -> tuple[int, int]:
    return entry.sequence_number, entry.clause


def _made_ns(dub: AsRunEntry) -> int:
    """When it was there at the latest: its deadline is before it is on air."""
    return (dub.air_ns or 0) - round((dub.deadline_margin_ms or 0) * 1e6)


def _on_air_between(entries: Iterable[AsRunEntry], from_ns: int, to_ns: int) -> list[AsRunEntry]:
    return [one for one in entries if one.air_ns is not None and from_ns <= one.air_ns < to_ns]


def measured(seen: Sequence[tuple[Told, Sequence[AsRunEntry]]]) -> dict[str, Figure]:
    """The worst of all faults, and each of them in `states`."""
    rows: list[dict[str, Any]] = []
    for one, entries in seen:
        told, back = told_after(one, entries), back_after(one, entries)
        rows.append({"fault": one.name, "told": told, "back": back, "wrong": one.wrong})
    healed = [row["back"] for row, (one, _) in zip(rows, seen, strict=True) if one.healed_ns]
    return {
        "state_told_fragments": _worst([row["told"] for row in rows]),
        "state_back_fragments": _worst(healed),
        "state_wrong_details": sum(row["wrong"] for row in rows),
        "states": rows,
    }


def _worst(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return max(known) if known and len(known) == len(counts) else None


async def take(settings: Settings, out: Path, console: Console) -> dict[str, Figure]:
    """All faults; the figures."""
    clip = await asyncio.to_thread(lambda: narrated(settings).clip)
    async with _on_air(settings, out, clip) as scene:
        console.print("on air; faults: " + ", ".join(_FAULTS), highlight=False)
        apart = [asyncio.create_task(_apart(scene, name)) for name in _APART]
        seen = []
        for name in _FAULTS:
            seen.append(await _struck(scene, name))
            if seen[-1][0].over_ns is None:
                console.print(f"{name}: no dub is on air again; nothing else is broken")
                break
        seen += await asyncio.gather(*apart)
    return measured([(one, _entries(out, stream)) for one, stream in seen])


@dataclass
class _Scene:
    roles: Settings
    third: Settings
    out: Path
    link: FaultProxy
    service: tuple[str, int]
    scripted: ScriptedSts
    client: httpx2.AsyncClient

    async def stream(self) -> str | None:
        """What the orchestrator says of the stream."""
        port = self.roles.orchestrator.port
        told = await self.read(f"http://127.0.0.1:{port}/v1/streams/{_STREAM}")
        if told.get("state") == StreamState.LIVE:
            return ""
        not_dubbed = told.get("reason") == StreamReason.NOT_DUBBING
        return str(told["detail"]) if not_dubbed else None

    async def read(self, url: str) -> dict[str, Any]:
        """What is there; empty while nobody answers."""
        with contextlib.suppress(httpx2.HTTPError, ValueError):
            return dict(json.loads((await self.client.get(url, timeout=2)).content))
        return {}


async def _cut(scene: _Scene, *, heal: bool) -> None:
    scene.link.faults = Faults(refuse=not heal)
    scene.link.reset()


async def _fails(scene: _Scene, *, heal: bool) -> None:
    scripted = ("127.0.0.1", int(scene.scripted.url.rpartition(":")[2]))
    scene.link.target = scene.service if heal else scripted
    scene.link.reset()


_FAULTS = {
    "sts_dead": (NotDubbing.STS_UNREACHABLE, _cut),
    "failing": (NotDubbing.STS_FAILING, _fails),
}
# Workers of their own: what they are asked to do, and what they say of it.
_APART: dict[str, tuple[NotDubbing, dict[str, Any], dict[str, Any]]] = {
    "key": (NotDubbing.STS_REFUSED_KEY, {"api_key": Secret("wrong")}, {}),
    "language": (NotDubbing.LANGUAGE_REFUSED, {}, {"target_language": _LACKING}),
}


async def _struck(scene: _Scene, name: str) -> tuple[Told, str]:
    expected, act = _FAULTS[name]
    # To lead the worker elsewhere, its calls under way are cut.
    one = Told(name, expected, time.monotonic_ns(), also=frozenset({NotDubbing.STS_UNREACHABLE}))
    await act(scene, heal=False)
    await _watch(one, scene.stream, lambda: one.told_ns is not None)
    await act(scene, heal=True)
    one.healed_ns = time.monotonic_ns()
    await _watch(one, scene.stream, lambda: one.over_ns is not None)
    return one, _STREAM


async def _apart(scene: _Scene, name: str) -> tuple[Told, str]:
    """A worker that was on air before, as far as it knows: so it does not ask what there is."""
    expected, sts, policy = _APART[name]
    url = f"http://127.0.0.1:{scene.service[1]}"
    own = scene.roles.model_copy(
        update={
            "sts": scene.roles.sts.model_copy(update={"url": url, **sts}),
            "stream": scene.roles.stream.model_copy(update=policy),
        }
    )
    source = f"rtmp://127.0.0.1:{own.media_server.rtmp_port}/{ingest_path(_STREAM)}"
    port, output = stage.free_port(), stage.third_party_url(scene.third, name)
    words = ("--stream-id", name, "--input", source, "--output", output, "--resume")
    one = Told(name, expected, time.monotonic_ns())
    worker = stage.role("worker", own, scene.out, *words, "--status-port", str(port))

    async def look() -> str | None:
        told = await scene.read(f"http://127.0.0.1:{port}/status")
        return str(told["dubbing"]["fault"]) if told else None

    try:
        await _watch(one, look, lambda: one.told_ns is not None)
    finally:
        await asyncio.to_thread(worker.stop)
    return one, name


async def _watch(one: Told, look: Look, done: Callable[[], bool]) -> None:
    end = time.monotonic() + _MOST_S
    while not done() and time.monotonic() < end:
        detail = await look()
        if detail is not None:
            one.details.append((time.monotonic_ns(), detail))
        await asyncio.sleep(_POLL_S)


@contextlib.asynccontextmanager
async def _on_air(settings: Settings, out: Path, clip: Path) -> AsyncIterator[_Scene]:
    """The stream on air, and dubbed. Raises MediaError if that does not come."""
    roles, third = _settings(settings, out)
    service = ("127.0.0.1", roles.sts_server.port)
    async with contextlib.AsyncExitStack() as stack:
        link = await stack.enter_async_context(FaultProxy(service))
        scripted = stack.enter_context(ScriptedSts(replies.always(replies.status(500))))
        client = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False))
        sts = stage.role("sts", roles, out)
        stack.push_async_callback(asyncio.to_thread, sts.stop)
        await _until(lambda: asyncio.to_thread(is_ready, roles.sts), "the speech service")
        sts_by_link = roles.sts.model_copy(update={"url": f"http://127.0.0.1:{link.port}"})
        linked = roles.model_copy(update={"sts": sts_by_link})
        up = stage.running(linked, third, out, "--no-sts")
        await asyncio.to_thread(up.__enter__)
        stack.push_async_callback(asyncio.to_thread, up.__exit__, None, None, None)
        ingest = f"rtmp://127.0.0.1:{roles.media_server.rtmp_port}/{ingest_path(_STREAM)}"
        publisher = stage.publish(clip, ingest, out, loop_s=3600)
        stack.push_async_callback(asyncio.to_thread, publisher.stop)
        scene = _Scene(linked, third, out, link, service, scripted, client)

        async def dubbed() -> bool:
            on_air = await scene.stream() == ""
            return on_air and any(one.outcome is Outcome.DUBBED for one in _entries(out, _STREAM))

        await _until(dubbed, "a dub on air")
        yield scene


def _settings(settings: Settings, out: Path) -> tuple[Settings, Settings]:
    """With a key, and with a breaker that tries again soon."""
    roles, third = stage.stage_settings(settings, out, (_STREAM,))
    breaker = roles.sts.breaker.model_copy(update={"open_s": 5.0, "longest_open_s": 5.0})
    key = {"api_key": Secret("right")}
    policy = {
        "separation": roles.stream.separation.model_copy(update={"separator": "off"}),
        # What is measured is what is told: a machine that is busy has time to dub, too.
        "delay_s": 15.0,
        "fragments": roles.stream.fragments.model_copy(update={"max_s": 5.0}),
    }
    own = {
        "sts": roles.sts.model_copy(update={**key, "breaker": breaker}),
        "sts_server": roles.sts_server.model_copy(update=key),
        "stream": roles.stream.model_copy(update=policy),
    }
    return roles.model_copy(update=own), third


async def _until(check: Callable[[], Awaitable[bool]], what: str) -> None:
    end = time.monotonic() + _READY_S
    while not await check():
        if time.monotonic() > end:
            raise MediaError(f"{what} did not come within {_READY_S:g} s")
        await asyncio.sleep(_POLL_S)


def _entries(out: Path, stream: str) -> list[AsRunEntry]:
    path = out / "asrun" / f"{stream}.asrun.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [AsRunEntry.model_validate_json(line) for line in lines]


def _measure(settings: Settings, out: Path, console: Console) -> Found:
    return Found(asyncio.run(take(settings, out, console)))


PART = Part("states", BARS, _measure)

if __name__ == "__main__":
    sys.exit(parts.run("onair", [PART], PART.name))

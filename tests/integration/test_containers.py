"""Files in every container: each picture and each sound at the time that its publisher gave it."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from test_run import call, scripted
from test_worker import media_server, recording

from dubcast import flv
from dubcast.audio.pcm import RATE, from_bytes, mono, ns_to_samples
from dubcast.audio.store import Placer
from dubcast.clock import NS_PER_MS, NS_PER_S
from dubcast.measure.flashbeep import find_beeps
from dubcast.measure.probe import probe
from dubcast.measure.recording import iter_tags
from dubcast.testing import publisher
from dubcast.testing.media import ClipSpec, beep_times, build_clip, run_ffmpeg
from dubcast.worker.edges import InputCallbacks, InputUnit

with warnings.catch_warnings():
    # GStreamer's bindings say in a way of their own that they are imported.
    warnings.simplefilter("ignore", ImportWarning)
    from dubcast.worker.gst.input import open_input
    from dubcast.worker.gst.pipeline import init

SPEC = ClipSpec(seconds=3.2, bframes=3)
EARLY_MS = 120  # how far PTS lie before what they were


@dataclass(frozen=True)
class Form:
    """How the clip is written: in what, how much later than the other a track begins, and how."""

    name: str
    picture_late_s: float = 0.0
    sound_late_s: float = 0.0
    sound_early_ms: float = 0.0  # as ffprobe reads it back
    options: tuple[str, ...] = ("-c", "copy")


FORMS = {
    "matroska": Form("clip.mkv"),
    "matroska-sound-late": Form("clip.mkv", sound_late_s=0.7),
    "matroska-picture-late": Form("clip.mkv", picture_late_s=0.7),
    # ffmpeg forgets the encoder's priming, 312 samples, when it moves the picture.
    "matroska-opus": Form(
        "clip.mkv", sound_early_ms=6.5, options=("-c:v", "copy", "-c:a", "libopus")
    ),
    "mp4": Form("clip.mp4"),
    "mp4-sound-late": Form("clip.mp4", sound_late_s=0.7),
    "mp4-picture-late": Form("clip.mp4", picture_late_s=0.7),
    # The encoder's priming is left out by an edit list.
    "mp4-priming": Form("clip.mp4", options=("-c:v", "copy", "-c:a", "aac")),
    "mp4-negative": Form("clip.mp4", options=("-c", "copy", "-movflags", "negative_cts_offsets")),
    "mp4-fragments": Form(
        "clip.mp4", options=("-c", "copy", "-movflags", "frag_keyframe+empty_moov")
    ),
    "mov": Form("clip.mov"),
    "ts": Form("clip.ts"),
    "ts-sound-late": Form("clip.ts", sound_late_s=0.7),
    "flv": Form("clip.flv"),
    "flv-sound-late": Form("clip.flv", sound_late_s=0.7),
    "flv-picture-late": Form("clip.flv", picture_late_s=0.7),
}


def written(form: Form, clip: Path, folder: Path) -> Path:
    folder.mkdir()
    out = folder / form.name
    picture = ("-itsoffset", str(form.picture_late_s), "-i", str(clip))
    sound = ("-itsoffset", str(form.sound_late_s), "-i", str(clip))
    run_ffmpeg([*picture, *sound, "-map", "0:v", "-map", "1:a", *form.options, str(out)])
    return out


@dataclass
class Taken:
    """What an input made of a file: its units, and its sound as a worker places it."""

    units: list[InputUnit] = field(default_factory=list)
    blocks: list[tuple[int, bytes]] = field(default_factory=list)
    end: tuple[str, str] = ("", "")

    def flashes_s(self) -> list[float]:
        shown = sorted(unit.pts for unit in self.units)
        return [shown[round(at * SPEC.fps)] / NS_PER_S for at in beep_times(SPEC)]

    def beeps_s(self) -> list[float]:
        placer = Placer()
        placed = [placer.place(ns_to_samples(pts), from_bytes(pcm)) for pts, pcm in self.blocks]
        first = placed[0].start
        sound = np.zeros((placed[-1].start - first + RATE, 2), np.int16)
        for one in placed:
            sound[one.start - first :][: len(one.samples)] = one.samples
        return [first / RATE + beep.onset_s for beep in find_beeps(mono(sound), RATE)]


def taken(path: Path) -> Taken:
    one, over = Taken(), threading.Event()

    def end(kind: str, message: str) -> None:
        one.end = (kind, message)
        over.set()

    source = open_input(
        str(path),
        InputCallbacks(
            one.units.append,
            lambda pts, pcm: one.blocks.append((pts, pcm)),
            lambda pts, body: None,
            end,
            end,
        ),
        5.0,
    )
    source.play()
    assert over.wait(30)
    source.stop()
    return one


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("containers")
    clip = build_clip(SPEC, folder)
    found = {name: written(form, clip, folder / name) for name, form in FORMS.items()}
    found["flv-early-pts"] = folder / "early-pts.flv"
    tags = publisher.early_pts(publisher.paced(iter_tags(clip)), EARLY_MS)
    found["flv-early-pts"].write_bytes(flv.write(item.tag for item in tags))
    return found


@pytest.fixture(scope="module")
def all_taken(files: dict[str, Path]) -> dict[str, Taken]:
    """All at once: each takes as long as it lasts."""
    init()
    with ThreadPoolExecutor(len(files)) as pool:
        return dict(zip(files, pool.map(taken, files.values()), strict=True))


NAMES = [*FORMS, "flv-early-pts"]


def said_pts_s(path: Path) -> list[float]:
    """PTS of the pictures in a file, in decoding order, as ffprobe reads them."""
    argv = ["ffprobe", "-v", "error", "-select_streams", "v", "-of", "csv=p=0"]
    argv += ["-show_entries", "packet=pts_time", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)
    return [float(line.strip(",")) for line in done.stdout.split()]


@pytest.mark.parametrize("name", NAMES)
def test_every_pts_is_the_file_s_own(
    all_taken: dict[str, Taken], files: dict[str, Path], name: str
) -> None:
    one = all_taken[name]
    assert one.end[0] == "eos"
    said = said_pts_s(files[name])
    assert len(one.units) == len(said) == round(SPEC.seconds * SPEC.fps)
    off_ms = [unit.pts / NS_PER_MS - 1000 * pts for unit, pts in zip(one.units, said, strict=True)]
    assert max(off_ms) - min(off_ms) < 0.01  # a constant


@pytest.mark.parametrize("name", NAMES)
def test_dts_grow_and_are_not_after_their_pts(all_taken: dict[str, Taken], name: str) -> None:
    units = all_taken[name].units
    assert all(a.dts < b.dts for a, b in itertools.pairwise(units))
    if name != "flv-early-pts":
        assert all(unit.dts <= unit.pts for unit in units)
    else:  # but where they were
        assert sum(unit.pts < unit.dts for unit in units) > len(units) // 2


def test_of_matroska_they_are_what_the_encoder_had(all_taken: dict[str, Taken]) -> None:
    """At a steady rate, and but for the first ones, before which there is none."""
    steps = [
        [(unit.dts - units[2].dts) / NS_PER_MS for unit in units[2:]]
        for units in (all_taken["matroska"].units, all_taken["flv"].units)
    ]
    assert max(abs(a - b) for a, b in zip(*steps, strict=True)) <= 1.001  # rounded once more


@pytest.mark.parametrize("name", NAMES)
def test_picture_and_sound_are_as_far_apart_as_in_the_file(
    all_taken: dict[str, Taken], name: str
) -> None:
    one = all_taken[name]
    form = FORMS.get(name, Form(name))
    wanted_s = form.sound_late_s - form.picture_late_s - form.sound_early_ms / 1000
    flashes, beeps = one.flashes_s(), one.beeps_s()
    assert len(beeps) == len(flashes) == 3
    for flash, beep in zip(flashes, beeps, strict=True):
        assert 1000 * (beep - flash - wanted_s) == pytest.approx(0, abs=1)


def test_where_nothing_says_when_a_picture_belongs_it_is_said(
    files: dict[str, Path], tmp_path: Path
) -> None:
    late = written(Form("late.ts", picture_late_s=1.5), files["flv"], tmp_path / "late")
    kind, message = taken(late).end
    assert kind == "error"
    assert "no timestamps" in message
    assert "ffmpeg" in message


def test_a_file_is_read_at_its_own_pace_and_to_its_last_picture(tmp_path: Path) -> None:
    """Even if that comes long after all else was read."""
    clip = build_clip(ClipSpec(seconds=4, gop=45, audio=False, bframes=0), tmp_path)
    items = publisher.keys_only(publisher.paced(iter_tags(clip)))
    source = tmp_path / "slides.flv"
    source.write_bytes(flv.write(item.tag for item in items))
    began = time.monotonic()
    assert [unit.pts // NS_PER_MS for unit in taken(source).units] == [0, 1500, 3000]
    assert time.monotonic() - began >= 3


def with_cue_points(item: publisher.Timed) -> list[publisher.Timed]:
    """One behind it, half a second into each second."""
    cue = replace(item.tag, kind=flv.SCRIPT, body=b"\x02\0\x0aonCuePoint\x05")
    at = item.tag.kind == flv.AUDIO and 500 <= item.tag.dts_ms % 1000 < 500 + 1000 / 47
    return [item, replace(item, tag=cue)] if at else [item]


def pictures(tags: list[flv.Tag]) -> list[tuple[bytes, int]]:
    """What is in each picture, to the byte, and its PTS in ms."""
    found = []
    for tag in tags:
        packet = flv.video_packet(tag) if tag.kind == flv.VIDEO else None
        if packet is not None and packet.config is None:
            found.append((packet.payload, tag.dts_ms + packet.cts_ms))
    return found


def programme_data(tags: list[flv.Tag]) -> list[tuple[bytes, int]]:
    return [
        (tag.body, tag.dts_ms)
        for tag in tags
        if tag.kind == flv.SCRIPT and b"onMetaData" not in tag.body[:40]
    ]


async def on_air(source: Path, folder: Path) -> Path:
    """A recording of what `dubcast run` sends of a file."""
    out = folder / "out.flv"
    async with media_server("embedded") as server:
        url = server.publish_url("live/t/out")
        with scripted() as sts, recording(url, out) as tape:
            done = await asyncio.to_thread(call, sts, str(source), url, "--delay", "3")
            assert tape.wait(5)
            tape.stop()
    assert done.returncode == 0, done.stderr
    return out


async def test_a_matroska_file_on_air_keeps_each_pts_and_stays_in_sync(tmp_path: Path) -> None:
    clip = build_clip(ClipSpec(seconds=6, bframes=3), tmp_path)
    source = written(FORMS["matroska"], clip, tmp_path / "matroska")
    report = probe(await on_air(source, tmp_path), source=clip)
    found = report.comparison
    assert found is not None
    assert found.bit_exact
    assert found.count == 6 * 30
    assert len({run.pts_delta_ms for run in found.constants}) == 1
    assert report.sync is not None and report.sync.max_abs_ms is not None
    assert report.sync.max_abs_ms <= 1


async def test_an_flv_file_on_air_keeps_its_captions_and_the_time_of_each(tmp_path: Path) -> None:
    """As SEI and as script data, with PTS before DTS; every NAL unit to the byte."""
    items = publisher.paced(iter_tags(build_clip(ClipSpec(seconds=8), tmp_path)))
    items = publisher.captioned(publisher.picture_captioned(items), 40)
    items = itertools.chain.from_iterable(map(with_cue_points, items))
    early = publisher.early_pts(items, EARLY_MS)
    sent = [item.tag for item in early]
    source = tmp_path / "source.flv"
    source.write_bytes(flv.write(sent))
    came = list(iter_tags(await on_air(source, tmp_path)))
    assert all(b"GA94" in payload for payload, _ in pictures(sent))
    assert [payload for payload, _ in pictures(came)] == [payload for payload, _ in pictures(sent)]
    shifts = {b - a for (_, a), (_, b) in zip(pictures(sent), pictures(came), strict=True)}
    assert len(shifts) == 1
    said, heard = programme_data(sent), programme_data(came)
    assert {body[3:13] for body, _ in said} == {b"onTextData", b"onCuePoint"}
    assert [body for body, _ in heard] == [body for body, _ in said]
    assert {b - a for (_, a), (_, b) in zip(said, heard, strict=True)} == shifts
    sync = probe(tmp_path / "out.flv").sync
    assert sync is not None and sync.max_abs_ms is not None
    assert sync.max_abs_ms <= 1

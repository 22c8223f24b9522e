"""The demo's programme: a narrator over music and waves, with flash and beep in every pause.

Everything is generated from a seed and a voice, so what is said and when is known exactly.
Built once into a folder, found there again by the hash of its spec.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dubcast.errors import MediaError, ProbeError
from dubcast.measure import synth
from dubcast.measure.probe import probe
from dubcast.measure.recording import ffmpeg_program
from dubcast.testing.media import flash_expression, run_ffmpeg, write_wav

Speak = Callable[[str, str], tuple[synth.Samples, int]]
"""Text and voice in; mono float samples and their rate in Hz out."""

SENTENCES = (
    "Good morning, and welcome to our programme from the harbour.",
    "The sun is shining and the sea is very calm today.",
    "The first fishing boats came back early this morning.",
    "They brought fresh fish for the market in the old town.",
    "Many people are already waiting in front of the shops.",
    "The fishermen say that it was a very good night.",
    "A small café near the bridge is opening its doors.",
    "The smell of fresh bread fills the whole street.",
    "Children are walking to school along the water.",
    "A big white ship will arrive later in the afternoon.",
    "It comes from the north and carries many visitors.",
    "The city is preparing a concert in the main square.",
    "Young musicians will play songs from many countries.",
    "The museum is open today, and the entrance is free.",
    "If you like art, please visit the new exhibition.",
    "Tomorrow it may rain, so bring a warm jacket.",
    "The train station is only ten minutes from here.",
    "Thank you for watching, and have a wonderful day.",
)

# Part of the material's key: raise it when a constant below or the sound changes.
_FORMAT_VERSION = 3
_FPS = 30
# Beeps lie on each third frame: 100 ms, so that their PTS are whole milliseconds apart.
_BEEP_GRID_S = 0.1
_BEEP_S = 0.09
_FLASH_FRAMES = 3
_BEEP_AMPLITUDE = 0.25
# A dub may run into the pause: a beep must come after that to be heard as it was.
_AFTER_SPEECH_S = 1.3
_BEFORE_SPEECH_S = 0.45
_LONGEST_PAUSE_S = 2.5
_LEAD_S = 5.0
_SPEECH_DBFS = -20.0
_PEAK = 0.95
_MAX_OFFSET_MS = 2.0
_NOTES = "material.json"


@dataclass(frozen=True)
class MaterialSpec:
    """What to build. Times in s. `speaker` names the engine behind the voices: it is part of
    what the material is known by, since the same text sounds different from another engine.
    """

    sentences: tuple[str, ...] = SENTENCES
    voices: tuple[str, ...] = ("af_heart",)
    speaker: str = "kokoro"
    seed: int = 7
    pause_s: float = 1.9
    min_s: float = 75.0
    max_s: float = 90.0
    bed_dbfs: float = -28.0
    gop: int = 60
    width: int = 1280
    height: int = 720
    video_kbps: int = 2500
    audio_kbps: int = 160

    @property
    def key(self) -> str:
        """Changes with all that the material is made from."""
        text = json.dumps([_FORMAT_VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def folder(self) -> str:
        """The name of the material's folder."""
        return f"material-{self.key}"


@dataclass(frozen=True)
class Line:
    """One sentence, and when it is heard (s of content, picture 0 = 0)."""

    text: str
    voice: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Material:
    """Built material. The clip's timestamps are content time plus `origin_ms`.

    `speech` and `bed` are the two parts of the sound as WAV at 48 kHz (the bed with the beeps);
    `sha` is the SHA-256 of the clip; `offset_ms` the clip's own A/V offset as probed.
    """

    clip: Path
    speech: Path
    bed: Path
    narration: tuple[Line, ...]
    beeps: tuple[float, ...]
    duration_s: float
    origin_ms: float
    offset_ms: float
    seed: int
    gop: int
    sha: str


def build(spec: MaterialSpec, speak: Speak, out_dir: Path) -> Material:
    """The material in `out_dir`; made, encoded and probed unless it is there.

    Raises `MediaError` when ffmpeg fails, `ProbeError` when the clip is not in sync.
    """
    return kept(out_dir / spec.folder, lambda work: _make(spec, speak, work))


def find(spec: MaterialSpec, out_dir: Path) -> Material | None:
    """The material in `out_dir`, if it is there."""
    folder = out_dir / spec.folder
    return load(folder) if (folder / _NOTES).exists() else None


def kept(folder: Path, make: Callable[[Path], None]) -> Material:
    """The material of `folder`; if it is not there, `make` fills an empty folder first.

    Whole or not at all, so that a run that was cut short leaves nothing half made.
    """
    if not (folder / _NOTES).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            work.chmod(0o755)
            make(work)
            if not folder.exists():  # else another process was faster
                work.replace(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return load(folder)


def load(folder: Path) -> Material:
    """The material of a folder that `build` made."""
    data: dict[str, Any] = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
    files = {name: folder / data[name] for name in ("clip", "speech", "bed")}
    lines = tuple(Line(**line) for line in data["narration"])
    return Material(**{**data, **files, "narration": lines, "beeps": tuple(data["beeps"])})


@dataclass(frozen=True)
class Plan:
    """When each sentence is heard, when each beep, and how long it all is, in s."""

    starts: tuple[float, ...]
    beeps: tuple[float, ...]
    total_s: float


def plan(lengths_s: list[float], pause_s: float) -> Plan:
    """Sentences of these lengths, a beep in the later part of the pause after each.

    A beep is at least 1.3 s after the sentence and 0.45 s before the next; a pause that is too
    short for that is made longer.
    """
    starts, beeps, time = [], [], _LEAD_S
    for length in lengths_s:
        starts.append(time)
        end = time + length
        after = max(_AFTER_SPEECH_S, (pause_s - _BEEP_S) / 2)
        # The tiny term keeps a sum that is on the grid already from moving up by one.
        beeps.append(round(math.ceil((end + after) / _BEEP_GRID_S - 1e-6) * _BEEP_GRID_S, 6))
        time = max(end + pause_s, beeps[-1] + _BEEP_S + _BEFORE_SPEECH_S)
    return Plan(tuple(starts), tuple(beeps), math.ceil(time * _FPS) / _FPS)


def choose(lengths_s: list[float], spec: MaterialSpec) -> Plan:
    """The plan that fits between the spec's limits: fewer sentences, or longer pauses."""
    count = len(lengths_s)
    while count > 1 and plan(lengths_s[:count], spec.pause_s).total_s > spec.max_s:
        count -= 1
    chosen = lengths_s[:count]
    pause = spec.pause_s
    while plan(chosen, pause).total_s < spec.min_s and pause < _LONGEST_PAUSE_S:
        pause += 0.05
    return plan(chosen, pause)


def _make(spec: MaterialSpec, speak: Speak, work: Path) -> None:
    spoken = list(_spoken(spec, speak))
    timing = choose([len(samples) / synth.RATE for _, samples in spoken], spec)
    lines, speech = _narration(spec, spoken[: len(timing.starts)], timing)
    write(spec, timing, lines, speech, synth.bed(timing.total_s, spec.bed_dbfs, spec.seed), work)


def write(
    spec: MaterialSpec,
    timing: Plan,
    lines: list[Line],
    speech: synth.Samples,
    bed: synth.Samples,
    work: Path,
) -> None:
    """Encode a clip from its two parts of sound and note all about it in the folder `work`.

    `speech`: mono; `bed`: (n, 2) without beeps, which `timing` adds. Raises `MediaError` when
    ffmpeg fails, `ProbeError` when the clip is not in sync.
    """
    _write_sound(timing, speech, bed, work)
    clip = work / "programme.flv"
    _encode(spec, timing, work, clip)
    origin_ms, offset_ms = _verify(clip)
    data = {
        "clip": clip.name,
        "speech": "speech.wav",
        "bed": "bed.wav",
        "narration": [asdict(line) for line in lines],
        "beeps": list(timing.beeps),
        "duration_s": timing.total_s,
        "origin_ms": origin_ms,
        "offset_ms": offset_ms,
        "seed": spec.seed,
        "gop": spec.gop,
        "sha": hashlib.sha256(clip.read_bytes()).hexdigest(),
    }
    (work / "sound.wav").unlink()
    text = json.dumps(data, indent=2, ensure_ascii=False)
    (work / _NOTES).write_text(text + "\n", encoding="utf-8")


def _spoken(spec: MaterialSpec, speak: Speak) -> Iterator[tuple[str, synth.Samples]]:
    """(voice, samples at 48 kHz) of each sentence, until there is surely enough."""
    total = 0.0
    for number, text in enumerate(spec.sentences):
        if total > spec.max_s:
            return
        voice = spec.voices[number % len(spec.voices)]
        samples, rate = speak(text, voice)
        clean = synth.trimmed(synth.resampled(np.asarray(samples, dtype=np.float32), rate))
        if not len(clean):
            raise MediaError(f"the voice {voice} said nothing for: {text}")
        total += len(clean) / synth.RATE + spec.pause_s
        yield voice, synth.levelled(clean, _SPEECH_DBFS)


def _narration(
    spec: MaterialSpec, spoken: list[tuple[str, synth.Samples]], timing: Plan
) -> tuple[list[Line], synth.Samples]:
    speech = np.zeros(round(timing.total_s * synth.RATE), dtype=np.float32)
    lines = []
    for text, (voice, samples), start in zip(spec.sentences, spoken, timing.starts, strict=False):
        first = round(start * synth.RATE)
        speech[first : first + len(samples)] += samples
        end = (first + len(samples)) / synth.RATE
        lines.append(Line(text, voice, first / synth.RATE, end))
    return lines, speech


def _write_sound(timing: Plan, speech: synth.Samples, bed: synth.Samples, work: Path) -> None:
    beeps = synth.beeps(list(timing.beeps), timing.total_s, _BEEP_S, _BEEP_AMPLITUDE)
    bed = bed + beeps[:, None]
    mix = np.clip(bed + speech[:, None], -_PEAK, _PEAK)
    for name, samples in (("speech", speech), ("bed", bed), ("sound", mix)):
        write_wav(work / f"{name}.wav", samples, synth.RATE)


def _encode(spec: MaterialSpec, timing: Plan, work: Path, out: Path) -> None:
    rate = f"{spec.video_kbps}k"
    picture = ["-f", "lavfi", "-i", _picture(spec, timing), "-i", str(work / "sound.wav")]
    video = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-threads", "2"]
    video += ["-pix_fmt", "yuv420p", "-bf", "2", "-g", str(spec.gop), "-keyint_min", str(spec.gop)]
    video += ["-sc_threshold", "0", "-b:v", rate, "-minrate", rate, "-maxrate", rate]
    video += ["-bufsize", rate, "-x264-params", "nal-hrd=cbr"]
    audio = ["-c:a", "aac", "-b:a", f"{spec.audio_kbps}k", "-ar", str(synth.RATE), "-ac", "2"]
    # Straight to FLV: the edit list of an mp4, which hides the AAC delay, would not survive
    # `-c copy`, and the encoder's delay is already in the FLV timestamps.
    run_ffmpeg([*picture, *video, *audio, "-shortest", "-f", "flv", str(out)])


def _picture(spec: MaterialSpec, timing: Plan) -> str:
    """A slow gradient with a clock (or a test pattern, where ffmpeg cannot write text)."""
    lit = flash_expression([round(beep * _FPS) for beep in timing.beeps], _FLASH_FRAMES)
    flash = f"drawbox=x=0:y=0:w=iw:h=ih:color=white:t=fill:enable='{lit}'"
    size, length = f"{spec.width}x{spec.height}", f"{timing.total_s:.6f}"
    if not {"drawtext", "gradients"} <= _filters():
        return f"testsrc2=size={size}:rate={_FPS}:duration={length},eq=brightness=-0.2,{flash}"
    # Computed small and scaled up: a gradient loses nothing, and the encoder gets the cores.
    small = f"gradients=size={spec.width // 4}x{spec.height // 4}:rate={_FPS}:duration={length}"
    colours = f"c0=0x0b2545:c1=0x1d4e89:c2=0x0a3d3f:nb_colors=3:seed={spec.seed}:speed=0.02"
    big, text = spec.height // 6, spec.height // 14
    title = f"drawtext=text='dubcast':x=(w-tw)/2:y=h*0.2:fontsize={text}:fontcolor=white@0.85"
    clock = (
        rf"drawtext=text='%{{pts\:hms}}':x=(w-tw)/2:y=(h-th)/2:fontsize={big}:fontcolor=white"
        ":box=1:boxcolor=black@0.3:boxborderw=24"
    )
    return (
        f"{small}:{colours},scale={size.replace('x', ':')},format=yuv420p,{title},{clock},{flash}"
    )


def _filters() -> set[str]:
    """The names of the filters that this ffmpeg has."""
    command = [ffmpeg_program(), "-hide_banner", "-v", "quiet", "-filters"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return {words[1] for words in map(str.split, lines) if len(words) > 2}


def _verify(clip: Path) -> tuple[float, float]:
    """(timestamp in ms of content time 0, A/V offset in ms) of the encoded clip."""
    report = probe(clip)
    if report.video is None or report.sync is None or report.sync.max_abs_ms is None:
        raise ProbeError("the demo clip shows no flash and beep")
    offset = report.sync.median_ms or 0.0
    if report.sync.max_abs_ms > _MAX_OFFSET_MS or report.sync.unmatched_flashes:
        raise ProbeError(f"the demo clip is out of sync by {report.sync.max_abs_ms:.1f} ms")
    return float(report.video.first_pts_ms), offset

"""Short test clips with flash and beep, made by the ffmpeg program and cached in a folder.

Each second a white flash of two frames and an 80 ms beep of 1 kHz begin at the same instant:
`dubcast.measure.probe` reads the A/V offset from them.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dubcast.errors import MediaError
from dubcast.measure.recording import ffmpeg_program

_FORMAT_VERSION = 3
FIRST_BEEP_S = 0.5
BEEP_S = 0.08
BEEP_HZ = 1000.0
FLASH_FRAMES = 2


@dataclass(frozen=True)
class ClipSpec:
    """A test clip. Times in s; `av_offset_ms` moves the beeps (+ = audio early).

    `audio_start_offset_s`: the sound track begins that much later than the picture, in sync.
    `audio_codec` names an encoder of ffmpeg. `container` is a file name's ending; ffmpeg 5 cannot
    put HEVC into flv: use ts or mp4.
    """

    seconds: float = 6.0
    video: bool = True
    audio: bool = True
    width: int = 320
    height: int = 180
    fps: int = 30
    gop: int = 60
    bframes: int = 2
    codec: Literal["h264", "hevc"] = "h264"
    video_kbps: int = 600
    audio_codec: str = "aac"
    audio_rate: int = 48000
    audio_channels: int = 2
    audio_kbps: int = 128
    audio_start_offset_s: float = 0.0
    av_offset_ms: float = 0.0
    bed: Literal["silence", "noise"] = "silence"
    beep_every_s: float = 1.0
    container: str = "flv"
    seed: int = 1

    def __post_init__(self) -> None:
        if not (self.video or self.audio):
            raise ValueError("a clip needs video, audio or both")

    @property
    def key(self) -> str:
        """Names the clip: the same spec gives the same file."""
        text = json.dumps([_FORMAT_VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def beep_times(spec: ClipSpec) -> list[float]:
    """When flashes (and, without `av_offset_ms`, beeps) begin, in s of content."""
    count = int(max(0.0, spec.seconds - FIRST_BEEP_S - 0.2) / spec.beep_every_s) + 1
    return [FIRST_BEEP_S + k * spec.beep_every_s for k in range(count)]


def build_clip(spec: ClipSpec, folder: Path) -> Path:
    """The clip's file in `folder`; encoded unless it is there. Raises `MediaError`."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"clip-{spec.key}.{spec.container}"
    if out.exists():
        return out
    with tempfile.TemporaryDirectory(dir=folder) as work:
        partial = Path(work) / out.name
        _encode(spec, Path(work), partial)
        # Renamed as a whole, so that tests in parallel never see half a clip.
        partial.replace(out)
    return out


def sound(spec: ClipSpec) -> NDArray[np.float32]:
    """The clip's samples, shape (n, channels): beeps over silence or quiet noise."""
    count = round(spec.seconds * spec.audio_rate)
    time = np.arange(count) / spec.audio_rate
    mono = np.zeros(count)
    if spec.bed == "noise":
        mono += np.random.default_rng(spec.seed).standard_normal(count) * 0.02
    for onset in beep_times(spec):
        start = onset - spec.av_offset_ms / 1000
        inside = (time >= start) & (time < start + BEEP_S)
        mono[inside] += 0.3 * np.sin(2 * np.pi * BEEP_HZ * (time[inside] - start))
    return np.repeat(mono[:, None], spec.audio_channels, axis=1).astype(np.float32)


def write_wav(path: Path, samples: NDArray[np.float32], rate_hz: int) -> None:
    """Write float samples of shape (n,) or (n, channels) as 16-bit PCM."""
    frames = samples if samples.ndim == 2 else samples[:, None]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(frames.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(frames, -1, 1) * 32767).round().astype("<i2").tobytes())


def run_ffmpeg(arguments: list[str]) -> None:
    """Run ffmpeg at low priority. Raises `MediaError` with its last line."""
    command = [
        "nice",
        "-n",
        "10",
        ffmpeg_program(),
        "-hide_banner",
        "-v",
        "error",
        "-nostdin",
        "-y",
    ]
    result = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        lines = result.stderr.strip().splitlines()
        raise MediaError(f"ffmpeg: {lines[-1] if lines else result.returncode}")


def flash_expression(frames: list[int], length: int) -> str:
    """An ffmpeg timeline expression that is true during each flash (frame numbers)."""
    return "+".join(f"between(n,{n},{n + length - 1})" for n in frames) or "0"


def _encode(spec: ClipSpec, work: Path, out: Path) -> None:
    inputs: list[str] = []
    if spec.video:
        inputs += ["-f", "lavfi", "-i", _picture(spec)]
    if spec.audio:
        wav = work / "sound.wav"
        late = round(spec.audio_start_offset_s * spec.audio_rate)
        write_wav(wav, sound(spec)[late:], spec.audio_rate)
        inputs += ["-itsoffset", f"{spec.audio_start_offset_s:g}", "-i", str(wav)]
    run_ffmpeg([*inputs, *_video_options(spec), *_audio_options(spec), str(out)])


def _picture(spec: ClipSpec) -> str:
    size = f"size={spec.width}x{spec.height}:rate={spec.fps}:duration={spec.seconds:g}"
    flashes = [round(t * spec.fps) for t in beep_times(spec)]
    lit = flash_expression(flashes, FLASH_FRAMES)
    # Darkened, so that a flash stands out against every part of the test picture.
    return (
        f"testsrc2={size},eq=brightness=-0.2,"
        f"drawbox=x=0:y=0:w=iw:h=ih:color=white:t=fill:enable='{lit}'"
    )


def _video_options(spec: ClipSpec) -> list[str]:
    if not spec.video:
        return []
    codec = {"h264": "libx264", "hevc": "libx265"}[spec.codec]
    rate = f"{spec.video_kbps}k"
    options = ["-c:v", codec, "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1"]
    options += ["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", str(spec.gop)]
    if spec.codec == "hevc":
        return [*options, "-x265-params", f"log-level=none:bframes={spec.bframes}"]
    return [*options, "-bf", str(spec.bframes), "-sc_threshold", "0", "-x264-params", "scenecut=0"]


def _audio_options(spec: ClipSpec) -> list[str]:
    if not spec.audio:
        return []
    return ["-c:a", spec.audio_codec, "-b:a", f"{spec.audio_kbps}k"]

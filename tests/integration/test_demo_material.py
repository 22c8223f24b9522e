"""A short programme, spoken by espeak-ng, encoded and measured."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from dubcast.demo.verdict import listened
from dubcast.measure.material import Material, MaterialSpec, build
from dubcast.measure.probe import probe
from dubcast.measure.synth import Samples

SPEC = MaterialSpec(
    voices=("en-gb", "en-us"), speaker="espeak-ng", min_s=0, max_s=18, width=320, height=180
)


def speak(text: str, voice: str) -> tuple[Samples, int]:
    command = ["espeak-ng", "-v", voice, "--stdout", text]
    out = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(out)) as file:
        # espeak-ng streams its header before it knows the length.
        data = file.readframes(len(out) // 2)
        rate = file.getframerate()
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / 32768, rate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    return tmp_path_factory.mktemp("material")


@pytest.fixture(scope="module")
def material(folder: Path) -> Material:
    return build(SPEC, speak, folder)


def test_the_clip_is_in_sync_and_whole(material: Material) -> None:
    report = probe(material.clip)
    assert report.sync is not None and report.video is not None and report.audio is not None
    assert report.sync.max_abs_ms is not None and report.sync.max_abs_ms < 1.0
    assert report.sync.flashes == len(material.beeps) == len(material.narration) >= 2
    seen = [point.t_s - material.origin_ms / 1000 for point in report.sync.points]
    assert seen == pytest.approx(material.beeps, abs=0.002)
    assert report.video.timing.gap_max_ms < 2 and report.audio.timing.gap_max_ms < 2
    assert report.video.duration_s == pytest.approx(material.duration_s, abs=0.05)


def test_speech_is_where_the_narration_says(material: Material) -> None:
    with wave.open(str(material.speech)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    for line in material.narration:
        inside = data[round(line.start_s * 48000) : round(line.end_s * 48000)]
        assert np.abs(inside[:4800]).max() > 300 and np.abs(inside[-9600:]).max() > 300
        after = data[round(line.end_s * 48000) : round((line.end_s + 1.0) * 48000)]
        assert not after.any()
    assert [line.voice for line in material.narration[:2]] == ["en-gb", "en-us"]


def test_it_is_built_once(material: Material, folder: Path) -> None:
    def mute(_text: str, _voice: str) -> tuple[Samples, int]:
        raise AssertionError("spoken again")

    assert build(SPEC, mute, folder) == material


def test_the_sound_to_show_lies_on_content_time(material: Material) -> None:
    sound = listened(material.clip, shift_s=-material.origin_ms / 1000)
    assert sound.rate_hz == 48000 and sound.samples.shape[1] == 2
    assert abs(sound.start_s) < 0.05
    assert sound.end_s == pytest.approx(material.duration_s, abs=0.1)

"""The engines that run the voice, as they are: what a trial says, and that they say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.sts.build import voice_subject
from dubcast.sts.providers.interface import Float
from dubcast.sts.providers.kokoro_engines import STYLE, open_network
from dubcast.sts.synthesis import Engine, Subject, installed, run_trial

_SOUNDS = "ʊ tˈe^ɪŋpʊ ɛstˈa bˈoŋ ˈoʒy, i nˈɔs vˈɐmʊs ʒoɡˈaɾ nʊ pˈaɾky.".replace("^", "")


@pytest.fixture(scope="module")
def subject() -> Subject:
    try:
        found = voice_subject(Settings())
    except MissingPartError as error:
        pytest.skip(str(error))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def spoken(subject: Subject) -> Callable[[Engine], Float]:
    vocab = json.loads((subject.model / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    tokens = [vocab[char] for char in _SOUNDS if char in vocab]
    style = _style(subject.voices, len(tokens))
    return lambda engine: open_network(engine, subject.model, "cpu", 1).audio(tokens, style)


def _style(voices: Path, length: int) -> Float:
    styles = np.fromfile(voices / "pf_dora.bin", dtype="<f4").reshape(-1, STYLE)
    row: Float = styles[length - 1]
    return row


def test_a_trial_tells_what_the_usual_engine_takes(subject: Subject) -> None:
    trial = run_trial(subject, "onnxruntime")
    assert trial is not None
    assert 0 < trial.cpu < 10
    assert 0 < trial.wall < 10
    assert 100 < trial.memory_mb < 2000


@pytest.mark.skipif("openvino" not in installed(), reason="needs openvino")
def test_openvino_says_what_onnxruntime_says(spoken: Callable[[Engine], Float]) -> None:
    usual, other = spoken("onnxruntime"), spoken("openvino")
    assert len(other) == pytest.approx(len(usual), rel=0.03)
    # Phases are drawn anew in every run; how loud it is when is what is said.
    length = min(len(usual), len(other)) // 600 * 600
    loud = [one[:length].reshape(-1, 600).std(axis=1) for one in (usual, other)]
    assert np.corrcoef(*loud)[0, 1] > 0.9


@pytest.mark.skipif("openvino" not in installed(), reason="needs openvino")
def test_a_trial_of_openvino(subject: Subject) -> None:
    trial = run_trial(subject, "openvino")
    assert trial is not None
    assert 0 < trial.cpu < 10

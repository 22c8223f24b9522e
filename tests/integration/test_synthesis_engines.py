"""The engines that run the voice, as they are: what a trial says, and that they say the same."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import soxr

from dubcast.config import Settings
from dubcast.errors import MissingPartError
from dubcast.models.convert.converters import convert
from dubcast.models.manifest import load_manifest
from dubcast.models.store import ModelStore
from dubcast.sts.build import voice_subject
from dubcast.sts.providers import registry
from dubcast.sts.providers.interface import ASR_RATE, AsrProvider, AsrTask, TtsProvider, TtsTask
from dubcast.sts.providers.kokoro_engines import STYLE, inputs
from dubcast.sts.providers.onnx_session import open_session
from dubcast.sts.providers.registry import Setup
from dubcast.sts.synthesis import (
    MODEL,
    PRODUCTS,
    Engine,
    Subject,
    installed,
    network_file,
    run_trial,
)

TEXT = "He scored a goal in the last minute of the match."
ENGINES: tuple[Engine, ...] = ("onnxruntime", "openvino")


@pytest.fixture(scope="module")
def subject() -> Subject:
    try:
        found = voice_subject(Settings())
    except MissingPartError as error:
        pytest.skip(str(error))
    assert found is not None
    return found


def _skip_without(engine: Engine) -> None:
    if engine != "onnxruntime" and engine not in installed():
        pytest.skip(f"needs {engine}")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_trial_tells_what_an_engine_takes(engine: Engine, subject: Subject) -> None:
    _skip_without(engine)
    trial = run_trial(subject, engine)
    assert trial is not None
    assert 0 < trial.cpu < 10
    assert 0 < trial.wall < 10
    assert 100 < trial.memory_mb < 3000


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_says_is_understood(engine: Engine, subject: Subject) -> None:
    _skip_without(engine)
    store = ModelStore(Settings().models)
    tts = registry.create(TtsProvider, "kokoro", Setup(store, threads=2, engine=engine))
    tts.load()
    voice = next(one for one in tts.capabilities.voices if one.name == "af_heart")
    (speech,) = tts.run([TtsTask(TEXT, voice)])
    tts.close()
    assert 1.5 < len(speech.samples) / speech.rate_hz < 3.5
    asr = registry.create(AsrProvider, "whisper", Setup(store))
    asr.load()
    heard = soxr.resample(speech.samples, speech.rate_hz, ASR_RATE).astype(np.float32)
    (said,) = asr.run([AsrTask(heard, "en")])
    asr.close()
    assert re.sub(r"\W+", " ", said.text).strip().lower() == TEXT.lower().rstrip(".")


def test_products_in_place_of_convolutions_give_the_same_samples(
    subject: Subject, tmp_path: Path
) -> None:
    entry = load_manifest().models["kokoro-82m-int8"]
    assert entry.conversion is not None
    made = convert(entry, entry.conversion, subject.model)[PRODUCTS]
    pin = entry.converted[PRODUCTS]
    assert (len(made), hashlib.sha256(made).hexdigest()) == (pin.size, pin.sha256)
    products = tmp_path / PRODUCTS
    products.write_bytes(made)
    (tmp_path / MODEL).touch()
    if network_file(tmp_path) != products:
        pytest.skip("needs a processor that multiplies bytes")
    asked = inputs(list(range(43, 63)), np.full(STYLE, 0.1, np.float32))
    files = subject.model / MODEL, products
    before, after = (open_session(one, 2).run(None, asked)[0] for one in files)
    assert before.size
    np.testing.assert_array_equal(after, before)

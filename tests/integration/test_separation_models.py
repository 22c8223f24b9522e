"""Every separator with its real model: aligned to the sample, and the same in any blocks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.separation.run import BARS as BENCH_BARS
from bench.separation.run import DEFAULT
from dubcast.audio.pcm import RATE, Float
from dubcast.config import ModelsSettings
from dubcast.errors import ConfigError, MissingPartError
from dubcast.measure.cpu import yardstick_s
from dubcast.models.convert.converters import convert
from dubcast.models.convert.dfn3 import archived
from dubcast.models.manifest import load_manifest
from dubcast.models.store import ModelStore
from dubcast.separation import dfn3, nsnet2, spleeter
from dubcast.separation.onnx_session import session
from dubcast.separation.registry import NAMES, create
from dubcast.separation.separator import CELL, Separator

SECONDS = 6
# CPU against the yardstick: those of `bench.separation`, and half as much again, since a few
# seconds on a machine that does other things say less than the benchmark's fifteen mixes.
SLACK = 1.5
BARS = {
    bar.key.removesuffix("_cpu_ratio").replace("default", DEFAULT): SLACK * bar.limit
    for bar in BENCH_BARS
    if bar.key.endswith("_cpu_ratio")
}


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore(ModelsSettings())


@pytest.fixture(scope="module")
def programme() -> Float:
    """A buzz that glides like a voice, in the centre for half of each second, over noise."""
    time_s = np.arange(SECONDS * RATE) / RATE
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 2 * time_s)) / RATE
    buzz = sum(np.cos(k * pitch) * np.exp(-(((k * 120 - 600) / 500) ** 2)) for k in range(1, 30))
    spoken = np.clip(np.sin(2 * np.pi * time_s), 0, 1)
    noise = np.random.default_rng(0).standard_normal((len(time_s), 2)) * 0.02
    return (noise + (0.1 * buzz * spoken)[:, np.newaxis]).astype(np.float32)


@pytest.fixture(scope="module", params=NAMES)
def separator(request: pytest.FixtureRequest, store: ModelStore) -> Separator:
    return made(request.param, store)


def made(name: str, store: ModelStore) -> Separator:
    try:
        return create(name, store)
    except MissingPartError as error:
        pytest.skip(str(error))


def run(separator: Separator, source: Float, sizes: list[int]) -> tuple[Float, Float]:
    separator.reset()
    fed = np.concatenate([source, np.zeros((separator.latency, 2), dtype=np.float32)])
    parts, at, turn = [], 0, 0
    while at < len(fed):
        size = sizes[turn % len(sizes)]
        parts.append(separator.process(fed[at : at + size]))
        at, turn = at + size, turn + 1
    background = np.concatenate([part.background for part in parts])
    assert len(background) == len(fed)
    assert not background[: separator.latency].any()
    return background[separator.latency :], np.concatenate([part.speech_share for part in parts])


def lag(one: Float, other: Float) -> int:
    """By how many samples `one` is behind `other`, by correlation."""
    size = 2 * len(one)
    product = np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size))
    at = int(np.argmax(np.fft.irfft(product, size)))
    return at if at < len(one) else at - size


def test_the_background_is_aligned_to_the_sample(separator: Separator, programme: Float) -> None:
    out, shares = run(separator, programme, [4_800])
    assert lag(out[:, 0], programme[:, 0]) == lag(out[:, 1], programme[:, 1]) == 0
    assert separator.latency % CELL == 0
    assert shares.min() >= -80 and shares.max() <= 0


def test_every_separator_with_a_bar_is_there() -> None:
    assert set(BARS) == {"dfn3", "nsnet2", "blend"}
    assert set(BARS) <= set(NAMES)


@pytest.mark.parametrize("name", sorted(BARS))
def test_it_costs_no_more_than_its_bar(name: str, store: ModelStore, programme: Float) -> None:
    separator = made(name, store)
    run(separator, programme, [4_800])  # the first is slower: memory, caches
    yardsticks = [yardstick_s()]
    began = time.process_time()
    run(separator, programme, [4_800])
    cost = (time.process_time() - began) / (SECONDS + separator.latency / RATE)
    yardsticks.append(yardstick_s())
    assert cost / max(yardsticks) <= BARS[name]


def test_odd_blocks_give_what_one_block_gives(separator: Separator, programme: Float) -> None:
    whole, shares = run(separator, programme, [10**9])
    odd, odd_shares = run(separator, programme, [1, 7, 4_801, 1_024, 333, 20_000])
    assert np.abs(whole - odd).max() < 2e-6
    assert np.allclose(shares, odd_shares, atol=0.01)


def test_digital_silence_stays_silent(separator: Separator, programme: Float) -> None:
    source = programme.copy()
    source[2 * RATE : 3 * RATE] = 0
    out, _ = run(separator, source, [1_024])
    assert not out[2 * RATE : 3 * RATE].any()


@pytest.mark.parametrize("name", ["dfn3", "nsnet2"])
def test_the_speech_estimate_is_aligned_and_keeps_its_state(
    name: str, store: ModelStore, programme: Float
) -> None:
    try:
        if name == "dfn3":
            estimator = dfn3.DeepFilter(store.path(dfn3.MODEL))
        else:
            estimator = nsnet2.Nsnet2(store.path(nsnet2.MODEL))  # type: ignore[assignment]
    except MissingPartError as error:
        pytest.skip(str(error))
    mid = np.concatenate([programme.mean(axis=1), np.zeros(estimator.behind, dtype=np.float32)])
    speech = estimator.estimate(mid)[: SECONDS * RATE]
    assert len(speech) == SECONDS * RATE
    assert lag(speech, mid[: len(speech)]) == 0
    # Warm state and cold state differ: what the stream has said so far counts.
    estimator.reset()
    half = RATE * SECONDS // 2
    cold = estimator.estimate(mid[half:])
    assert np.abs(cold[:RATE] - speech[half : half + RATE]).max() > 1e-3


@pytest.fixture
def stored(store: ModelStore) -> Callable[[str], Path]:
    """Gives a model's folder, or skips."""

    def folder(name: str) -> Path:
        try:
            return store.path(name)
        except MissingPartError as error:
            pytest.skip(str(error))

    return folder


def test_nsnet2_in_pieces_is_the_published_graph_as_a_whole(
    stored: Callable[[str], Path],
) -> None:
    folder = stored(nsnet2.MODEL)
    features = np.random.default_rng(0).uniform(-6, 0, (1, 48, 513)).astype(np.float32)
    whole = session(folder / "model.onnx").run(None, {"input": features})[0]
    ours = session(folder / "streaming.onnx")
    state = [np.zeros((1, 1, nsnet2.HIDDEN), dtype=np.float32)] * 2
    pieces = []
    for first, last in ((0, 1), (1, 9), (9, 25), (25, 48)):
        feed = {"input": features[:, first:last], "state_0": state[0], "state_1": state[1]}
        part, *state = ours.run(None, feed)
        pieces.append(part)
    assert np.abs(np.concatenate(pieces, axis=1) - whole).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("enc", {"feat_erb": (1, 1, 40, 32), "feat_spec": (1, 2, 40, 96)}),
        ("df_dec", {"emb": (1, 40, 512), "c0": (1, 64, 40, 96)}),
    ],
)
def test_dfn3_in_pieces_is_the_published_graph_as_a_whole(
    name: str,
    shapes: dict[str, tuple[int, ...]],
    stored: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folder = stored(dfn3.MODEL)
    (tmp_path / "published.onnx").write_bytes(archived(folder)[name])
    rng = np.random.default_rng(0)
    inputs = {key: rng.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()}
    published = session(tmp_path / "published.onnx")
    whole = dict(
        zip([o.name for o in published.get_outputs()], published.run(None, inputs), strict=True)
    )
    assert whole
    net = dfn3.Net(folder / f"{name}.onnx", dfn3.NETS[name])
    for first, last in ((0, 1), (1, 9), (9, 40)):
        part = {key: _frames(value, first, last) for key, value in inputs.items()}
        made = net.run(**part)
        for key, value in whole.items():
            assert np.abs(made[key] - _frames(value, first, last)).max() < 1e-4, key


def _frames(values: Float, first: int, last: int) -> Float:
    """Frames are the axis before the last, or of maps (1, channels, frames, bins) the third."""
    return (
        values[:, :, first:last]
        if values.ndim == 4 and values.shape[1] != 40
        else values[:, first:last]
    )


@pytest.mark.parametrize("name", [dfn3.MODEL, nsnet2.MODEL, spleeter.MODEL])
def test_a_conversion_gives_what_the_manifest_pins(
    name: str, stored: Callable[[str], Path]
) -> None:
    folder, entry = stored(name), load_manifest().models[name]
    assert entry.conversion is not None
    made = convert(entry, entry.conversion, folder)
    hashes = {file: hashlib.sha256(data).hexdigest() for file, data in made.items()}
    assert hashes == {file: pin.sha256 for file, pin in entry.converted.items()}


def test_a_missing_model_names_the_way_out(tmp_path: Path) -> None:
    empty = ModelStore(ModelsSettings(dir=tmp_path))
    for name in ("dfn3", "nsnet2", "spleeter2", "blend"):
        with pytest.raises(MissingPartError, match="dubcast models pull"):
            create(name, empty)
    with pytest.raises(ConfigError, match="there are: dfn3, nsnet2"):
        create("demucs", empty)

"""The separation benchmark's measures, on sounds whose answer is known."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pytest import MonkeyPatch

from bench.separation import measure, metrics, mixes, sound, sources, words
from bench.separation.aired import aired, chunks
from dubcast.audio.pcm import RATE, Float, Int16, to_float, to_int16
from dubcast.separation.gate import SpeechGate
from dubcast.separation.separator import CELL, Separated, Separator

SECONDS = 6


def noise(seed: int, seconds: float = SECONDS) -> Float:
    random = np.random.default_rng(seed)
    return (0.1 * random.standard_normal((round(seconds * RATE), 2))).astype(np.float32)


def talk(start_s: float = 2.0, end_s: float = 4.0) -> Float:
    out = noise(2)
    out[: round(start_s * RATE)] = 0
    out[round(end_s * RATE) :] = 0
    return out


def test_a_perfect_separation_has_no_error_and_no_leak() -> None:
    background, speech = noise(1), talk()
    assert metrics.si_sdr_db(background, background) == pytest.approx(100)
    found = metrics.leak(background, background, speech)
    assert found.speech_db < -70
    assert found.background_db < -70


def test_si_sdr_ignores_the_level_and_sees_the_noise() -> None:
    background, other = noise(1), noise(3)
    assert metrics.si_sdr_db(0.5 * background + 0.05 * other, background) == pytest.approx(20, 0.02)


def test_si_sdr_counts_a_shifted_stereo_image() -> None:
    background = noise(1)
    swapped = background * np.array([1.0, 0.5], np.float32)
    assert metrics.si_sdr_db(swapped, background) < 15


@pytest.mark.parametrize("left", [-6.0, -20.0, -30.0])
def test_a_known_leak_is_found(left: float) -> None:
    background, speech = noise(1), talk()
    estimate = background + np.float32(10 ** (left / 20)) * speech
    assert metrics.leak(estimate, background, speech).speech_db == pytest.approx(left, abs=0.1)


def test_a_lost_background_is_not_taken_for_a_leak() -> None:
    background, speech = noise(1), talk()
    found = metrics.leak(0.5 * background, background, speech)
    assert found.speech_db < -50
    assert found.background_db == pytest.approx(-6, abs=0.1)


def test_the_leak_of_one_band_counts_by_its_energy() -> None:
    background = noise(1)
    time = np.arange(len(background)) / RATE
    low, high = np.sin(2 * np.pi * 500 * time), np.sin(2 * np.pi * 4000 * time)
    speech = sound.centred((0.2 * low + 0.1 * high).astype(np.float32))
    estimate = background + sound.centred((0.1 * high).astype(np.float32))
    # The higher tone alone is left: a fifth of the speech's energy.
    found = metrics.leak(estimate, background, speech)
    assert found.speech_db == pytest.approx(10 * np.log10(0.2), abs=0.2)


@pytest.mark.parametrize("shift", [0, 1, -3, 480])
def test_a_known_shift_is_found(shift: int) -> None:
    background = noise(1)
    assert metrics.lag(np.roll(background, shift, axis=0), background) == shift


def test_speech_free_is_what_lies_far_enough_from_speech() -> None:
    free = metrics.speech_free(talk(2.0, 4.0), 0.3)
    spans = np.flatnonzero(np.diff(free.astype(int))) / RATE
    assert spans == pytest.approx([1.7, 4.3], abs=0.011)


def test_an_error_counts_only_where_it_is_asked_for_and_a_bypass_is_minus_60() -> None:
    background, where = noise(1), metrics.speech_free(talk())
    estimate = np.where(where[:, None], background, 0).astype(np.float32)
    assert metrics.error_db(estimate, background, where) == -60.0
    assert metrics.error_db(estimate, background, ~where) == pytest.approx(0)
    assert metrics.error_db(0.9 * background, background, where) == pytest.approx(-20, 0.01)


def test_words_are_counted_in_order_and_without_punctuation() -> None:
    reference = metrics.words("Ask not what YOUR country can't do.")
    assert reference == ["ask", "not", "what", "your", "country", "can't", "do"]
    assert metrics.read_in_order(reference, reference) == 100
    assert metrics.read_in_order(reference, []) == 0
    assert metrics.read_in_order(reference, ["do", "ask", "country"]) == pytest.approx(200 / 7)
    assert metrics.read_in_order(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx(200 / 3)


def test_a_mix_has_the_ratio_that_it_is_made_with() -> None:
    speech, background = sound.mixed(talk(), noise(1), 6.0, 0.95)
    where = metrics.active(speech)
    power = [np.square(s[where], dtype=np.float64).mean() for s in (speech, background)]
    assert 10 * np.log10(power[0] / power[1]) == pytest.approx(6, abs=0.01)
    assert np.abs(speech + background).max() <= 0.9501


def test_a_loop_lasts_as_long_as_asked_and_keeps_its_level() -> None:
    out = sound.looped(noise(1, 1.0), 5.0)
    assert len(out) == 5 * RATE
    level = np.sqrt(np.square(out.reshape(50, -1)).mean(axis=1))
    assert level.min() > 0.08
    assert level.max() < 0.12


def test_phrases_keep_their_pauses_and_the_end_free() -> None:
    one = noise(1, 1.0)
    out = sound.phrases([one, one, one], 0.5, 4.0, 0.5)
    loud = np.abs(out.reshape(-1, RATE // 10, 2)).max(axis=(1, 2)) > 0
    assert np.flatnonzero(np.diff(loud.astype(int))).tolist() == [4, 14, 19, 29]
    with pytest.raises(ValueError, match="no phrase fits"):
        sound.phrases([one], 3.5, 4.0, 0.5)


def test_panning_keeps_the_centre_and_moves_to_a_side() -> None:
    mono = sound.folded(noise(1))
    assert np.allclose(sound.panned(mono, 0.0), mono, atol=1e-6)
    right = sound.panned(mono, 1.0)
    assert np.abs(right[:, 0]).max() < 1e-6


def test_the_mixes_are_what_the_benchmark_promises() -> None:
    specs = mixes.SPECS
    assert len(specs) >= 12
    assert mixes.SECONDS >= 20
    assert {spec.name for spec in specs} >= {"song", "babble", "mono", "sport", "stadium"}
    assert len({spec.name for spec in specs}) == len(specs)
    assert min(spec.snr_db for spec in specs) == -6
    assert max(spec.snr_db for spec in specs) == 12
    assert sum(spec.real for spec in specs) > len(specs) / 2
    assert all(spec.real != bool(spec.lines) for spec in specs)
    assert {voice for spec in specs for voice in spec.voices} == {"awb", "rms", "slt"}


def test_every_recording_of_a_mix_is_pinned() -> None:
    pinned = sources.pins()
    assert {name for spec in mixes.SPECS for name in spec.recordings} <= set(pinned)
    assert all(len(pin.sha256) == 64 and pin.size > 0 for pin in pinned.values())
    assert len({pin.file for pin in pinned.values()}) == len(pinned)


def test_every_mix_has_its_hash() -> None:
    assert list(mixes.pinned()) == [spec.name for spec in mixes.SPECS]
    assert len(set(mixes.pinned().values())) == len(mixes.SPECS)


def test_a_mix_that_is_another_stops_the_benchmark(
    tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    monkeypatch.setattr(mixes, "folder", lambda: tmp_path)
    spec, sounds = mixes.SPECS[0], {"background": to_int16(noise(1)), "speech": to_int16(talk())}
    np.savez(tmp_path / f"{spec.name}.npz", **sounds)
    sha256 = mixes.Mix(spec, sounds["background"], sounds["speech"]).sha256
    with pytest.raises(mixes.MixError, match=f"orchestra has SHA-256 {sha256}, expected"):
        mixes.load(spec)
    monkeypatch.setattr(mixes, "pinned", lambda: {spec.name: sha256})
    assert np.array_equal(mixes.load(spec).speech, sounds["speech"])
    sounds["speech"][RATE, 0] += 1
    np.savez(tmp_path / f"{spec.name}.npz", **sounds)
    with pytest.raises(mixes.MixError):
        mixes.load(spec)


@pytest.mark.parametrize("voice", ["awb", "rms", "slt"])
def test_a_line_is_spoken_the_same_each_time(voice: str) -> None:
    once, again = (sources.spoken("Say it: 'once more', please.", voice) for _ in range(2))
    assert np.array_equal(once, again)
    assert 1 < len(once) / RATE < 5
    assert np.abs(once).max() > 0.1
    with pytest.raises(sources.SourceError, match="flite's voice nobody"):
        sources.spoken("Hello.", "nobody")


def test_another_recipe_is_another_folder() -> None:
    assert mixes.key(mixes.SPECS[:3]) != mixes.key(mixes.SPECS)


class Halver(Separator):
    """Half of what it gets, one cell late."""

    name = "halver"
    latency = CELL

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._held = np.zeros((self.latency, 2), np.float32)
        self._given = 0

    def process(self, block: Float) -> Separated:
        held = np.concatenate([self._held, 0.5 * block])
        self._held = held[len(block) :]
        cells = np.arange(self._given // CELL, (self._given + len(block)) // CELL)
        self._given += len(block)
        # The first cell is from before the stream.
        return Separated(held[: len(block)], (cells - 1).astype(np.float32))


class Leaver(Halver):
    """Leaves a sound behind in digital silence."""

    def process(self, block: Float) -> Separated:
        made = super().process(block)
        return Separated(made.background + np.float32(1e-6), made.speech_share)


def test_a_stream_comes_back_aligned_and_whole() -> None:
    whole = noise(1, 1.0)
    made = measure.streamed(Halver(), whole)
    assert np.array_equal(made.background, 0.5 * whole)
    assert made.speech_share.tolist() == list(range(100))
    assert made.cpu > 0


def test_a_sound_in_digital_silence_is_noticed() -> None:
    assert measure.keeps_silence(Halver(), noise(1))
    assert not measure.keeps_silence(Leaver(), noise(1))


def test_a_result_is_measured_against_the_truth() -> None:
    mix = mixes.Mix(mixes.SPECS[0], to_int16(noise(1)), to_int16(talk()))
    background = to_float(mix.background)
    made = measure.Streamed(np.roll(background, 5, axis=0), np.zeros(0, np.float32), 0.1)
    found = measure.result(mix, made, background, ["one", "two"], ["two"])
    assert found.lag == 5
    assert found.words_read == 50
    assert found.speechfree_error_db == -60
    # Noise shifted by five samples is another noise: nothing is gained.
    assert found.sisdr_gain_db < 0


def result(snr_db: float, words_read: float, free_db: float, cpu: float) -> measure.Result:
    return measure.Result("m", snr_db, 10.0, -20.0, -15.0, free_db, words_read, cpu, 0)


def test_figures_are_means_and_the_worst_counts_only_loud_speech() -> None:
    found = measure.figures(
        "x", [result(-6, 50, -60, 0.1), result(0, 4, -20, 0.2), result(6, 6, -40, 0.9)], 75.0, 0.05
    )
    assert found["x_words_read_mean"] == 20
    assert found["x_words_read_worst"] == 6
    assert found["x_speechfree_error_db"] == -40
    assert found["x_speechfree_error_worst_db"] == -20
    assert found["x_cpu"] == 0.2
    assert found["x_cpu_ratio"] == 4
    assert found["x_delay_ms"] == 75.0


def test_a_sound_is_read_only_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def read(sound: Float) -> list[str]:
        asked.append(len(sound))
        return ["olá"]

    again = words.remembered(read, tmp_path / "read")
    assert again(noise(1, 0.1)) == again(noise(1, 0.1)) == ["olá"]
    assert len(asked) == 1
    again(noise(2, 0.1))
    assert len(asked) == 2


class Loudness:
    """Takes what is loud for speech."""

    def probability(self, window: Float) -> float:
        return float(np.abs(window).max() > 0.05)

    def reset(self) -> None:
        pass


LOUD = slice(2 * RATE, 4 * RATE)


def separated() -> tuple[Int16, measure.Streamed]:
    """Quiet noise with two loud seconds, and a separator that makes a soft hum of all of it."""
    whole = to_int16(0.1 * noise(1, 10))
    whole[LOUD] = to_int16(noise(2, 2.0))
    hum = np.full((len(whole), 2), 0.01, np.float32)
    return whole, measure.Streamed(hum, np.full(1000, -10, np.float32), 0.1)


def test_on_air_speech_gives_way_to_the_bed_and_the_rest_passes() -> None:
    whole, made = separated()
    asked: list[Float] = []

    def has_words(sound: Float) -> bool:
        asked.append(sound)
        return True

    heard = to_int16(aired(whole, made, has_words, Loudness()))
    assert len(asked) == 1
    assert 2 * RATE <= len(asked[0]) < 3.5 * RATE
    # The service hears what was said: both channels alike, the mean of the two.
    spoken = to_float(whole[LOUD]).mean(axis=1)
    assert np.abs(asked[0]).max() == pytest.approx(np.abs(spoken).max(), abs=1e-3)
    assert np.array_equal(heard[LOUD], to_int16(made.background)[LOUD])
    far = [slice(0, round(1.3 * RATE)), slice(5 * RATE, None)]
    assert all(np.array_equal(heard[part], whole[part]) for part in far)


def test_on_air_the_gate_hears_the_separator_without_a_break() -> None:
    random = np.random.default_rng(4)
    shares = np.repeat(random.uniform(-30, 0, 25), 40).astype(np.float32)
    background = np.zeros((10 * RATE - 100, 2), np.int16)
    whole, pieces, given = SpeechGate(), SpeechGate(), 0
    whole.shares(0, shares)
    for until in range(0, 12 * RATE, 1024):
        for start, block, cells in chunks(background, shares, given, until):
            assert start == given
            given += len(block)
            pieces.shares(start, cells)
    assert given == len(background)
    mask = whole.mask(0, 9 * RATE)
    assert 0.1 < mask.mean() < 0.9
    assert np.array_equal(pieces.mask(0, 9 * RATE), mask)


def test_on_air_a_fragment_without_words_stays_as_it_came() -> None:
    whole, made = separated()
    assert np.array_equal(to_int16(aired(whole, made, lambda sound: False, Loudness())), whole)


def test_on_air_what_is_not_taken_for_speech_is_not_even_asked_about() -> None:
    whole, made = separated()

    def has_words(sound: Float) -> bool:
        raise AssertionError("asked")

    quiet = (whole * 0.1).astype(np.int16)
    assert np.array_equal(to_int16(aired(quiet, made, has_words, Loudness())), quiet)


def package(folder: Path) -> Path:
    (folder / "tree/DEBIAN").mkdir(parents=True)
    control = "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    (folder / "tree/DEBIAN/control").write_text(control)
    (folder / "tree/usr").mkdir()
    (folder / "tree/usr/wanted.wav").write_bytes(b"abc")
    (folder / "tree/usr/other.wav").write_bytes(b"other")
    command = ["dpkg-deb", "--root-owner-group", "--build", folder / "tree", folder / "x.deb"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "x.deb"


def test_only_what_is_pinned_leaves_a_package(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    archive = package(tmp_path)
    monkeypatch.setattr(sources, "folder", lambda: tmp_path / "kept")
    monkeypatch.setattr(sources, "_fetch_deb", lambda package, work: archive)
    (tmp_path / "kept").mkdir()
    work = tmp_path / "work"
    work.mkdir()
    right = sources.Pin("deb:x=1", "usr/wanted.wav", 3, hashlib.sha256(b"abc").hexdigest())
    sources._unpack("deb:x=1", [right], work)
    assert [path.read_bytes() for path in (tmp_path / "kept").iterdir()] == [b"abc"]
    wrong = sources.Pin("deb:x=1", "usr/other.wav", 5, 64 * "0")
    with pytest.raises(sources.SourceError, match=r"other\.wav: SHA-256"):
        sources._unpack("deb:x=1", [wrong], work)
    assert len(list((tmp_path / "kept").iterdir())) == 1

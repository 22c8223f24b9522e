"""What the viewer hears, to the sample."""

from __future__ import annotations

import numpy as np
import pytest

from dubcast.audio.mix import FADE, Cover, Dub, DuckedOriginal, Mixer
from dubcast.audio.pcm import RATE, Float, Int16, from_db, to_float

N = 4 * RATE


def noise(seed: int = 1) -> Int16:
    return np.random.default_rng(seed).integers(-8000, 8000, (N, 2)).astype(np.int16)


def mixer(duck_db: float = 24, bg: float = 1.0, dub: float = 1.0) -> Mixer:
    return Mixer(DuckedOriginal(duck_db), bg, dub)


def render(one: Mixer, original: Int16, block: int = 4800) -> Float:
    parts = [one.render(at, original[at : at + block]) for at in range(0, len(original), block)]
    return to_float(np.concatenate(parts))


def voice(frames: int, level: float = 0.25) -> Float:
    return np.full(frames, level, dtype=np.float32)


def test_without_a_dub_the_original_passes_bit_by_bit() -> None:
    original = noise()
    assert mixer().render(0, original) is original


def test_outside_the_replaced_span_every_bit_is_the_original() -> None:
    original = noise()
    one = mixer()
    one.accept(Dub(RATE, 2 * RATE, RATE + 100, voice(RATE // 2)))
    out = np.concatenate([one.render(at, original[at : at + 4800]) for at in range(0, N, 4800)])
    assert np.array_equal(out[:RATE], original[:RATE])
    assert np.array_equal(out[2 * RATE :], original[2 * RATE :])
    assert not np.array_equal(out[RATE : 2 * RATE], original[RATE : 2 * RATE])


def test_inside_the_span_the_original_is_ducked_and_the_dub_is_added() -> None:
    original, one = noise(), mixer(duck_db=30)
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE)))
    out = render(one, original)
    inside = slice(RATE + FADE, 2 * RATE - FADE)
    expected = to_float(original)[inside] * from_db(-30) + 0.25
    assert np.abs(out[inside] - expected).max() < 2 / 32768


def test_gains_apply() -> None:
    original, one = noise(), mixer(bg=0.5, dub=2.0)
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE)))
    inside = slice(RATE + FADE, 2 * RATE - FADE)
    expected = to_float(original)[inside] * from_db(-24) * 0.5 + 0.5
    assert np.abs(render(one, original)[inside] - expected).max() < 2 / 32768


def test_the_whole_source_span_is_ducked_when_the_dub_is_shorter_or_longer() -> None:
    original = np.full((N, 2), 8000, np.int16)
    for dub_frames in (RATE // 4, RATE + RATE // 2):
        one = mixer(duck_db=90)
        one.accept(Dub(RATE, 2 * RATE, RATE, voice(dub_frames, 0.0)))
        out = render(one, original)
        stop = max(2 * RATE, RATE + dub_frames)
        assert np.abs(out[RATE + FADE : stop - FADE]).max() < 2e-4
        assert out[stop:, 0].min() > 0.24


def test_neighbouring_fragments_do_not_let_the_original_flash_up() -> None:
    original, one = np.full((N, 2), 8000, np.int16), mixer(duck_db=90)
    middle = 2 * RATE
    one.accept(Dub(RATE, middle, RATE, voice(RATE, 0.0)))
    before = [one.render(at, original[at : at + 4800]) for at in range(0, middle - 9600, 4800)]
    one.accept(Dub(middle, 3 * RATE, middle, voice(RATE, 0.0)))
    after = [one.render(at, original[at : at + 4800]) for at in range(middle - 9600, N, 4800)]
    out = to_float(np.concatenate([*before, *after]))
    assert np.abs(out[RATE + FADE : 3 * RATE - FADE]).max() < 2e-4


def test_no_step_in_the_output_is_larger_than_the_fade_allows() -> None:
    original, one = np.full((N, 2), 8000, np.int16), mixer(duck_db=40)
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE, 0.2)))
    steps = np.abs(np.diff(render(one, original)[:, 0]))
    assert steps.max() < 0.2 / 240 + 0.25 / FADE + 2 / 32768


def test_the_result_does_not_depend_on_the_block_size() -> None:
    original = noise()
    results = []
    for block in (960, 4800, N):
        one = mixer()
        one.accept(Dub(RATE, 2 * RATE, RATE + 77, voice(RATE + 333)))
        results.append(render(one, original, block))
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[1], results[2])


def test_full_scale_clips_instead_of_wrapping() -> None:
    original, one = np.full((N, 2), 32767, np.int16), mixer()
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE, 1.5)))
    assert render(one, original).min() >= 0


def test_overlapping_chunks_crossfade_to_a_constant_sum() -> None:
    original, one = np.zeros((N, 2), np.int16), mixer()
    overlap = 7200
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE), fade=overlap))
    one.accept(Dub(2 * RATE - overlap, 3 * RATE, 2 * RATE - overlap, voice(RATE), fade=overlap))
    seam = render(one, original)[2 * RATE - overlap : 2 * RATE, 0]
    assert np.abs(seam - 0.25).max() < 1e-3


def constant(*covers: Cover, dubs: tuple[Dub, ...] = (), duck_db: float = 60) -> Float:
    """One channel of a constant original of 0.5 with what covers it."""
    one = mixer(duck_db=duck_db)
    for cover in covers:
        one.cover(cover)
    for dub in dubs:
        one.accept(dub)
    return render(one, np.full((N, 2), 16384, np.int16))[:, 0]


@pytest.mark.parametrize(("level", "left"), [(0.0, 0.0), (0.25, 0.125), (None, 0.0005)])
def test_a_cover_leaves_its_level_of_the_original_or_the_bed(
    level: float | None, left: float
) -> None:
    out = constant(Cover(RATE, 2 * RATE, level))
    assert (out[:RATE] == 0.5).all()
    assert (out[2 * RATE :] == 0.5).all()
    assert np.abs(out[RATE + FADE : 2 * RATE - FADE] - left).max() < 2 / 32768


def test_a_cover_is_faded_in_and_out_like_a_dub() -> None:
    out = constant(Cover(RATE, 2 * RATE, 0.0))
    assert np.abs(np.diff(out)).max() < 0.5 / FADE + 2 / 32768


@pytest.mark.parametrize("gap", [0, FADE, 2 * FADE - 1])
@pytest.mark.parametrize("levels", [(0.0, 0.25), (0.25, None), (None, 0.0), (0.0, 0.0)])
def test_covers_side_by_side_cross_over_without_the_original(
    levels: tuple[float | None, float | None], gap: int
) -> None:
    first, second = levels
    out = constant(Cover(RATE, 2 * RATE, first), Cover(2 * RATE + gap, 3 * RATE, second))
    inside = out[RATE + FADE : 3 * RATE - FADE]
    assert inside.max() < 0.125 + 2 / 32768
    assert np.abs(np.diff(inside)).max() < 0.5 / FADE


def test_a_dub_beside_a_cover_sounds_over_the_bed_alone() -> None:
    dub = Dub(2 * RATE, 3 * RATE, 2 * RATE, voice(RATE, 0.25))
    out = constant(Cover(RATE, 2 * RATE, 0.0), dubs=(dub,))
    assert np.abs(out[RATE + FADE : 2 * RATE]).max() < 0.001
    assert np.abs(out[2 * RATE + FADE : 3 * RATE - FADE] - 0.25).max() < 0.001


def test_a_span_joined_to_the_one_before_stays_joined_while_blocks_pass() -> None:
    """The one before must not be forgotten while the gap that they share is rendered."""
    middle, gap = 2 * RATE, 2 * FADE - 1
    one = mixer(duck_db=90)
    one.accept(Dub(RATE, middle, RATE, voice(RATE, 0.0)))
    one.accept(Dub(middle + gap, 3 * RATE, middle + gap, voice(RATE // 2, 0.0)))
    out = render(one, np.full((N, 2), 8000, np.int16), block=480)[:, 0]
    assert np.abs(out[RATE + FADE : 3 * RATE - FADE]).max() < 2e-4

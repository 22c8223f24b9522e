"""What the viewer hears, to the sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from dubcast.audio.duck import Ducker
from dubcast.audio.mix import DUB_EDGE, FADE, Cover, Dub, DuckedOriginal, Mixer
from dubcast.audio.pcm import RATE, Float, Int16, from_db, to_float, to_int16

N = 4 * RATE


def noise(seed: int = 1) -> Int16:
    return np.random.default_rng(seed).integers(-8000, 8000, (N, 2)).astype(np.int16)


def mixer(duck_db: float = 24, bg: float = 1.0, dub: float = 1.0) -> Mixer:
    return Mixer(DuckedOriginal(duck_db), bg, dub)


def samples(
    one: Mixer, original: Int16, block: int = 4800, start: int = 0, stop: int = N
) -> list[Int16]:
    """The rendered blocks of [start, stop); what follows the original is silence."""
    padded = np.concatenate([original, np.zeros((one.lookahead, 2), np.int16)])
    blocks = [(at, min(at + block, stop)) for at in range(start, stop, block)]
    return [one.render(at, padded[at : end + one.lookahead]) for at, end in blocks]


def render(one: Mixer, original: Int16, block: int = 4800) -> Float:
    return to_float(np.concatenate(samples(one, original, block)))


def true_peak_db(wave: Float) -> float:
    fine = resample_poly(wave.astype(np.float64), 8, 1, axis=0)
    return float(20 * np.log10(np.abs(fine).max()))


def voice(frames: int, level: float = 0.25) -> Float:
    return np.full(frames, level, dtype=np.float32)


def test_without_a_dub_the_original_passes_bit_by_bit() -> None:
    original = noise()
    out = mixer().render(0, original)
    assert np.array_equal(out, original[: -Mixer.lookahead])
    assert np.shares_memory(out, original)


def test_outside_the_replaced_span_every_bit_is_the_original() -> None:
    original = noise()
    one = mixer()
    one.accept(Dub(RATE, 2 * RATE, RATE + 100, voice(RATE // 2)))
    out = np.concatenate(samples(one, original))
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
    before = samples(one, original, stop=middle - 9600)
    one.accept(Dub(middle, 3 * RATE, middle, voice(RATE, 0.0)))
    after = samples(one, original, start=middle - 9600)
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


def test_overlapping_dubs_cross_over_with_equal_power() -> None:
    original, one = np.zeros((N, 2), np.int16), mixer()
    overlap = 7200
    rng = np.random.default_rng(5)
    first, second = (0.1 * rng.standard_normal((2, RATE))).astype(np.float32)
    one.accept(Dub(RATE, 2 * RATE, RATE, first, fade=overlap))
    one.accept(Dub(2 * RATE - overlap, 3 * RATE, 2 * RATE - overlap, second, fade=overlap))
    out = render(one, original)[:, 0]
    for at in range(2 * RATE - overlap, 2 * RATE, 1200):
        assert abs(np.std(out[at : at + 1200]) - 0.1) < 0.01


@pytest.mark.parametrize("fade", [192, 960, FADE])
def test_the_crossfade_is_linear_and_as_long_as_asked(fade: int) -> None:
    original = np.full((N, 2), 8000, np.int16)
    one = Mixer(DuckedOriginal(90), 1.0, 1.0, fade)
    one.accept(Dub(RATE, 2 * RATE, RATE + RATE // 2, voice(10, 0.0)))
    out = render(one, original)[:, 0] * 32768
    assert out[RATE] == 8000
    assert abs(out[RATE + fade // 2] - 4000) < 8000 / fade + 2
    assert np.abs(out[RATE + fade : 2 * RATE - fade]).max() < 2
    assert out[2 * RATE] == 8000


def test_the_dub_keeps_its_own_short_edge_while_the_original_leaves() -> None:
    one = mixer(duck_db=90)
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE)))
    out = render(one, np.zeros((N, 2), np.int16))[:, 0]
    assert abs(out[RATE + DUB_EDGE + 5] - 0.25) < 1e-3
    assert out[RATE + DUB_EDGE // 2] > 0.1


def test_a_cover_mutes_ducks_or_shows_the_bed_without_a_dub() -> None:
    original = np.full((N, 2), 8000, np.int16)
    for level, expected in ((0.0, 0.0), (0.25, 2000.0), (None, 8000 * from_db(-40))):
        one = mixer(duck_db=40)
        one.cover(Cover(RATE, 2 * RATE, level))
        out = render(one, original)[:, 0] * 32768
        assert np.abs(out[RATE + FADE : 2 * RATE - FADE] - expected).max() < 2
        assert (out[:RATE] == 8000).all()
        assert (out[2 * RATE :] == 8000).all()


def test_the_original_can_be_removed_wider_than_the_dub_sounds() -> None:
    original = np.full((N, 2), 8000, np.int16)
    one = mixer(duck_db=90)
    removed = (RATE - 7200, 2 * RATE + 16800)
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE // 2, 0.0), removed=removed))
    out = render(one, original)[:, 0] * 32768
    assert np.abs(out[removed[0] + FADE : removed[1] - FADE]).max() < 2
    assert (out[: removed[0]] == 8000).all()
    assert (out[removed[1] :] == 8000).all()


def loud_programme(level: float) -> Int16:
    """Clipped low-passed noise: its true peaks are well above full scale."""
    rng = np.random.default_rng(3)
    wave = np.convolve(rng.standard_normal(N), np.hanning(8) / 2, "same") * level
    return to_int16(np.stack([wave, -wave], axis=1).astype(np.float32))


def test_a_hot_source_is_limited_where_it_is_replaced_and_nowhere_else() -> None:
    original = loud_programme(1.0)
    one = Mixer(DuckedOriginal(0.0), 1.0, 1.0)  # a bed that takes nothing away
    rng = np.random.default_rng(4)
    talk = np.convolve(rng.standard_normal(RATE), np.hanning(16) / 8, "same").astype(np.float32)
    one.accept(Dub(RATE, 2 * RATE, RATE, talk))
    out = render(one, original)
    inside = out[RATE + FADE : 2 * RATE - FADE]
    assert true_peak_db(to_float(original)) > 1
    assert true_peak_db(inside) <= -0.9
    assert np.array_equal(out[:RATE], to_float(original)[:RATE])
    assert np.array_equal(out[2 * RATE :], to_float(original)[2 * RATE :])


def test_the_sum_never_exceeds_the_ceiling_where_the_original_does_not() -> None:
    original = to_int16(0.8 * np.stack([np.sin(np.arange(N) / 7)] * 2, axis=1).astype(np.float32))
    talk = (0.9 * np.sin(np.arange(RATE) / 9)).astype(np.float32)
    one = Mixer(DuckedOriginal(24), 1.0, 1.0)
    one.accept(Dub(RATE, 2 * RATE, RATE, talk))
    assert true_peak_db(render(one, original)) <= -0.9


def test_the_bed_ducks_under_the_dub_and_the_original_does_not() -> None:
    original = np.full((N, 2), 8000, np.int16)
    bed = DuckedOriginal(0.0)
    one = Mixer(bed, 1.0, 1.0, FADE, Ducker(2400, 9600, 12.0, -45.0))
    talk = (0.2 * np.sign(np.sin(np.arange(RATE) / 10))).astype(np.float32)
    start = RATE + RATE // 2
    one.accept(Dub(RATE, 3 * RATE, start, talk))
    out = render(one, original)
    middle = out[start + 4800 : start + RATE - 4800].mean(axis=0)
    assert np.abs(middle - 8000 / 32768 * from_db(-12)).max() < 0.003
    early = out[RATE + FADE : start - 3000, 0]
    assert np.abs(early - 8000 / 32768).max() < 1e-4
    assert np.array_equal(out[:RATE], to_float(original)[:RATE])


def test_the_stereo_image_of_the_bed_is_kept_and_the_dub_is_in_the_middle() -> None:
    original = np.stack([np.full(N, 9000), np.full(N, -3000)], axis=1).astype(np.int16)
    one = mixer(duck_db=24)
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE, 0.1)))
    out = render(one, original)[RATE + FADE : 2 * RATE - FADE] - 0.1
    assert np.allclose(out[:, 0] / out[:, 1], -3, rtol=0.02)


def test_a_jump_of_the_timeline_starts_afresh() -> None:
    original = noise()
    far = 100 * RATE
    one, other = mixer(), mixer()
    for which in (one, other):
        which.accept(Dub(far, far + RATE, far, voice(RATE, 2.0)))
    one.accept(Dub(RATE, 2 * RATE, RATE, voice(RATE, 2.0)))
    samples(one, original, stop=RATE + 4800)
    assert np.array_equal(one.render(far, original), other.render(far, original))


@pytest.mark.parametrize("frames", [0, 1, 2, 99, 100, 101, 199, 200, 201, 5000])
def test_a_dub_under_its_own_fades_is_what_the_mixer_adds(frames: int) -> None:
    dub = Dub(0, RATE, 700, voice(frames, 0.5), fade=100)
    edges = dub.edges(dub.start, dub.stop)
    assert edges is not None
    assert np.array_equal(dub.faded(), dub.samples * edges)
    assert (dub.samples == 0.5).all()


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


def test_a_dub_within_a_cover_takes_its_place_and_the_rest_stays_covered() -> None:
    cover = Cover(0, 9 * RATE, 0.5)
    inner = Dub(3 * RATE, 5 * RATE, 3 * RATE, np.zeros(RATE, np.float32))
    assert cover.without(inner.source_start, inner.source_stop) == [
        Cover(0, 3 * RATE, 0.5),
        Cover(5 * RATE, 9 * RATE, 0.5),
    ]
    whole = Dub(0, 9 * RATE, 0, np.zeros(RATE, np.float32))
    assert cover.without(whole.source_start, whole.source_stop) == []
    beside = Dub(8 * RATE, 10 * RATE, 8 * RATE, np.zeros(RATE, np.float32))
    assert cover.without(beside.source_start, beside.source_stop) == [cover]

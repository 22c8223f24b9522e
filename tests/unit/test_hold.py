"""A background is held down to its own level where a voice is left in it, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float, from_db
from dubcast.audio.vad import WINDOW
from dubcast.separation.fifo import Fifo
from dubcast.separation.hold import Hold
from dubcast.separation.separator import CELL, SHARE_FLOOR_DB, Separated

BLOCK = RATE // 10
VOICE = (4 * RATE, 6 * RATE)
LITTLE, ENOUGH = -20.0, -2.0


def crowd(seconds: float, level_db: float = -34.0) -> Float:
    noise = np.random.default_rng(1).standard_normal((round(seconds * RATE), 2))
    return (noise * from_db(level_db)).astype(np.float32)


def as_mono(sound: Float, wide_db: float = -200.0) -> Float:
    """Both channels alike, but for the side signal `wide_db` below the mid."""
    mid = sound.mean(axis=1)
    side = mid[::-1] * from_db(wide_db)
    return np.stack([mid + side, mid - side], axis=1).astype(np.float32)


def swelling(background: Float) -> Float:
    """12 dB louder from second 5 on."""
    gain = np.where(np.arange(len(background)) < 5 * RATE, 1, 4)
    return (background * gain[:, None]).astype(np.float32)


def hum(seconds: float, span: tuple[int, int] = VOICE, level_db: float = -24.0) -> Float:
    """Somebody who says "uh": what of him separation left in the background."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * 500 * time) + np.sin(2 * np.pi * 1000 * time)
    tone[: span[0]] = tone[span[1] :] = 0
    return (np.repeat(tone[:, None], 2, axis=1) * from_db(level_db)).astype(np.float32)


class Listed:
    """Hears a voice in [first, last) of the stream, window by window; how surely, in turn."""

    def __init__(self, voice: tuple[int, int], *sure: float) -> None:
        self._voice = voice
        self._sure = sure or (0.9,)
        self._at = 0

    def probability(self, window: Float) -> float:
        self._at += WINDOW
        if not self._voice[0] < self._at <= self._voice[1]:
            return 0.0
        # Each for as long as any other.
        into = (self._at - self._voice[0] - 1) / (self._voice[1] - self._voice[0])
        return self._sure[int(into * len(self._sure))]

    def reset(self) -> None:
        self._at = 0


class Finds:
    """Leaves all in the background, and says how much speech it found."""

    name, latency = "finds", 2 * RATE // 10

    def __init__(self, share_db: float) -> None:
        self._share_db = share_db
        self.reset()

    def reset(self) -> None:
        self._late = Fifo(2, zeros=self.latency)

    def process(self, block: Float) -> Separated:
        self._late.push(block)
        shares = np.full(len(block) // CELL, self._share_db, np.float32)
        return Separated(self._late.pop(len(block)), shares)


@dataclass(frozen=True)
class Fed:
    raw: Float
    held: Float

    def change_db(self, first_s: float, last_s: float) -> float:
        part = slice(round(first_s * RATE), round(last_s * RATE))
        before, after = (np.square(one[part]).mean() for one in (self.raw, self.held))
        return float(10 * np.log10(after / before))


def fed(background: Float, voice: tuple[int, int] = VOICE, share_db: float = LITTLE) -> Fed:
    return Fed(background, run(Hold(Finds(share_db), Listed(voice)), background))


def run(hold: Hold, background: Float, block: int = BLOCK) -> Float:
    late = np.concatenate([background, np.zeros((hold.latency, 2), np.float32)])
    made = [hold.process(late[at : at + block]) for at in range(0, len(late), block)]
    return np.concatenate([one.background for one in made])[hold.latency :]


def test_a_voice_that_is_left_goes_down_to_the_crowds_level() -> None:
    found = fed(crowd(8) + hum(8))
    assert Fed(crowd(8), found.raw).change_db(4.2, 5.8) > 10
    assert -2 < Fed(crowd(8), found.held).change_db(4.2, 5.8) < 2


@pytest.mark.parametrize("left", [1.0, 0.5])
def test_over_digital_silence_nothing_of_it_is_left(left: float) -> None:
    assert fed(hum(8) * np.float32([left, 1.0])).change_db(4.3, 5.7) < -40


def test_digital_silence_after_what_was_held_down_stays_digital_silence() -> None:
    sound = crowd(8) + hum(8)
    silent = slice(VOICE[1] - RATE // 2, VOICE[1] + RATE // 2)
    sound[silent] = 0
    found = fed(sound)
    assert found.change_db(4.3, 5) < -3  # up to there it was held down
    assert not found.held[silent].any()


def test_where_nobody_speaks_not_a_bit_changes() -> None:
    found = fed(crowd(8) + hum(8))
    for part in (slice(0, VOICE[0] - RATE // 4), slice(VOICE[1] + RATE // 4, 8 * RATE)):
        assert np.array_equal(found.raw[part], found.held[part])


@pytest.mark.parametrize(
    ("background", "voice", "share_db"),
    [
        (crowd(8) + hum(8), VOICE, ENOUGH),  # the separator found the voice
        (crowd(8) + hum(8), (0, 0), LITTLE),  # an instrument
        (crowd(8), VOICE, LITTLE),  # a crowd louder than who speaks
        (crowd(8) + hum(8), (0, 8 * RATE), LITTLE),  # nobody paused: its own level is not known
    ],
)
def test_what_is_no_voice_left_over_stays(
    background: Float, voice: tuple[int, int], share_db: float
) -> None:
    assert abs(fed(background, voice, share_db).change_db(4.2, 5.8)) < 0.5


def test_what_the_detector_is_not_sure_of_is_left_in_peace() -> None:
    background = crowd(8) + hum(8)
    hold = Hold(Finds(LITTLE), Listed(VOICE, 0.8))
    assert np.array_equal(run(hold, background), background)


def heard(*sure: float) -> Fed:
    """What is left of a voice over a crowd, and how sure the detector is of each part of it."""
    voice = hum(8)
    held = run(Hold(Finds(LITTLE), Listed(VOICE, *sure)), crowd(8) + voice)
    return Fed(voice, held - crowd(8))


def test_between_what_is_a_voice_for_sure_what_may_be_one_goes_down_as_far() -> None:
    surely, between = heard(0.9), heard(*[0.9, 0.7] * 10)
    assert between.change_db(4.3, 5.7) == pytest.approx(surely.change_db(4.3, 5.7), abs=0.1)


def test_what_follows_a_voice_goes_down_by_less_and_not_for_long() -> None:
    surely, trailing = heard(0.9), heard(*[0.9] * 5, *[0.8] * 15)
    soon, later = (4.8, 5.2), (5.75, 5.9)
    assert surely.change_db(*soon) + 2 < trailing.change_db(*soon) < -3
    assert surely.change_db(*later) + 3 < trailing.change_db(*later)
    assert abs(trailing.change_db(*later)) < 0.1


def test_of_what_may_be_a_voice_nothing_is_learnt() -> None:
    surely, murmured = heard(0.9), heard(*[0.6] * 17, *[0.9] * 3)
    assert murmured.change_db(5.8, 5.95) == pytest.approx(surely.change_db(5.8, 5.95), abs=1)


def test_a_crowd_that_cheers_while_somebody_speaks_stays() -> None:
    found = fed(swelling(crowd(8)), voice=(4 * RATE, 8 * RATE))
    assert abs(found.change_db(5, 7.5)) < 0.5


def test_a_voice_beside_a_cheer_goes_down_to_the_cheer() -> None:
    cheer = swelling(crowd(8))
    span = 11 * RATE // 2, 15 * RATE // 2
    found = fed(cheer + hum(8, span, level_db=-10), voice=span)
    assert Fed(cheer, found.raw).change_db(5.7, 7.3) > 10
    assert -2 < Fed(cheer, found.held).change_db(5.7, 7.3) < 2


@pytest.mark.parametrize("wide_db", [-200, -25])
def test_of_a_mono_background_what_swells_while_somebody_speaks_comes_back(wide_db: float) -> None:
    background = as_mono(swelling(crowd(16)), wide_db)
    found = fed(background, voice=(4 * RATE, 16 * RATE))
    assert found.change_db(5.2, 6) < -3
    assert abs(found.change_db(12, 14)) < 1


class FindsLate(Finds):
    """Finds enough of the voice from its middle on."""

    def process(self, block: Float) -> Separated:
        made = super().process(block)
        cells = self._cells + np.arange(len(block) // CELL)
        self._cells += len(cells)
        late = cells * CELL - self.latency > sum(VOICE) / 2
        return Separated(made.background, np.where(late, ENOUGH, LITTLE).astype(np.float32))

    def reset(self) -> None:
        super().reset()
        self._cells = 0


@pytest.mark.parametrize("cells", [1, 3, 50])
def test_blocks_of_any_size_give_the_same(cells: int) -> None:
    background = crowd(7) + hum(7)
    hold = Hold(FindsLate(LITTLE), Listed(VOICE))
    one = run(hold, background)
    hold.reset()
    assert np.allclose(one, run(hold, background, cells * CELL), atol=1e-6)


def test_shares_are_as_late_as_the_background() -> None:
    hold = Hold(Finds(-3.0), Listed((0, 0)))
    shares = np.concatenate([hold.process(crowd(0.1)).speech_share for _ in range(3)])
    extra = (hold.latency - Finds.latency) // CELL
    assert hold.latency % CELL == 0
    assert np.all(shares[:extra] == SHARE_FLOOR_DB)
    assert np.all(shares[extra:] == -3.0)
    assert len(shares) == 30


def test_another_stream_begins_with_nothing_known() -> None:
    hold = Hold(Finds(LITTLE), Listed(VOICE))
    first = run(hold, crowd(8) + hum(8))
    hold.reset()
    assert np.array_equal(run(hold, crowd(8) + hum(8)), first)

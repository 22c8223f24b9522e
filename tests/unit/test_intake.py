"""Where packets land on the timeline, and how the speech in them is cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dubcast.audio.fragmenter import SpeechFragmenter
from dubcast.audio.pcm import RATE, from_bytes, ms_to_samples, samples_to_ns
from dubcast.audio.store import AudioStore
from dubcast.audio.vad import WINDOW
from dubcast.clock import NS_PER_MS as MS
from dubcast.clock import NS_PER_S as S
from dubcast.separation.gate import SpeechGate
from dubcast.worker.intake import Intake, SpeechCutter
from dubcast.worker.timeline import ORIGIN_NS, Timeline
from worker_fakes import CHUNK, LevelVad, pcm


class Stage:
    """An intake whose packets arrive at `now`."""

    def __init__(self) -> None:
        self.timeline = Timeline(8 * S, 0)
        self.store = AudioStore(20 * RATE)
        self.sessions: list[tuple[int, int]] = []
        self.intake = Intake(self.timeline, self.store, lambda *at: self.sessions.append(at))
        self.now = 0

    def video(self, pts: int, dts: int) -> tuple[int, int]:
        unit = self.intake.video(pts, dts, True, "picture", b"config", self.now)
        return unit.pts_ns, unit.dts_ns

    def audio(self, pts: int, *, loud: bool = False) -> int | None:
        placed = self.intake.audio(pts, pcm(0, loud=loud), self.now)
        return None if placed is None else placed[0]


def test_a_session_begins_where_the_clock_is_and_keeps_its_distances() -> None:
    one = Stage()
    one.now = 5 * S
    assert one.video(100 * S, 100 * S) == (ORIGIN_NS + 5 * S, ORIGIN_NS + 5 * S)
    later = 100 * S + 80 * MS, 100 * S + 40 * MS
    assert one.video(*later) == (ORIGIN_NS + 5 * S + 80 * MS, ORIGIN_NS + 5 * S + 40 * MS)
    assert len(one.sessions) == 1
    assert one.sessions[0][1] == ORIGIN_NS + 5 * S


def test_a_session_after_another_lies_behind_it() -> None:
    one = Stage()
    one.video(0, 0)
    assert one.intake.end_session()
    assert not one.intake.end_session()
    one.now = 3 * S
    one.video(7 * S, 7 * S)
    (_, first), (end, second) = one.sessions
    assert first <= end < second == ORIGIN_NS + 3 * S


def test_a_dts_that_stands_still_is_lifted_and_its_pts_is_not() -> None:
    one = Stage()
    first, _ = one.video(80 * MS, 40 * MS)
    pts, dts = one.video(120 * MS, 40 * MS)
    assert (pts, dts) == (first + 40 * MS, first - 39 * MS)


def test_a_leap_moves_pts_and_dts_alike() -> None:
    one = Stage()
    one.video(80 * MS, 0)
    before, _ = one.video(120 * MS, 40 * MS)
    pts, dts = one.video(900 * S + 80 * MS, 900 * S)
    assert (pts - before, pts - dts) == (40 * MS, 80 * MS)


def test_a_presentation_time_that_is_nonsense_is_that_of_decoding() -> None:
    one = Stage()
    one.video(0, 0)
    pts, dts = one.video(40_000_000 + 10 * S, 40_000_000)
    assert pts == dts
    pts, dts = one.video(80_000_000 + 9 * S, 80_000_000)
    assert pts - dts == 9 * S


def test_sound_is_stored_where_its_timestamp_says_and_gaps_are_counted() -> None:
    one = Stage()
    first = one.audio(0, loud=True)
    assert first is not None
    one.now = 3 * S
    second = one.audio(3 * S)
    assert second is not None
    assert np.array_equal(one.store.read(first, first + CHUNK), from_bytes(pcm(0, loud=True)))
    assert one.intake.audio_gap_samples == second - first - CHUNK
    assert one.timeline.newest_ns == samples_to_ns(second + CHUNK)


def test_what_overlaps_altogether_is_nothing() -> None:
    one = Stage()
    for number in range(5):
        assert one.audio(number * CHUNK * S // RATE) is not None
    before = one.intake.audio_gap_samples
    assert one.audio(2 * CHUNK * S // RATE) is None
    long = pcm(0, frames=RATE // 2)
    assert one.intake.audio(2 * CHUNK * S // RATE, long, 0) is not None  # most of it is new
    assert one.intake.audio_gap_samples == before


def test_both_tracks_are_known_once_they_came() -> None:
    one = Stage()
    assert (one.intake.has_video, one.intake.has_audio, one.intake.video_config) == (
        *(False, False, None),
    )
    one.audio(0)
    assert (one.intake.has_video, one.intake.has_audio) == (False, True)
    one.video(0, 0)
    assert (one.intake.has_video, one.intake.video_config) == (True, b"config")


@pytest.mark.parametrize("with_video", [False, True])
def test_the_delay_follows_the_pictures_or_else_the_sound(with_video: bool) -> None:
    one = Stage()
    if with_video:
        one.video(0, 0)
    one.audio(0)
    early = one.timeline.due_ns(one.timeline.newest_ns)
    one.now = 0
    one.audio(S)  # a second early
    late = one.timeline.due_ns(one.timeline.newest_ns)
    assert early is not None
    assert late is not None
    # Sound that comes early moves what is due only where it is all there is.
    assert (late - early < S // 2) is not with_video


def test_a_picture_that_comes_early_moves_what_is_due() -> None:
    one = Stage()
    _, first = one.video(0, 0)
    _, second = one.video(S // 2, S // 2)  # with the first, half a second before its time
    due = one.timeline.due_ns(first)
    assert due is not None
    assert due == one.now + one.timeline.delay_ns - (second - first)


def test_the_gate_learns_where_a_voice_was() -> None:
    gate = SpeechGate()
    one = SpeechCutter(LevelVad(), SpeechFragmenter(0.5, ms_to_samples(300), RATE // 2), gate)
    spans_of(one, talk(0, 5))
    gate.shares(5 * RATE, np.full(2, -60.0, np.float32))  # the separator begins to judge
    first, last = gate.around(2 * RATE)
    assert first < RATE < 3 * RATE < last


def cutter() -> SpeechCutter:
    return SpeechCutter(
        LevelVad(), SpeechFragmenter(0.5, ms_to_samples(300), RATE // 2), SpeechGate()
    )


def spans_of(one: SpeechCutter, blocks: list[tuple[int, bool]], longest_s: float = 8) -> list[int]:
    """The lengths of the spans that blocks (position, loud) complete."""
    found = []
    for start, loud in blocks:
        block = from_bytes(pcm(start, loud=loud))
        found += one.cut(start, block, round(longest_s * RATE))
    return [span.stop - span.start for span in found]


def talk(begin_s: float, seconds: float) -> list[tuple[int, bool]]:
    """Two seconds of talk within silence, from a position on."""
    first = round(begin_s * RATE)
    return [(first + at, RATE <= at < 3 * RATE) for at in range(0, round(seconds * RATE), CHUNK)]


def test_it_is_known_from_where_on_somebody_speaks_for_sure() -> None:
    one = cutter()
    spans_of(one, [(at, loud and at != 2 * RATE) for at, loud in talk(0, 5)])
    begins = one.sure_from(0, 5 * RATE)
    assert begins == pytest.approx(RATE, abs=WINDOW)
    assert one.sure_from(0, begins) == begins
    assert one.sure_from(begins + 10, 5 * RATE) == begins + 10  # within speech
    assert one.sure_from(3 * RATE, 5 * RATE) == 5 * RATE


def test_a_click_is_nobody() -> None:
    one = cutter()
    spans_of(one, [(at, RATE <= at < RATE + WINDOW) for at in range(0, 3 * RATE, CHUNK)])
    assert one.sure_from(0, 3 * RATE) == 3 * RATE


def test_speech_is_cut_at_its_pause() -> None:
    (length,) = spans_of(cutter(), talk(0, 5))
    assert 2 * RATE <= length <= 2.5 * RATE


def test_no_span_is_longer_than_is_allowed() -> None:
    lengths = spans_of(cutter(), talk(0, 5), longest_s=1.0)
    assert len(lengths) > 1
    assert max(lengths) <= RATE


def test_where_the_sound_is_torn_what_was_open_ends() -> None:
    one = cutter()
    assert spans_of(one, talk(0, 2)) == []
    (length,) = spans_of(one, [(60 * RATE, False)])
    assert length == pytest.approx(RATE, abs=RATE // 4)


def test_the_end_of_the_input_gives_what_was_open() -> None:
    one = cutter()
    assert spans_of(one, talk(0, 2)) == []
    (span,) = one.flush()
    assert span.stop - span.start == pytest.approx(RATE, abs=RATE // 4)
    assert one.flush() == []


def test_until_where_it_is_quiet_grows_with_the_silence() -> None:
    one, seen = cutter(), []
    for start, loud in talk(0, 5):
        one.cut(start, from_bytes(pcm(start, loud=loud)), 8 * RATE)
        seen.append(one.quiet_until)
    assert all(a <= b for a, b in itertools.pairwise(seen))
    assert seen[-1] > 4 * RATE

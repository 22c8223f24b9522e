"""What leaves when, in virtual time, with a worker core around a scripted voice detector."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from dubcast.audio.pcm import RATE, Float, Int16
from dubcast.clock import NS_PER_S
from dubcast.config import FragmentSettings, StreamSettings
from dubcast.contract.worker import Outcome
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment
from dubcast.worker.scheduler import AUDIO_LEAD_NS, AudioBlock, Tracks, VideoUnit
from worker_fakes import dub_reply

S = NS_PER_S
FRAME = S // 30
CHUNK = 1024


class ScriptedVad:
    """Calls loud windows speech."""

    def probability(self, window: Float) -> float:
        return 0.9 if float(np.abs(window).max()) > 0.05 else 0.0

    def reset(self) -> None:
        pass


@dataclass
class Simulation:
    """Plays a publisher into the core and keeps what leaves, with the time at which it left."""

    delay_s: float = 8.0
    fragments: FragmentSettings = field(default_factory=FragmentSettings)
    loud: tuple[tuple[float, float], ...] = ()
    start_s: float = 5.0

    def __post_init__(self) -> None:
        policy = StreamSettings(
            delay_s=self.delay_s, fragments=self.fragments, match_loudness=False
        )
        self.core = WorkerCore(policy, "run", ScriptedVad(), 0)
        self.now = round(self.start_s * S)
        self.audio: list[tuple[int, AudioBlock]] = []
        self.video: list[tuple[int, VideoUnit]] = []
        self.cut: list[Fragment] = []
        self.decided: list[Fragment] = []
        self.told_ns: list[tuple[int, int]] = []  # when, and when the connection's start leaves
        self.media_start = self.now

    def samples(self, media_s: float) -> Int16:
        loud = any(a <= media_s < b for a, b in self.loud)
        return np.full((CHUNK, 2), 8000 if loud else 80, np.int16)

    def run(
        self, seconds: float, *, video: bool = True, audio: bool = True, publishing: bool = True
    ) -> None:
        """Let `seconds` pass in steps of 5 ms."""
        end = self.now + round(seconds * S)
        base = self.now
        sent_video = sent_audio = 0
        while self.now < end:
            media = self.now - base
            while publishing and video and sent_video * FRAME <= media:
                dts = sent_video * FRAME
                self.core.video(
                    dts + 2 * FRAME, dts, sent_video % 60 == 0, "au", b"config", self.now
                )
                sent_video += 1
            while publishing and audio and sent_audio * CHUNK * S // RATE <= media:
                pts = sent_audio * CHUNK * S // RATE
                pcm = self.samples((self.now - self.media_start) / S).tobytes()
                self.cut += self.core.audio(pts, pcm, self.now)
                sent_audio += 1
            self.poll()
            self.now += 5_000_000

    def poll(self) -> None:
        batch, _ = self.core.poll(self.now)
        self.audio += [(self.now, block) for block in batch.audio]
        self.video += [(self.now, unit) for unit in batch.video]
        self.decided += batch.decided
        if batch.start_due_ns is not None:
            self.told_ns.append((self.now, batch.start_due_ns))

    def reply(self, fragment: Fragment, seconds: float) -> None:
        assert self.core.dubs.send(fragment) is not None
        voice = np.full(round(seconds * RATE), 0.5, np.float32)
        self.core.dubs.replied(fragment, dub_reply(voice), self.now)


def delays(simulation: Simulation, first_dts: int) -> list[float]:
    """Departure minus arrival per access unit, in seconds."""
    return [
        (left - simulation.media_start - (unit.dts_ns - first_dts)) / S
        for left, unit in simulation.video
    ]


def test_pictures_leave_after_exactly_the_delay() -> None:
    one = Simulation()
    one.core.set_output(Tracks.BOTH)
    one.run(20)
    first = one.video[0][1].dts_ns
    assert len(one.video) > 300
    assert all(8.0 <= delay <= 8.006 for delay in delays(one, first))


@pytest.mark.parametrize(("resume_s", "leaves_s"), [(None, 8.0), (1.0, 1.0)])
def test_it_is_told_at_once_when_a_connection_begins(
    resume_s: float | None, leaves_s: float
) -> None:
    one = Simulation()
    if resume_s is not None:
        one.core.resume(resume_s)
    one.core.set_output(Tracks.BOTH)
    one.run(9)
    told_at, due = one.told_ns[0]
    assert told_at - one.media_start < S // 10
    assert 0 <= one.video[0][0] - due <= 6_000_000
    assert abs(due - one.media_start - leaves_s * S) < S // 100


def test_audio_is_gapless_and_leaves_a_little_earlier() -> None:
    one = Simulation()
    one.core.set_output(Tracks.BOTH)
    one.run(20)
    blocks = [block for _, block in one.audio]
    assert all(a.start + len(a.samples) == b.start for a, b in itertools.pairwise(blocks))
    left, block = one.audio[50]
    lag = left - one.media_start - (block.pts_ns - one.video[0][1].dts_ns)
    assert abs(lag - (8 * S - AUDIO_LEAD_NS)) < 10_000_000


def test_a_connection_begins_at_a_key_frame_with_the_audio_of_that_moment() -> None:
    one = Simulation()
    one.run(11.3)
    one.core.set_output(Tracks.BOTH)
    one.run(0.0)
    one.core.set_output(Tracks.NONE)
    one.core.set_output(Tracks.BOTH)
    start = one.now
    one.media_start = start
    one.run(10, publishing=False)
    first_video = one.video[0][1]
    assert first_video.key
    assert abs(one.audio[0][1].pts_ns - first_video.dts_ns) < 30_000_000


def test_without_audio_silence_leaves_so_that_the_muxer_never_waits() -> None:
    one = Simulation()
    one.core.set_output(Tracks.BOTH)
    one.run(15, audio=False)
    assert len(one.video) > 150
    assert not any(block.samples.any() for _, block in one.audio)
    assert one.audio[-1][1].pts_ns > one.video[-1][1].dts_ns


def test_without_video_an_audio_only_connection_begins_at_once() -> None:
    one = Simulation()
    one.core.set_output(Tracks.SOUND)
    one.run(12, video=False)
    assert one.video == []
    assert sum(len(block.samples) for _, block in one.audio) > 3 * RATE


def test_what_is_held_still_leaves_after_the_input_has_ended() -> None:
    one = Simulation()
    one.core.set_output(Tracks.BOTH)
    one.run(10)
    one.core.input_ended()
    one.run(9, publishing=False)
    assert one.core.drained
    assert len(one.video) == 300


def test_a_publisher_that_returns_continues_on_the_same_timeline() -> None:
    one = Simulation()
    one.core.set_output(Tracks.BOTH)
    one.run(5)
    one.core.input_ended()
    one.run(3, publishing=False)
    one.run(5)
    one.run(9, publishing=False)
    times = [unit.dts_ns for _, unit in one.video]
    assert times == sorted(times)
    assert len(times) == 300
    (before, after) = times[149], times[150]
    assert abs(after - before - 3 * S) < 0.1 * S
    starts = [block.start for _, block in one.audio]
    assert starts == sorted(starts)
    second = next(block for _, block in one.audio if block.pts_ns > before + S)
    assert abs(second.pts_ns - after) < 30_000_000


def test_a_dub_in_time_is_heard_and_a_late_one_is_not() -> None:
    one = Simulation(loud=((2.0, 4.0), (6.0, 8.0)))
    one.core.set_output(Tracks.BOTH)
    one.run(9.0)
    first, second = one.cut
    one.reply(first, 2.0)
    assert one.core.dubs.send(second) is not None
    one.run(10, publishing=False)
    assert [f.outcome for f in one.decided] == [Outcome.DUBBED, Outcome.LATE]
    assert first.margin_ms is not None
    assert first.margin_ms > 0
    level = {round(b.pts_ns / S, 1): int(np.abs(b.samples).mean()) for _, b in one.audio}
    origin = one.video[0][1].dts_ns / S
    assert 15_000 < level[round(origin + 3.0, 1)] < 18_000  # the dub over the ducked original
    assert level[round(origin + 7.0, 1)] == 8000  # the original, untouched


def test_a_stretched_dub_is_what_is_heard() -> None:
    one = Simulation(loud=((2.0, 4.0), (5.2, 7.4)))
    one.core.set_output(Tracks.BOTH)
    one.run(8.6)
    first, second = one.cut
    one.reply(first, 3.6)
    task = one.core.dubs.next_stretch()
    assert task is not None
    assert (task.fragment, one.core.dubs.next_stretch()) == (first, None)
    shorter = np.full(round(3.6 * RATE / task.factor), 0.5, np.float32)
    one.core.dubs.stretched(task, shorter)
    one.reply(second, 1.0)
    one.run(10, publishing=False)
    assert [f.outcome for f in one.decided] == [Outcome.DUBBED, Outcome.DUBBED]
    assert first.dub is not None
    assert first.dub.samples is shorter
    assert first.tempo == task.tempo
    assert second.shift is not None
    assert second.shift < 0.4 * RATE


def test_the_service_is_given_the_room_up_to_the_next_speech_and_the_bound() -> None:
    one = Simulation(loud=((2.0, 4.0), (5.0, 6.0)))
    one.run(5.5)
    (fragment,) = one.cut
    work = one.core.dubs.send(fragment)
    assert work is not None
    assert 3000 + 1500 - 100 <= work.slot_ms <= 3000 + 1500


def test_a_publishers_clock_that_drifts_is_followed() -> None:
    """The placement error that the metric shows, and no gap: 400 ppm over a minute is 24 ms."""
    one = Simulation()
    for number in range(60 * RATE // CHUNK):
        at = number * CHUNK * S // RATE
        one.core.audio(round(at * 1.0004), one.samples(0).tobytes(), at)
    assert one.core.view().audio_gap_samples == 0
    assert 0.0005 < one.core.view().av_error_s < 0.003


def test_a_reply_after_its_deadline_changes_nothing() -> None:
    one = Simulation(loud=((2.0, 4.0),))
    one.core.set_output(Tracks.BOTH)
    one.run(9.0)
    (fragment,) = one.cut
    assert one.core.dubs.send(fragment) is not None
    one.run(6, publishing=False)
    assert fragment.outcome is Outcome.LATE
    assert not one.core.dubs.replied(fragment, dub_reply(np.zeros(RATE, np.float32)), one.now)


def test_the_deadline_given_to_the_service_is_never_after_the_decision() -> None:
    one = Simulation(loud=((2.0, 4.0),))
    one.core.set_output(Tracks.BOTH)
    one.run(6.0)
    (fragment,) = one.cut
    deadline = one.core.dubs.deadline_ns(fragment)
    assert deadline is not None
    while not one.decided:
        one.run(0.005, publishing=False)
        assert one.now < 60 * S
    assert deadline < one.now
    assert one.now - deadline < 0.3 * S


def test_fixed_mode_cuts_chunks_on_a_grid() -> None:
    settings = FragmentSettings(mode="fixed", chunk_s=1.5, overlap_ms=100)
    one = Simulation(fragments=settings, loud=((0.0, 9.0),))
    one.run(9)
    lengths = {f.span.stop - f.span.start for f in one.cut}
    assert lengths == {round(1.5 * RATE)}
    assert {f.span.overlap for f in one.cut} == {4800}


def fallback_of(simulation: Simulation, outcome: Outcome | None, **settings: object) -> Fragment:
    """One fragment of 2 s of speech that comes to `outcome` (None: no reply), decided."""
    simulation.core = WorkerCore(StreamSettings.model_validate(settings), "run", ScriptedVad(), 0)
    simulation.core.set_output(Tracks.BOTH)
    simulation.run(7)
    (fragment,) = simulation.cut
    assert simulation.core.dubs.send(fragment) is not None
    if outcome is not None:
        simulation.core.dubs.failed(fragment, outcome, "scripted")
    simulation.run(12, publishing=False)
    return fragment


def heard(simulation: Simulation, second: float) -> int:
    """The sample that leaves for the moment `second` of the programme."""
    first = simulation.audio[0][1].start
    at = first + round(second * RATE)
    block = next(b for _, b in simulation.audio if b.start <= at < b.start + len(b.samples))
    return int(block.samples[at - block.start, 0])


def test_each_failed_fragment_gets_the_fallback_over_its_whole_span() -> None:
    for outcome in (Outcome.FAILED, Outcome.OVERLOAD, Outcome.LATE, None):
        one = Simulation(loud=((1.0, 3.0),))
        fragment = fallback_of(one, outcome, fallback="silence")
        assert fragment.fallback == "silence"
        assert heard(one, 2.0) == 0
        assert heard(one, 0.3) == heard(one, 5.0) == 80


def test_a_fragment_without_words_keeps_the_original_whatever_the_fallback() -> None:
    one = Simulation(loud=((1.0, 3.0),))
    fragment = fallback_of(one, Outcome.NO_SPEECH, fallback="silence")
    assert fragment.fallback == ""
    assert heard(one, 2.0) == 8000


def test_a_ducked_fragment_is_heard_at_its_level() -> None:
    one = Simulation(loud=((1.0, 3.0),))
    assert fallback_of(one, Outcome.FAILED, fallback="ducked").fallback == "ducked"
    assert abs(heard(one, 2.0) - 8000 * 10 ** (-12 / 20)) < 2


def test_a_repeat_needs_a_dub_that_was_heard() -> None:
    one = Simulation(loud=((1.0, 3.0), (5.0, 7.0)))
    one.core = WorkerCore(
        StreamSettings(fallback="repeat", delay_s=10, match_loudness=False), "run", ScriptedVad(), 0
    )
    one.core.set_output(Tracks.BOTH)
    one.run(9)
    first, second = one.cut
    one.reply(first, 1.5)
    assert one.core.dubs.send(second) is not None
    one.core.dubs.failed(second, Outcome.FAILED, "scripted")
    one.run(12, publishing=False)
    assert (first.fallback, second.fallback) == ("", "repeat")
    assert heard(one, 5.5) > 16000
    assert heard(one, 6.8) < 8000


def test_without_its_background_a_fragment_is_not_dubbed_if_the_policy_skips_it() -> None:
    for on_failure, outcome in (("duck", Outcome.DUBBED), ("skip", Outcome.SEPARATION)):
        one = Simulation(loud=((1.0, 3.0),))
        policy = StreamSettings.model_validate({"separation": {"on_failure": on_failure}})
        one.core = WorkerCore(policy, "run", ScriptedVad(), 0)
        one.core.set_output(Tracks.BOTH)
        one.run(5)
        (fragment,) = one.cut
        one.reply(fragment, 1.5)
        one.run(12, publishing=False)
        assert fragment.outcome is outcome
        assert (fragment.fallback == "original") == (on_failure == "skip")

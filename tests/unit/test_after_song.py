"""How surely a song was just before, as the worker tells the service with the next fragment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dubcast.audio.pcm import RATE
from dubcast.clock import NS_PER_S
from dubcast.config import StreamSettings
from dubcast.contract.stream_reply import Done, Heard
from dubcast.contract.sts import FragmentContext, LeftAlone, StageTimes, StsMetadata
from dubcast.errors import StsError
from dubcast.worker.core import WorkerCore
from dubcast.worker.scheduler import Tracks
from dubcast.worker.songs import Songs
from dubcast.worker.work import StreamEnd
from worker_fakes import LevelVad, dub_reply, feed

SONG, WORDS = {"song_odds": 4.5}, {"song_odds": -3.0}
# Where a fragment is (s), and what was told with it.
Told = tuple[float, float, float | None]
SUNG = (0.0, 3.0, 4.5)


def told(*fragments: Told) -> Songs:
    songs = Songs()
    for number, (_, stop, odds) in enumerate(fragments):
        songs.heard(number, round(stop * RATE), odds)
    return songs


@pytest.mark.parametrize(
    ("before", "odds"),
    [
        ((), 0.0),
        ((SUNG,), 4.5),
        ((SUNG, (3.0, 4.5, -3.0)), -3.0),
        ((SUNG, (3.0, 3.9, None)), 4.5),
    ],
)
def test_the_nearest_fragment_that_tells_is_believed(before: Sequence[Told], odds: float) -> None:
    assert told(*before).before(len(before), 5 * RATE) == odds


def test_what_follows_later_is_a_new_thing() -> None:
    songs = told(SUNG)
    assert songs.before(1, 13 * RATE) == 4.5
    assert songs.before(1, 13 * RATE + 1) == 0.0


def test_what_was_heard_later_and_of_itself_says_nothing_of_a_fragment() -> None:
    songs = told(SUNG, (3.0, 5.0, -3.0))
    assert songs.before(1, 3 * RATE) == 4.5
    assert songs.before(0, 0) == 0.0


def test_it_remembers_no_more_than_it_needs() -> None:
    songs = told(*[(float(n), n + 1.0, 1.0) for n in range(99)])
    assert len(songs._told) == 16
    assert songs.before(99, 99 * RATE) == 1.0


def test_older_services_are_told_of_songs_alone() -> None:
    assert set(FragmentContext().model_dump()) == {"source_text", "target_text"}
    context = FragmentContext(song_odds=-1.5)
    assert FragmentContext.model_validate_json(context.model_dump_json()) == context


METADATA = StsMetadata(asr_model="a", translation_model="m", tts_model="t", replica="r")
DONE = Done(status="no_speech", processing_time_ms=1, stages_ms=StageTimes(), metadata=METADATA)
CALM = {
    "delay_s": 15,
    "match_loudness": False,
    "separation": {"separator": "off"},
    "fragments": {"pause_ms": 180},
}


@dataclass
class Stage:
    """A song of which the desk has three fragments, two seconds each and one apart."""

    policy: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        core = WorkerCore(
            StreamSettings.model_validate({**CALM, **self.policy}), "run", LevelVad(), 0
        )
        core.set_output(Tracks.SOUND)
        self.fragments = feed(core, 0, 10.0, ((1.0, 3.0), (4.0, 6.0), (7.0, 9.0)))
        assert len(self.fragments) == 3
        self.core, self.desk = core, core.dubs

    def send(self, number: int) -> float:
        """The odds of a song before it that the fragment goes out with."""
        work = self.desk.send(self.fragments[number])
        assert work is not None
        return work.song_odds

    def heard(self, number: int, **fields: Any) -> None:
        """The beginning of a streamed reply."""
        heard = Heard(fragment_id=self.fragments[number].id, detected_language="en", **fields)
        self.desk.took(self.fragments[number], heard, 0.3, 0)


def test_what_comes_after_a_reply_in_one_piece_is_told_of_its_song() -> None:
    one = Stage()
    assert one.send(0) == 0.0
    one.desk.replied(one.fragments[0], dub_reply(None, **SONG), 0)
    one.desk.over(one.fragments[0])
    assert one.send(1) == 4.5
    one.desk.replied(one.fragments[1], dub_reply(np.zeros(RATE, np.float32), **WORDS), 0)
    assert one.send(2) == -3.0


def test_a_streamed_reply_tells_at_its_beginning() -> None:
    one = Stage()
    one.send(0)
    one.heard(0, **SONG)
    assert one.send(1) == 4.5
    one.desk.replied(one.fragments[0], StreamEnd(DONE, 0.5, LeftAlone.SONG), 0)
    one.heard(1, **WORDS)
    assert one.send(2) == -3.0


def test_what_fails_or_is_not_answered_yet_leaves_the_song_before_it() -> None:
    one = Stage()
    one.send(0)
    one.heard(0, **SONG)
    assert one.send(1) == 4.5
    assert one.send(2) == 4.5
    failing = Stage()
    failing.send(0)
    failing.heard(0, **SONG)
    failing.send(1)
    error = StsError("TIMEOUT", "scripted", retryable=False)
    failing.desk.call_failed(failing.fragments[1], error, 1.0, 0)
    assert failing.send(2) == 4.5


def test_what_is_told_too_late_to_be_dubbed_tells_of_its_song_all_the_same() -> None:
    one = Stage()
    one.send(0)
    one.core.poll(8 * NS_PER_S)
    assert one.core._book.asked(0) is None
    one.heard(0, **SONG)
    assert one.send(1) == 4.5

"""What lies around a fragment goes to the service with it, as far as it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dubcast.audio.fragmenter import Span
from dubcast.audio.pcm import RATE
from dubcast.config import StreamSettings, StsClientSettings
from dubcast.contract.stream_reply import Heard, PlannedClause, Translated, encode
from dubcast.contract.sts import FragmentConfig, FragmentContext, PcmAudio, StsRequest, WordTime
from dubcast.worker.clause_stream import ClauseStream
from dubcast.worker.core import WorkerCore
from dubcast.worker.fragment import Fragment
from dubcast.worker.reply_check import longest_ms
from dubcast.worker.said import NOTHING_AROUND, Around, Said
from dubcast.worker.scheduler import Tracks
from dubcast.worker.sts_client import StsClient
from dubcast.worker.work import Progress, Work
from worker_fakes import LevelVad, dub_reply, feed

MS = RATE // 1000
LONGEST = 6 * RATE
# (text, start, end) in ms of a fragment of four seconds.
WORDS = (("one", 500, 900), ("two", 1600, 2000), ("three,", 2500, 2900), ("four", 3100, 3600))


def times(words: tuple[tuple[str, int, int], ...] = WORDS) -> tuple[WordTime, ...]:
    return tuple(WordTime(text=text, start_ms=start, end_ms=end) for text, start, end in words)


def known(words: tuple[tuple[str, int, int], ...] = WORDS) -> Said:
    """Of fragment 0, from 10 s to 14 s, the words are known."""
    said = Said()
    said.heard(0, 10 * RATE, 14 * RATE, times(words))
    return said


def fragment(start_s: float, stop_s: float, number: int = 1, after_s: float = 0.0) -> Fragment:
    start, stop = round(start_s * RATE), round(stop_s * RATE)
    one = Fragment(number, f"run-{number}", Span(start, stop, start, stop))
    one.heard_after = round(after_s * RATE)
    return one


def test_the_last_words_before_a_fragment_are_heard_again_from_the_first_of_them_on() -> None:
    assert known().around(fragment(14, 17), LONGEST) == Around(2400 * MS, 0, "two three, four")
    # What a fragment says is told to the next one alone, and to that if it goes on from there.
    assert known().around(fragment(14.1, 17), LONGEST) == NOTHING_AROUND
    assert known().around(fragment(14, 17, number=2), LONGEST) == NOTHING_AROUND


def test_all_of_it_is_no_longer_than_a_recognizer_hears_for_the_price_of_less() -> None:
    assert known().around(fragment(14, 20, after_s=2), LONGEST) == Around(
        1500 * MS, 500 * MS, "three, four"
    )
    assert known().around(fragment(14, 18, after_s=2), LONGEST) == Around(
        2400 * MS, 1600 * MS, "two three, four"
    )
    assert known().around(fragment(14, 22, after_s=2), LONGEST) == NOTHING_AROUND
    assert Said().around(fragment(14, 17, after_s=0.1), LONGEST) == NOTHING_AROUND
    assert Said().around(fragment(14, 17, after_s=2), LONGEST) == Around(0, 2000 * MS, "")


def test_a_reply_whose_words_make_no_sense_is_no_help_and_no_harm() -> None:
    assert known((("w" * 600, 3000, 3500),)).around(fragment(14, 17), LONGEST) == NOTHING_AROUND
    assert known((("late", 9000, 9500),)).around(fragment(14, 17), LONGEST) == NOTHING_AROUND
    assert known(()).around(fragment(14, 17), LONGEST) == NOTHING_AROUND


def test_what_was_left_to_a_fragment_is_heard_with_it_though_no_word_is_near() -> None:
    """The last words that were told end 1.4 s before, and begin further away than there is room."""
    said = known((("that", 2000, 2200), ("ends.", 2200, 2600)))
    assert said.around(fragment(14, 20.3), LONGEST) == Around(1400 * MS, 0, "")
    assert said.around(fragment(14, 17), LONGEST) == Around(2000 * MS, 0, "that ends.")


def test_nothing_is_left_to_a_fragment_that_may_have_no_room_for_it() -> None:
    one = fragment(14, 17, after_s=2)
    assert Said().around(one, round(6.3 * RATE)).after == 2000 * MS
    assert Said().around(one, round(6.4 * RATE)) == NOTHING_AROUND


def test_it_remembers_no_more_than_it_needs() -> None:
    said = Said()
    for number in range(99):
        said.heard(number, 0, RATE, times())
    assert len(said._words) == 16


POLICY = {"delay_s": 8, "match_loudness": False, "separation": {"separator": "off"}}


def running(**policy: Any) -> tuple[WorkerCore, list[Fragment]]:
    """Twelve seconds of speech without a pause, and what was cut from it."""
    core = WorkerCore(StreamSettings.model_validate({**POLICY, **policy}), "run", LevelVad(), 0)
    core.set_output(Tracks.SOUND)
    return core, feed(core, 0, 12.0, ((1.0, 12.0),))


def sent(core: WorkerCore, one: Fragment) -> Work:
    work = core.dubs.send(one)
    assert work is not None
    return work


def test_what_was_cut_in_running_speech_goes_with_what_is_around_it() -> None:
    core, (first, second, *_) = running()
    work = sent(core, first)
    assert (work.before_ms, work.before_text) == (0, "")
    assert work.after_ms >= 1000  # the cut was made as late as can be, and lies further back
    assert len(work.audio) == first.span.stop - first.span.start + work.after_ms * MS
    assert work.duration_ms == round((first.span.stop - first.span.start) / MS)
    last = WordTime(text="words", start_ms=work.duration_ms - 700, end_ms=work.duration_ms)
    heard = Heard(fragment_id=first.id, detected_language="en", transcript="words", words=(last,))
    core.dubs.took(first, heard, 0.3, 0)
    work = sent(core, second)
    assert (work.before_ms, work.before_text) == (700, "words")
    around = core._store.read(second.span.start - 700 * MS, second.span.stop + work.after_ms * MS)
    assert np.array_equal(work.audio, around.mean(axis=1).round().astype(np.int16))


def test_with_a_long_delay_fragments_are_too_long_to_leave_words_to() -> None:
    core = WorkerCore(
        StreamSettings.model_validate({**POLICY, "delay_s": 15}), "run", LevelVad(), 0
    )
    core.set_output(Tracks.SOUND)
    first, *_ = feed(core, 0, 20.0, ((1.0, 20.0),))
    assert first.heard_after > RATE
    assert sent(core, first).after_ms == 0


def test_words_that_go_with_the_next_fragment_are_waited_for() -> None:
    core, (first, second, *_) = running()
    sent(core, first)
    assert core._book.words_pending(second)
    core.dubs.replied(first, dub_reply(None), 0)
    assert not core._book.words_pending(second)


def test_where_speech_ends_at_the_cut_nothing_goes_with_the_next_fragment() -> None:
    """The longest fragment ends in a pause that is too short to end it."""
    core = WorkerCore(StreamSettings.model_validate(POLICY), "run", LevelVad(), 0)
    core.set_output(Tracks.SOUND)
    stop_s = 1.0 + core.view().longest_fragment_s - 0.25
    (first, *_) = feed(core, 0, 8.0, ((1.0, stop_s), (stop_s + 0.5, 8.0)))
    assert first.span.stop >= round(stop_s * RATE)
    assert sent(core, first).after_ms == 0


def test_what_a_pause_ends_is_heard_alone() -> None:
    core = WorkerCore(StreamSettings.model_validate(POLICY), "run", LevelVad(), 0)
    core.set_output(Tracks.SOUND)
    (one,) = feed(core, 0, 6.0, ((1.0, 3.0),))
    assert sent(core, one).after_ms == 0


@pytest.mark.parametrize("policy", [{"duration_policy": "match"}, {"fragments": {"mode": "fixed"}}])
def test_a_reply_in_one_piece_is_asked_for_the_fragment_alone(policy: dict[str, Any]) -> None:
    core, (first, *_) = running(**policy)
    assert (sent(core, first).before_ms, sent_after(core)) == (0, 0)


def sent_after(core: WorkerCore) -> int:
    """What the fragments that are open would be sent with behind them."""
    open_ones = [one for one in core._book._open.values() if one.sequence]
    return max(sent(core, one).after_ms for one in open_ones)


AUDIO = PcmAudio.from_pcm(bytes(2 * 16 * 2000), 16_000, 1)


def request(config: dict[str, Any], **context: Any) -> StsRequest:
    return StsRequest(
        fragment_id="f",
        stream_id="s",
        sequence_number=1,
        audio=AUDIO,
        config=FragmentConfig(**config),
        context=FragmentContext(**context),
    )


def test_a_request_says_how_much_of_its_sound_the_fragment_is() -> None:
    one = request({"before_ms": 600, "after_ms": 500}, before_text="one two")
    assert (one.fragment_ms, one.fragment_frames) == (900, 16 * 900)
    assert StsRequest.model_validate_json(one.model_dump_json()) == one
    with pytest.raises(ValueError, match=r"before_ms 1500 and after_ms 450 leave 50 ms"):
        request({"before_ms": 1500, "after_ms": 450})


def test_a_client_asks_for_it_and_for_the_words_that_the_next_one_needs() -> None:
    client = StsClient(StsClientSettings(), "demo", StreamSettings(), lambda: 0)
    sound = np.zeros(2 * RATE, np.int16)
    around = {"before_ms": 600, "after_ms": 500, "before_text": "one two"}
    asked = client._request(Work("f", 1, sound, 3000, 0, clausewise=True, **around))
    assert (asked.fragment_ms, asked.config.timings) == (900, "words")
    assert (asked.config.before_ms, asked.config.after_ms) == (600, 500)
    assert asked.context.before_text == "one two"
    assert client._request(Work("f", 1, sound, 3000, 0)).config.timings == "speech"


def test_a_reply_is_measured_by_the_fragment() -> None:
    whole, part = request({}), request({"before_ms": 600, "after_ms": 400})
    assert longest_ms(part) == longest_ms(whole) / 2
    told: list[Progress] = []
    stream = ClauseStream(part, told.append)
    heard = Heard(fragment_id="f", detected_language="en", transcript="words")
    clause = PlannedClause(index=0, text="palavras")
    stream.feed(encode(heard) + encode(Translated(translated_text="palavras", clauses=(clause,))))
    (announced,) = told[1]
    assert (announced.start_ms, announced.stop_ms) == (0, 1000)


def test_older_services_are_told_of_it_only_where_there_is_something() -> None:
    whole = request({})
    assert (whole.fragment_ms, whole.fragment_frames) == (2000, 16 * 2000)
    assert not {"before_ms", "after_ms"} & set(whole.config.model_dump())
    assert "before_text" not in whole.context.model_dump()

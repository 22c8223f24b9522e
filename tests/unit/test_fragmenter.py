"""Where speech is cut."""

from __future__ import annotations

import pytest

from dubcast.audio.fragmenter import PAD, FixedFragmenter, Fragmenter, Span, SpeechFragmenter
from dubcast.audio.pcm import RATE, ms_to_samples
from dubcast.audio.vad import WINDOW, Window

LONGEST = 5 * RATE


def windows(pattern: list[tuple[float, float]], power: float = 1.0) -> list[Window]:
    """(seconds, probability) pairs as windows."""
    result, at = [], 0
    for seconds, probability in pattern:
        for _ in range(round(seconds * RATE / WINDOW)):
            result.append(Window(at, probability, power if probability > 0.5 else 0.0))
            at += WINDOW
    return result


def spans(fragmenter: Fragmenter, items: list[Window], longest: int = LONGEST) -> list[Span]:
    found: list[Span] = []
    for item in items:
        found += fragmenter.feed([item], longest)
    return [*found, *fragmenter.flush()]


def speech(shortest_s: float = 1.0) -> SpeechFragmenter:
    return SpeechFragmenter(0.5, ms_to_samples(300), round(shortest_s * RATE))


def test_two_sentences_become_two_fragments_with_padding() -> None:
    first, second = spans(speech(), windows([(1, 0), (2, 0.9), (1.2, 0), (2, 0.9), (1, 0)]))
    onset = round(RATE / WINDOW) * WINDOW
    assert first.speech_start == onset
    assert first.start == onset - PAD
    assert first.stop == pytest.approx(onset + 2 * RATE + PAD, abs=WINDOW)
    assert first.slot_stop - first.stop >= ms_to_samples(150)
    assert second.start > first.slot_stop


def test_no_speech_no_fragment() -> None:
    assert spans(speech(), windows([(20, 0.3)])) == []


def test_a_short_pause_does_not_end_a_fragment() -> None:
    assert len(spans(speech(), windows([(1.5, 0.9), (0.2, 0.0), (1.5, 0.9), (1, 0)]))) == 1


def test_a_pause_before_the_minimum_does_not_end_it_but_a_long_one_does() -> None:
    pattern = [(0.5, 0.9), (0.45, 0.0), (1.5, 0.9), (2, 0.0)]
    assert len(spans(speech(shortest_s=2.5), windows(pattern))) == 1
    pattern = [(0.5, 0.9), (1.7, 0.0), (1.5, 0.9), (2, 0.0)]
    assert len(spans(speech(shortest_s=2.5), windows(pattern))) == 2


def test_hysteresis_keeps_a_fragment_open() -> None:
    assert len(spans(speech(), windows([(1, 0.9), (1, 0.4), (1, 0.9), (1, 0)]))) == 1
    assert len(spans(speech(), windows([(1.5, 0.9), (1.5, 0.3), (1, 0.9), (1, 0)]))) == 2


def test_running_speech_is_cut_at_its_quietest_place_and_nothing_is_lost() -> None:
    items = windows([(12, 0.9)])
    quiet = [round(3.9 * RATE / WINDOW), round(8.0 * RATE / WINDOW)]
    items = [
        Window(w.start, w.probability, 0.01 if any(0 <= i - q < 3 for q in quiet) else w.power)
        for i, w in enumerate(items)
    ]
    found = spans(speech(), items)
    assert [f.stop for f in found[:-1]] == [f.start for f in found[1:]]
    assert all(f.stop - f.start <= LONGEST + WINDOW for f in found)
    assert abs(found[0].stop - (quiet[0] * WINDOW + 1.5 * WINDOW)) <= WINDOW
    assert found[-1].stop >= items[-1].start


def test_over_a_crowd_the_cut_falls_where_the_detector_is_least_sure() -> None:
    gap, lull = (round(at * RATE / WINDOW) for at in (3.4, 4.5))
    items = [
        Window(
            w.start,
            0.4 if 0 <= i - gap < 3 else w.probability,
            0.3 if 0 <= i - lull < 3 else w.power,
        )
        for i, w in enumerate(windows([(8, 0.9)]))
    ]
    first, *_ = spans(speech(), items)
    assert abs(first.stop - (gap * WINDOW + 1.5 * WINDOW)) <= WINDOW


def test_the_longest_fragment_follows_the_limit_given() -> None:
    found = spans(speech(), windows([(12, 0.9)]), longest=2 * RATE)
    assert all(f.stop - f.start <= 2 * RATE + WINDOW for f in found)
    assert len(found) >= 6


def test_flush_closes_what_is_open() -> None:
    found = spans(speech(), windows([(1, 0), (1.5, 0.9)]))
    assert len(found) == 1


@pytest.mark.parametrize(("spoken_windows", "fragments"), [(3, 0), (10, 1)])
def test_a_scrap_at_the_end_of_the_input_is_no_fragment(
    spoken_windows: int, fragments: int
) -> None:
    """The service takes 0.1 s or more: what is left of a word would be refused."""
    begun = [Window(i * WINDOW, 0.9, 1.0) for i in range(spoken_windows)]
    assert len(spans(speech(), begun)) == fragments


def test_fixed_chunks_lie_on_a_grid_overlap_and_skip_silence() -> None:
    chunk, overlap = 2 * RATE, ms_to_samples(150)
    found = spans(FixedFragmenter(0.5, chunk, overlap), windows([(6, 0.9), (6, 0), (3, 0.9)]))
    assert all(f.stop - f.start == chunk and f.overlap == overlap for f in found)
    assert all((f.start % (chunk - overlap)) == 0 for f in found)
    starts = {f.start // (chunk - overlap) for f in found}
    assert {0, 1, 2} <= starts
    assert 5 not in starts


def test_it_tells_until_where_it_is_quiet_at_least() -> None:
    one = speech()
    quiet = windows([(1, 0), (0.5, 0.9), (0.1, 0.0)])
    onset = next(window.start for window in quiet if window.probability > 0.5)
    seen = []
    for window in quiet:
        assert list(one.feed([window], LONGEST)) == []
        seen.append(one.quiet_until)
    until_speech = [window.start + WINDOW for window in quiet if window.start < onset]
    assert seen == until_speech + [onset] * (len(quiet) - len(until_speech))


def test_fixed_chunks_tell_where_the_next_one_begins() -> None:
    one = FixedFragmenter(0.5, RATE, ms_to_samples(150))
    (first,) = one.feed(windows([(1.2, 0.9)]), LONGEST)
    assert one.quiet_until == first.stop - ms_to_samples(150)


def test_the_shorter_a_fragment_is_the_longer_a_pause_ends_it() -> None:
    """Of the longest allowed 3.25 s are enough: from there on any pause does."""
    for spoken_s, pause_s, fragments in [
        (1.2, 1.2, 1), (1.2, 1.55, 2), (2.0, 0.9, 1), (2.0, 1.2, 2), (3.3, 0.35, 2),
    ]:  # fmt: skip
        pattern = [(spoken_s, 0.9), (pause_s, 0.0), (0.8, 0.9), (2, 0.0)]
        assert len(spans(speech(), windows(pattern))) == fragments, (spoken_s, pause_s)


def test_running_speech_is_cut_where_it_is_least_like_speech() -> None:
    gap = round(4 * RATE / WINDOW)
    breath = [
        Window(w.start, 0.1 if 0 <= i - gap < 4 else w.probability, w.power)
        for i, w in enumerate(windows([(8, 0.9)]))
    ]
    first, *_ = spans(speech(), breath)
    assert first.stop == pytest.approx(4 * RATE, abs=0.1 * RATE)


def test_a_pause_that_is_too_short_for_its_length_ends_it_where_it_may_be_no_longer() -> None:
    first, *_ = spans(speech(), windows([(0.8, 0.9), (1.0, 0.0)]), longest=round(1.5 * RATE))
    assert first.stop == pytest.approx(0.8 * RATE + PAD, abs=WINDOW)
    assert first.slot_stop >= 1.5 * RATE

"""The mix bench's measures on made signals whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bench.mix import (
    echo,
    judge,
    loudness,
    placement,
    programmes,
    recorded,
    silence,
    stems,
    takes,
    texts,
)
from bench.mix import words as words_module
from bench.mix.judge import Measured, Read
from bench.mix.placement import Placed
from bench.mix.words import Window
from dubcast.audio.loudness import HOP, SILENT, integrated
from dubcast.audio.pcm import RATE, Float
from dubcast.audio.vad import WINDOW_16K
from dubcast.contract.worker import AsRunEntry, Outcome, SpeechAired
from dubcast.measure.material import Line


def tone(hertz: float, seconds: float, amplitude: float) -> Float:
    time = np.arange(round(seconds * RATE)) / RATE
    mono = amplitude * np.sin(2 * np.pi * hertz * time)
    return np.repeat(mono[:, None], 2, axis=1).astype(np.float32)


def noise(seconds: float, level: float, seed: int, channels: int = 2) -> Float:
    random = np.random.default_rng(seed)
    shape = (round(seconds * RATE), channels)
    return (level * random.standard_normal(shape)).astype(np.float32)


# loudness: the cases of EBU Tech 3341, which state the answers for BS.1770


@pytest.mark.parametrize("dbfs", [-23.0, -33.0])
def test_a_stereo_tone_has_its_own_level_in_lufs(dbfs: float) -> None:
    assert loudness.integrated(tone(1000, 5, 10 ** (dbfs / 20))) == pytest.approx(dbfs, abs=0.1)


def test_quiet_parts_are_gated() -> None:
    levels = ((-36, 4), (-23, 24), (-36, 4))
    parts = [tone(1000, seconds, 10 ** (level / 20)) for level, seconds in levels]
    assert loudness.integrated(np.concatenate(parts)) == pytest.approx(-23, abs=0.1)


def test_silence_has_no_loudness() -> None:
    assert loudness.integrated(np.zeros((RATE, 2), dtype=np.float32)) is None


def test_sound_shorter_than_a_block_is_measured() -> None:
    # The filter's onset makes a short tone a little louder.
    assert loudness.integrated(tone(1000, 0.2, 0.1)) == pytest.approx(-20, abs=0.3)


def swelling(seconds: float) -> Float:
    """Noise that rises by 40 dB: the gates leave much of it out."""
    rise = 10 ** (np.linspace(-50, -10, round(seconds * RATE)) / 20)
    return (noise(seconds, 0.3, 8) * rise[:, None]).astype(np.float32)


@pytest.mark.parametrize(
    "sound",
    [
        noise(3, 0.1, 5),
        noise(0.9, 0.02, 6),
        tone(90, 2, 0.3),
        tone(6000, 2, 0.05),
        np.concatenate([tone(1000, 4, 0.2), noise(6, 1e-3, 7), tone(300, 1, 0.1)]),
        swelling(8),
        tone(440, 3, 0.2) * np.array([1, 0], np.float32),
    ],
    ids=["noise", "short", "low", "high", "pauses", "swelling", "left"],
)
def test_the_products_meter_agrees_with_pyloudnorm(sound: Float) -> None:
    # The product cuts its blocks in hops of 100 ms, and each is of the same samples here.
    whole = sound[: len(sound) // HOP * HOP]
    assert integrated(whole) == pytest.approx(loudness.integrated(whole), abs=0.05)


def test_both_meters_find_nothing_below_the_gate() -> None:
    quiet = noise(2, 1e-5, 9)
    assert loudness.integrated(quiet) is None
    assert integrated(quiet) == SILENT


def test_the_true_peak_lies_between_the_samples() -> None:
    time = np.arange(RATE) / RATE
    mono = 0.5 * np.sin(2 * np.pi * RATE / 4 * time + np.pi / 4)
    sound = np.repeat(mono[:, None], 2, axis=1)
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-9.03, abs=0.01)
    assert loudness.true_peak_dbtp(sound[2000:-2000]) == pytest.approx(-6.02, abs=0.3)


# words


def test_numbers_and_punctuation_do_not_hide_words() -> None:
    assert words_module.split("He's 26, at 7!") == ["he's", "twenty", "six", "at", "seven"]


def test_numbers_are_spelled_in_the_language_of_the_dub() -> None:
    said = "Aos 26, o 9 e 100 em 2024, 10 a 30"
    spelled = "Aos vinte e seis, o nove e 100 em 2024, dez a trinta"
    assert words_module.spelled_out(said, "pt-BR") == spelled
    assert words_module.spelled_out("26 or 5", "en") == "twenty six or five"
    assert words_module.spelled_out("26", "de") == "26"


@pytest.mark.parametrize(
    ("heard", "found"), [("a b c d", 4), ("d c b a", 1), ("x a y c", 2), ("", 0), ("a a a", 1)]
)
def test_words_count_in_their_order(heard: str, found: int) -> None:
    assert words_module.in_order(["a", "b", "c", "d"], heard.split()) == found


def test_words_are_found_in_their_own_window() -> None:
    windows = [Window(0, 1, ("a", "b")), Window(1, 2, ("c", "d"))]
    assert words_module.found(windows, ["a b", "a b d"]) == 3


def test_windows_hold_whole_lines_and_every_word_once() -> None:
    lines = [Line(f"line number {k}", "v", 3.0 * k, 3.0 * k + 2.8) for k in range(5)]
    made = words_module.windows(lines, 20)
    assert [word for w in made for word in w.words] == [
        word for line in lines for word in words_module.split(line.text)
    ]
    assert len(made) > 1
    assert all(w.end_s - w.start_s < 8 for w in made)
    assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(made))


# placement


def dubbed(start: float, end: float, *, late: float = 0.0, tempo: float = 1.0) -> Placed:
    return Placed(start, end, start, start + late, end + late, start + late, tempo)


def test_the_window_counts_what_has_no_dub_as_missed() -> None:
    inside = [dubbed(0, 1, late=-0.05), dubbed(2, 3, late=0.4)]
    outside = [dubbed(4, 5, late=-0.06), dubbed(6, 7, late=0.41), Placed(8, 9, 8)]
    assert placement.in_window_share(inside + outside) == pytest.approx(2 / 5)


def test_tempo_is_weighed_by_time() -> None:
    placed = [dubbed(0, 3, tempo=1.15), dubbed(4, 5, tempo=1.16), Placed(8, 9, 8)]
    assert placement.tempo_in_band_share(placed) == pytest.approx(0.75)
    assert placement.tempo_max(placed) == 1.16


def test_a_tempo_that_was_calculated_is_in_the_band_up_to_its_limit() -> None:
    clauses = [replace(dubbed(0, 1.1), tempo=1.15), replace(dubbed(1.1, 3.3), tempo=1.15)]
    joined = clauses[0].joined(clauses[1])
    assert placement.tempo_in_band_share([replace(joined, tempo=1.15 + 2e-16)]) == 1


def test_the_backlog_is_how_late_the_next_begins() -> None:
    placed = [dubbed(0, 2, late=0.5), dubbed(2.2, 4), dubbed(4, 6, late=1.2)]
    assert placement.backlogs(placed) == [
        (2, pytest.approx(0.3)),
        (4, pytest.approx(0)),
        (6, pytest.approx(1.2)),
    ]
    assert placement.backlog_end_s(placement.backlogs(placed), 1.0) == pytest.approx(1.2)


def test_a_growing_backlog_has_its_slope() -> None:
    placed = [dubbed(3 * k, 3 * k + 3, late=0.01 * k) for k in range(60)]
    # 10 ms in three seconds are 0.2 s in a minute.
    slope = placement.backlog_slope_s_per_min(placement.backlogs(placed))
    assert slope == pytest.approx(0.2, abs=0.01)


def test_dubs_that_speak_at_a_time_are_told() -> None:
    assert placement.overlapping_s([dubbed(1, 3), dubbed(2, 4), dubbed(5, 6)]) == 1
    assert placement.overlapping_s([dubbed(1, 3), dubbed(3, 4)]) == 0


RUNS = [(1.0, 3.0), (4.0, 9.0)]


@pytest.mark.parametrize(
    ("start", "end", "before", "onset"),
    [
        (1.1, 3.2, 0.0, 1.0),  # the detector opened late
        (0.9, 3.2, 0.0, 1.0),  # or early
        (1.6, 3.2, 0.0, 1.0),  # what it missed of this utterance counts
        (6.0, 9.0, 6.0, 6.0),  # a cut within speech
        (4.1, 6.0, 3.2, 4.0),
        (3.3, 3.8, 3.2, None),  # nobody spoke
        (9.5, 9.8, 9.2, None),
    ],
)
def test_the_true_onset_of_a_fragment(
    start: float, end: float, before: float, onset: float | None
) -> None:
    assert placement.speech_onset(RUNS, start, end, before) == onset


@pytest.mark.parametrize(
    ("start", "before", "onset"),
    [
        (6.0, 4.5, 6.1),  # "so far.": "far" is the end of what the fragment before dubs
        (4.95, 4.5, 4.6),  # of the line that "far" ends this fragment has something, too
        (5.4, 0.5, 4.6),  # nothing was dubbed of the line: its end was missed by this one
        (6.45, 5.5, 6.1),  # its own first word was missed
    ],
)
def test_the_end_of_the_line_before_is_not_the_onset(
    start: float, before: float, onset: float
) -> None:
    runs, lines = [(1.0, 4.5), (4.6, 5.1), (6.1, 6.4), (6.5, 9.0)], [(1.0, 5.1), (6.1, 9.0)]
    assert placement.speech_onset(runs, start, 9.0, before, lines) == onset


# taking apart and aligning


@pytest.fixture(scope="module")
def made() -> tuple[Float, Float, Float]:
    """(bed, speech, dub) of 6 s: independent noises, the last two in parts of the time."""
    bed, speech, dub = noise(6, 0.05, 1), noise(6, 0.1, 2, 1)[:, 0], noise(6, 0.1, 3, 1)
    speech[: RATE // 2] = 0
    dub[: 2 * RATE] = 0
    return bed, speech, np.repeat(dub, 2, axis=1)


def decibel(sound: Float, reference: Float) -> float:
    return float(10 * np.log10((sound**2).mean() / (reference**2).mean()))


def test_the_dub_is_what_bed_and_original_do_not_explain(made: tuple[Float, Float, Float]) -> None:
    bed, speech, dub = made
    output = 0.8 * bed + 0.3 * speech[:, None] + dub
    parts = stems.taken_apart(output.astype(np.float32), bed, speech)
    inner = slice(3 * RATE, 5 * RATE)
    assert decibel(parts.dub[inner] - dub[inner], dub[inner]) < -14
    assert decibel(parts.dub[inner], dub[inner]) == pytest.approx(0, abs=0.3)
    assert decibel(parts.original[inner], 0.3 * speech[inner, None]) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("left", [0.5, 0.126])
def test_the_leak_under_a_dub_is_told(made: tuple[Float, Float, Float], left: float) -> None:
    bed, speech, dub = (sound[3 * RATE : 5 * RATE] for sound in made)
    both = np.repeat(speech[:, None], 2, axis=1)
    leak = stems.leak_db(bed + left * both + dub, bed, both)
    assert leak == pytest.approx(20 * np.log10(left), abs=1.0)
    nothing = stems.leak_db(bed + dub, bed, both)
    assert nothing is not None and nothing < -26
    assert stems.leak_db(bed, bed, 0 * both) is None


def test_the_bed_is_found_as_low_as_it_lies_in_the_output(
    made: tuple[Float, Float, Float],
) -> None:
    bed, speech, dub = (sound[3 * RATE : 5 * RATE] for sound in made)
    both = np.repeat(speech[:, None], 2, axis=1)
    found = stems.bed_in(0.3 * bed + 0.1 * both + dub, bed, both)
    assert found.shape == bed.shape
    assert decibel(found, 0.3 * bed) == pytest.approx(0, abs=1.0)
    assert decibel(found - 0.3 * bed, 0.3 * bed) < -12


def test_levels_are_averaged_as_energies() -> None:
    assert judge.mean_db([-10, -10]) == -10
    assert judge.mean_db([0, -60]) == pytest.approx(-3.01, abs=0.01)
    assert judge.mean_db([]) is None


def test_without_a_dub_nothing_is_left(made: tuple[Float, Float, Float]) -> None:
    bed, speech, _ = made
    output = bed + speech[:, None]
    parts = stems.taken_apart(output, bed, speech)
    assert decibel(parts.dub, output) < -50
    assert decibel(parts.voices, np.repeat(speech[:, None], 2, axis=1)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("samples", [-3000, -1, 0, 1, 1024, 4096])
def test_the_lag_is_found_to_the_sample(samples: int) -> None:
    long = noise(3, 0.1, 4)
    reference = long[5000 : 5000 + 2 * RATE]
    later = long[5000 - samples : 5000 - samples + 2 * RATE]
    assert recorded.lag(later, reference) == samples


def test_shifting_fills_with_silence() -> None:
    sound = np.arange(1, 9, dtype=np.float32).reshape(4, 2)
    assert recorded.shifted(sound, -1, 3)[:, 0].tolist() == [0, 1, 3]
    assert recorded.shifted(sound, 2, 4)[:, 0].tolist() == [5, 7, 0, 0]


def spoken(seconds: float, seed: int) -> Float:
    """Noise that rises and falls as syllables do: mono."""
    random = np.random.default_rng(seed)
    shape = np.interp(
        np.arange(round(seconds * RATE)),
        np.arange(0, seconds * RATE, RATE // 10),
        random.uniform(0, 1, round(seconds * 10)) ** 2,
    )
    return (0.3 * shape * random.standard_normal(len(shape))).astype(np.float32)


class Parrot:
    """Says each text as it was taught."""

    def __init__(self, **clips: Float) -> None:
        self._clips = clips

    def say(self, text: str) -> Float:
        return self._clips[text]


ENTRY = AsRunEntry(
    fragment_id="run-0",
    sequence_number=0,
    source_start_s=2.9,
    source_end_s=5.0,
    outcome=Outcome.DUBBED,
    dub_start_s=2.93,
    dub_end_s=4.93,
    translated_text="one",
)


def with_dub(clip: Float, start_s: float) -> Float:
    """Six seconds of quiet noise with a dub in it."""
    out = noise(6, 0.003, 9)
    judge.add(out, round(start_s * RATE), clip)
    return out


def test_a_dub_is_heard_where_it_is_and_not_where_the_log_says() -> None:
    clip = spoken(2, 5)
    clip[: RATE // 20] = 0  # begins with 50 ms of silence
    dub, clips = with_dub(clip, 3.0), takes.clips_of([ENTRY], Parrot(one=clip))
    found = takes.found_in(dub, [ENTRY], clips)
    assert found[0].sure and echo.shift_s(found) == pytest.approx(0.07, abs=0.006)
    late = takes.fragments([ENTRY], [(2.8, 5.0)], dub, clips)[0]
    assert late.source_onset_s == 2.8
    assert late.onset_s == pytest.approx(3.05, abs=0.05)


def test_what_is_another_sentence_is_not_recognised() -> None:
    dub, clips = with_dub(spoken(2, 6), 3.0), takes.clips_of([ENTRY], Parrot(one=spoken(2, 5)))
    assert not takes.found_in(dub, [ENTRY], clips)[0].sure
    assert echo.shift_s(takes.found_in(dub, [ENTRY], clips)) == 0


def test_a_fragment_without_a_dub_has_no_onset() -> None:
    bare = ENTRY.model_copy(update={"dub_start_s": None, "dub_end_s": None})
    clips = takes.clips_of([bare], Parrot())
    one = takes.fragments([bare], [(2.8, 5.0)], noise(6, 0.1, 1), clips)[0]
    assert (clips, one.onset_s, one.dubbed) == ([None], None, False)


def test_a_clip_of_another_length_is_stretched() -> None:
    assert len(takes.fitted(spoken(2, 5), 2 * RATE)) == 2 * RATE
    assert len(takes.fitted(spoken(2, 5), round(1.6 * RATE))) == pytest.approx(1.6 * RATE, abs=50)


# loudness of dubs, silence


@pytest.mark.parametrize("gain_db", [-6.0, 0.0, 2.0])
def test_the_error_in_loudness_is_the_gain(
    made: tuple[Float, Float, Float], gain_db: float
) -> None:
    _, speech, dub = made
    scaled = (dub * 10 ** (gain_db / 20)).astype(np.float32)
    errors = judge.loudness_errors([dubbed(2.5, 5.5), dubbed(5.6, 5.9)], scaled, speech)
    assert errors == [pytest.approx(gain_db, abs=0.15)]  # the second is too short to be judged


def test_a_lost_dub_is_a_great_error_in_loudness(made: tuple[Float, Float, Float]) -> None:
    _, speech, dub = made
    assert judge.loudness_errors([dubbed(1, 1.9)], dub, speech)[0] < -40


class Loudness:
    """Takes what is loud for speech."""

    def probability(self, window: Float) -> float:
        assert len(window) == WINDOW_16K
        return float(np.abs(window).mean() > 0.01)

    def reset(self) -> None:
        pass


def test_silence_that_is_added_is_counted_once() -> None:
    source = np.concatenate([tone(300, 4, 0.2), np.zeros((2 * RATE, 2), dtype=np.float32)])
    output = source.copy()
    output[RATE : 2 * RATE] = 0
    runs = [silence.voice_runs(sound, Loudness()) for sound in (source, output)]
    assert silence.length_s(runs[0]) == pytest.approx(4, abs=0.1)
    assert silence.length_s(runs[1]) == pytest.approx(3, abs=0.1)
    assert silence.dead_air_share(source, output) == pytest.approx(1 / 6, abs=0.01)


def test_a_short_hole_is_no_dead_air() -> None:
    source = tone(300, 2, 0.2)
    output = source.copy()
    output[RATE : RATE + round(0.19 * RATE)] = 0
    assert silence.dead_air_share(source, output) == 0


# the judge's sums


def measured(**changes: object) -> Measured:
    base = Measured(
        name="sport",
        kind="sport",
        output=Read(12, 10, 1, 100),
        floor=Read(10, 4, 0, 100),
        chrf=80.0,
        placed=[dubbed(k, k + 1) for k in range(5)],
        loudness_errors_lu=[0.5, -0.8],
        leaks_db=[-20.0],
        peak_decoded_dbtp=-0.5,
        peak_pcm_dbtp=None,
        silence_added_s=1.0,
        dead_air_share=0.0,
        seconds=50.0,
        detail={},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_worse_way_of_reading_counts() -> None:
    assert judge.over_chance([measured()]) == 6  # guessed: 10 - 4, forced only 12 - 10
    assert judge.over_chance([measured(), measured(output=Read(10, 4, 0, 300))]) == 1.5


def test_words_between_the_dubs_count() -> None:
    assert judge.over_chance([measured(output=Read(10, 4, 9, 100))]) == 9


def test_between_the_dubs_only_the_output_counts() -> None:
    bed, output = noise(6, 0.1, 1), noise(6, 0.1, 2)
    left = judge.undubbed(output, bed, [ENTRY, ENTRY.model_copy(update={"dub_start_s": None})])
    first, last = round(2.93 * RATE), round(4.93 * RATE)
    assert (left[first:last] == bed[first:last]).all()
    assert (left[:first] == output[:first]).all() and (left[last:] == output[last:]).all()


def test_speech_without_a_dub_counts_over_all_programmes() -> None:
    told = {SpeechAired.DUBBED: 8.0, SpeechAired.UNDUBBED: 2.0}
    rest = {SpeechAired.DUBBED: 10.0, SpeechAired.LEFT_ALONE: 7.0}
    results = [measured(speech_s=told), measured(speech_s=rest)]
    assert judge.figures(results)["undubbed_speech_share"] == 0.1
    assert judge.figures([measured()])["undubbed_speech_share"] is None


def test_the_encoder_is_not_blamed_on_the_mixer() -> None:
    assert judge.figures([measured()])["true_peak_dbtp"] == -0.5
    kept = judge.figures([measured(peak_pcm_dbtp=-1.0)])
    assert (kept["true_peak_dbtp"], kept["true_peak_decoded_dbtp"]) == (-1.0, -0.5)


def test_kinds_have_their_own_figures() -> None:
    talk = measured(name="demo", kind="talk", chrf=70.0, silence_added_s=-1.0)
    found = judge.figures([talk, measured()])
    assert (found["roundtrip_chrf_talk"], found["roundtrip_chrf_sport"]) == (70.0, 80.0)
    assert found["silence_ratio_added"] == 0
    assert judge.figures([talk])["backlog_end_s"] is None
    assert {bar.key for bar in judge.BARS} <= set(found)


# programmes


def test_lines_follow_with_their_pauses() -> None:
    assert programmes.starts_of([1.0, 2.0, 1.0], [0.2, 0.5, 9.0], 8.0) == pytest.approx(
        [8.0, 9.2, 11.7]
    )


def test_speech_lies_where_the_script_says_and_beeps_where_nobody_speaks() -> None:
    clips = [np.full(RATE, 0.1, np.float32), np.full(RATE // 2, 0.1, np.float32)]
    said = ((0, "one"), (1, "two"))
    lines, speech, timing = programmes.laid_out(said, ("a", "b"), clips, [9.0, 10.3])
    assert [(line.voice, line.start_s, line.end_s) for line in lines] == [
        ("a", 9.0, 10.0),
        ("b", 10.3, 10.8),
    ]
    heard: Sequence[int] = np.flatnonzero(speech).tolist()
    assert (heard[0], heard[-1]) == (9 * RATE, round(10.8 * RATE) - 1)
    assert len(timing.beeps) == 7
    assert all(beep < 8.5 or beep > 13 for beep in timing.beeps)
    assert round(timing.total_s * 30) == pytest.approx(timing.total_s * 30)


def test_the_sport_is_three_minutes_of_fast_speech() -> None:
    count = sum(len(said.split()) for _, said in texts.lines(texts.SPORT))
    assert programmes.SPORT.wpm == 190
    assert 170 <= 60 * count / 190 <= 190


def test_every_part_of_a_programme_names_its_folder() -> None:
    sport = programmes.SPORT
    others = [replace(sport, seed=1), replace(sport, wpm=150.0), replace(sport, text="0 Hi.")]
    assert len({sport.folder, *(other.folder for other in others)}) == 4


def test_clauses_dubbed_one_after_the_other_are_one_fragment() -> None:
    first = Placed(1.0, 3.0, 1.1, 1.1, 3.1, 1.2, 1.0)
    second = Placed(3.0, 4.0, None, 3.2, 4.2, 3.2, 1.15)
    both = first.joined(second)
    assert (both.source_end_s, both.dub_end_s, both.onset_s) == (4.0, 4.2, 1.2)
    assert both.tempo == pytest.approx(1.05)

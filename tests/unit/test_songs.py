"""What tells a song from speech, on made sounds whose answers are known."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from dubcast.contract.sts import LeftAlone
from dubcast.sts import songs
from dubcast.sts.providers.interface import ASR_RATE, Float, Transcript, Tune
from dubcast.sts.which_language import Answer

SUNG = Tune(6.0, depth=1.8, pace=0.2, held=0.4, voiced=0.95, breath_s=0.5)
SPOKEN = Tune(6.0, depth=2.5, pace=0.45, held=0.05, voiced=0.7, breath_s=0.15)
OVER_MUSIC = replace(SPOKEN, depth=1.4)
HARDLY = Tune(6.0, depth=1.9, pace=0.28, held=0.3, voiced=0.9, breath_s=0.3)


def harmonics(hertz: Float, gain: Float) -> Float:
    """A buzz of this pitch and loudness at each sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / ASR_RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
    return np.asarray(gain * buzz, dtype=np.float32)


def time(seconds: float) -> Float:
    return np.asarray(np.arange(round(seconds * ASR_RATE)) / ASR_RATE, dtype=np.float32)


def sung() -> Float:
    """Notes of half a second, each slightly louder than the sound between them."""
    at = time(4)
    notes = np.array([220.0, 247.0, 262.0, 294.0])[(2 * at).astype(int) % 4]
    return harmonics(notes, 0.5 + 0.1 * np.sin(2 * np.pi * 2 * at))


def spoken() -> Float:
    """Syllables, four a second, with a pitch that never stands still."""
    at = time(4)
    pitch = 140 + 40 * np.sin(2 * np.pi * 1.7 * at)
    return harmonics(pitch, np.maximum(np.sin(2 * np.pi * 4 * at), 0) ** 3)


def test_notes_are_held_and_their_loudness_stays() -> None:
    song, speech = songs.tune_of(sung()), songs.tune_of(spoken())
    assert song is not None
    assert speech is not None
    assert song.held > 0.8
    assert song.voiced > 0.9
    assert songs.is_song(songs.odds_of(song))
    assert not songs.is_song(songs.odds_of(speech))
    assert speech.held < 0.2
    assert speech.depth > 2 * song.depth


def test_of_a_moment_nothing_is_told_and_silence_is_no_song() -> None:
    assert songs.tune_of(sung()[: ASR_RATE - 1]) is None
    silent = songs.tune_of(np.zeros(2 * ASR_RATE, np.float32))
    assert silent is not None
    assert np.isfinite(astuple(silent)).all()


@pytest.mark.parametrize(
    ("tune", "is_song"), [(SUNG, True), (SPOKEN, False), (OVER_MUSIC, False), (HARDLY, True)]
)
def test_who_sings_is_told_from_who_speaks(tune: Tune, is_song: bool) -> None:
    assert songs.is_song(songs.odds_of(tune)) is is_song


@pytest.mark.parametrize(
    ("tune", "seconds", "is_song"),
    [(SUNG, 2.0, True), (SUNG, 1.5, False), (HARDLY, 4.0, True), (HARDLY, 3.0, False)],
)
def test_the_shorter_it_is_the_more_is_asked(tune: Tune, seconds: float, is_song: bool) -> None:
    assert songs.is_song(songs.odds_of(replace(tune, seconds=seconds))) is is_song


def is_song(tune: Tune, *before: Tune) -> bool:
    """Whether `tune` is told to be a song after the others."""
    odds = 0.0
    for one in (*before, tune):
        odds = songs.odds_of(one, odds)
    return songs.is_song(odds)


@pytest.mark.parametrize(("seconds", "held"), [(2.0, 0.3), (6.0, 0.15)])
def test_what_came_just_before_counts_in_part(seconds: float, held: float) -> None:
    hardly = replace(HARDLY, seconds=seconds, held=held)
    assert not is_song(hardly)
    assert not is_song(hardly, OVER_MUSIC)
    assert is_song(hardly, SUNG)
    assert is_song(HARDLY)
    assert not is_song(HARDLY, SPOKEN)


def test_lines_that_are_no_sure_song_each_are_one_together() -> None:
    line = replace(HARDLY, seconds=3.0)
    assert [is_song(*[line] * count) for count in (1, 2, 3)] == [False, True, True]


def test_what_came_before_outweighs_no_sure_sound() -> None:
    for spoken in (SPOKEN, OVER_MUSIC):
        assert not songs.is_song(songs.odds_of(spoken, 99.0))
    assert songs.is_song(songs.odds_of(SUNG, -99.0))


def test_a_song_is_left_alone_in_the_language_that_it_was_taken_for() -> None:
    said = Transcript("some words of it", answer=Answer("en", 0.7))
    left = songs.without_song(said, songs.odds_of(SUNG), "pt-BR")
    assert (left.text, left.answer) == ("", Answer("en", 0.7, LeftAlone.SONG))
    unasked = songs.without_song(Transcript("some words of it"), songs.odds_of(SUNG), "pt-BR")
    assert unasked.answer == Answer("pt-BR", 0.0, LeftAlone.SONG)


def test_speech_and_what_cannot_be_told_stay_as_they_are() -> None:
    said = Transcript("some words of it")
    assert songs.without_song(said, songs.odds_of(SPOKEN), "en") is said
    assert songs.without_song(said, None, "en") is said

"""The pure parts of the providers: mel, recognition rules, phonemes, cutting, trimming."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from dubcast.errors import MissingPartError
from dubcast.languages import catalogue
from dubcast.sts.providers import phonemes
from dubcast.sts.providers.asr_whisper import (
    Decoded,
    clean,
    not_credible,
    repeats,
    suspicious,
    token_starts,
    window_s,
    without_sounds,
    word_groups,
)
from dubcast.sts.providers.hear_silero import SileroHearing, onset, to_mono, windows
from dubcast.sts.providers.interface import Around, PcmTask, Word
from dubcast.sts.providers.kokoro_text import pieces
from dubcast.sts.providers.mel import log_mel, mel_filters

PT_BR, EN_US, FRENCH = (
    catalogue.variety(tag) or pytest.fail(tag) for tag in ("pt-BR", "en-US", "fr-FR")
)


def test_mel_filters_are_whispers() -> None:
    filters = mel_filters(80)
    assert filters.shape == (80, 201)
    # The first values of Whisper's own mel_filters.npz.
    assert filters[0, :3] == pytest.approx([0.0, 0.02486259, 0.0], abs=1e-7)
    assert filters[1, :3] == pytest.approx([0.0, 0.00199082, 0.02287177], abs=1e-7)
    assert np.all(filters >= 0)
    assert np.all(filters.sum(axis=1) > 0)


def test_log_mel_of_a_tone_peaks_in_its_band() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    mel = log_mel(tone, 10, 80)
    assert mel.shape == (80, 1000)
    assert mel.dtype == np.float32
    centre = np.argmax(mel_filters(80)[:, 25])  # bin 25 is 1000 Hz
    assert np.argmax(mel[:, 50]) == centre
    # After the audio there is the floor, 8 decades (2.0 after scaling) below the peak.
    assert mel[:, 200:].max() == pytest.approx(mel.max() - 2.0)


def test_log_mel_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        log_mel(np.zeros(16_000 * 11, np.float32), 10, 80)


@pytest.mark.parametrize(("seconds", "window"), [(0.1, 10), (8.0, 10), (8.1, 30), (30.0, 30)])
def test_speech_needs_silence_behind_it(seconds: float, window: int) -> None:
    assert window_s(seconds) == window


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Hello  world. ", "Hello world."),
        ("[MUSIC PLAYING]", ""),
        ("(applause) Goal!", "Goal!"),
        ("♪ ♪", ""),
        ("...", ""),
        ("Olá, às 10:30.", "Olá, às 10:30."),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text) == expected


def _decoded(
    text: str = "A plain sentence of speech.",
    tokens: int = 7,
    seconds: float = 3.0,
    logprob: float = -0.2,
    no_speech: float = 0.01,
) -> Decoded:
    return Decoded(text, tokens, seconds, logprob, no_speech)


LOOP = "I'm going to go. " * 12


@pytest.mark.parametrize(
    ("decoded", "expected"),
    [
        (_decoded(), False),
        (_decoded(logprob=-1.1), True),
        (_decoded(tokens=25), True),
        (_decoded(tokens=6, seconds=0.3), False),  # one short word is no torrent
        (_decoded(text=LOOP), True),
        (_decoded(text="no no no"), True),
    ],
)
def test_suspicious(decoded: Decoded, expected: bool) -> None:
    assert suspicious(decoded) is expected


@pytest.mark.parametrize(
    ("decoded", "reason"),
    [
        (_decoded(), None),
        (_decoded(no_speech=0.7), "no_speech_prob"),
        (_decoded(logprob=-1.5), "logprob"),
        (_decoded(text=LOOP), "loop"),
        (_decoded(text="Goal! Goal! Goal!"), None),
    ],
)
def test_not_credible(decoded: Decoded, reason: str | None) -> None:
    assert not_credible(decoded) == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask not what your country can do for you", False),
        ("one two one two one two", True),
        ("one two one two three", False),
        ("Go, go, go!", True),
        ("Dial one if you wish this. Dial one, if you wish this", True),
        ("It was the best of times, it was the worst of times", False),
        ("Ask not what you can. Ask not what", False),
        ("", False),
    ],
)
def test_repeats(text: str, expected: bool) -> None:
    assert repeats(text) is expected


def test_stereo_becomes_the_mean() -> None:
    pcm = np.array([[1000, 3000], [-32768, -32768]], "<i2").tobytes()
    assert to_mono(pcm, 2) == pytest.approx([2000 / 32768, -1.0])


def test_windows_fill_up_with_zeros() -> None:
    rows = windows(np.ones(1000, np.float32))
    assert rows.shape == (2, 512)
    assert rows[1, 488:].sum() == 0
    assert rows.sum() == 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oi, tudo bem?", ["Oi", ",", " tudo bem", "?"]),
        ("Pi é 3.14, às 10:30.", ["Pi é 3.14", ",", " às 10:30", "."]),
        ('Ele (João) disse "sim".', ["Ele ", "(", "João", ")", " disse ", '"', "sim", '"', "."]),
        ("fim... e depois", ["fim", "...", " e depois"]),
        ("वे आए। क्या?", ["वे आए", ".", " क्या", "?"]),
        ("你好，世界。", ["你好", ",", " 世界", "."]),
        ("guarda-chuva - aberto", ["guarda-chuva", " - ", "aberto"]),
        ("", []),
    ],
)
def test_text_is_cut_at_punctuation(text: str, expected: list[str]) -> None:
    assert [piece for piece, _ in phonemes.split(text)] == expected


def test_ties_flags_and_marks_become_kokoros() -> None:
    assert phonemes.plain("(en)wˈi^kɛnd(pt-br) le- t^ʃe^ɪ") == "wˈi^kɛnd le t^ʃe^ɪ"
    assert phonemes.plain("(^e^n)wˈi^kɛnd(^p^t-^b^r) t^ʃe^ɪ") == "wˈi^kɛnd t^ʃe^ɪ"
    assert phonemes.translate("wˈi^kɛnd t^ʃe^ɪ", PT_BR) == "wˈikɛnd ʧA"
    assert phonemes.translate("ɡˈo^ʊl bˈɜːɹd", EN_US) == "ɡˈOl bˈɜɹd"
    assert phonemes.translate("«a» [b]", PT_BR) == "“a” (b)"


needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


@needs_espeak
def test_phonemes_keep_punctuation_and_spaces() -> None:
    sounds = phonemes.Espeak().phonemes('Oi, tudo bem? Ele disse "sim".', PT_BR)
    assert [char for char in sounds if char in ',?".'] == [",", "?", '"', '"', "."]
    assert ", " in sounds
    assert "? " in sounds
    assert "^" not in sounds


@needs_espeak
def test_a_hyphen_of_espeaks_is_no_pause() -> None:
    """It writes one where French binds words: `le- ɡʁˈɑ̃z`."""
    sounds = phonemes.Espeak().phonemes("Voici les grands amis - et moi.", FRENCH)
    assert sounds.count("—") == 1
    assert "-" not in sounds


@needs_espeak
def test_text_cannot_be_an_option_or_a_command() -> None:
    espeak = phonemes.Espeak()
    assert espeak.phonemes("--help", PT_BR)
    assert espeak.phonemes("-v xx; $(echo hi) `id` | cat", EN_US)


@needs_espeak
def test_a_piece_of_several_clauses_stays_one_piece() -> None:
    text = " ".join(["palavra"] * 400)
    sounds = phonemes.Espeak().phonemes(f"{text}, fim.", PT_BR)
    assert sounds.count(",") == 1
    assert sounds.endswith(".")


def test_a_missing_espeak_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingPartError, match="espeak-ng"):
        phonemes.Espeak()


def test_long_phonemes_are_cut_at_clauses() -> None:
    assert pieces("", 510) == []
    assert pieces("abc", 510) == ["abc"]
    assert pieces("aaaa, bbbb, cccc", 11) == ["aaaa, bbbb,", "cccc"]
    assert pieces("aaaa bbbb cccc", 9) == ["aaaa bbbb", "cccc"]
    assert pieces("a" * 20 + " b", 9) == ["a" * 9, "b"]
    long = ", ".join(["word"] * 500)
    cut = pieces(long, 510)
    assert all(len(piece) <= 510 for piece in cut)
    assert " ".join(cut) == long


def test_tokens_start_where_the_path_reaches_them() -> None:
    path = [(0, 0), (0, 1), (1, 2), (1, 3), (3, 10), (4, 20)]
    # Token 2 has no frame of its own: it starts with the one before.
    assert token_starts(path, 4) == pytest.approx([0.0, 0.04, 0.04, 0.2, 0.4])


def test_tokens_make_words() -> None:
    assert word_groups(["ĠHe", "llo", ",", "Ġwor", "ld", "."]) == [[0, 1, 2], [3, 4, 5]]
    assert word_groups(["No", "ĠÃ§"]) == [[0], [1]]
    assert word_groups([]) == []


def test_words_leave_out_what_the_text_leaves_out() -> None:
    spoken = "Goal! (crowd cheering) What a [MUSIC] day."
    words = [Word(word, i, i + 1) for i, word in enumerate(spoken.split())]
    left = without_sounds(words)
    assert " ".join(word.text for word in left) == clean(spoken) == "Goal! What a day."
    assert left[1] == Word("What", 3, 4)


class _Loudness:
    """A stand-in for the model: what is loud is speech, 32 ms late, as with the real one."""

    def __init__(self) -> None:
        self.asked = 0
        self.last = 0.0

    def reset(self) -> None:
        self.last = 0.0

    def probability(self, window: np.ndarray) -> float:
        self.asked += 1
        before, self.last = self.last, float(np.abs(window).max())
        return min(before, self.last)


def _heard(spans: list[tuple[float, float]], seconds: float, bounds: bool = True) -> tuple:
    samples = np.zeros(round(16_000 * seconds), "<i2")
    for start, stop in spans:
        samples[round(16_000 * start) : round(16_000 * stop)] = 30_000
    hearing, model = SileroHearing(), _Loudness()
    hearing._own.vad = model
    heard = hearing.run([PcmTask(samples.tobytes(), 16_000, 1, bounds)])[0]
    return heard, model.asked


@pytest.mark.parametrize("spans", [[(0.5, 3.4)], [(0.5, 1.2), (2.0, 3.4)], [(0.5, 0.9)]])
def test_the_bounds_of_the_speech(spans: list[tuple[float, float]]) -> None:
    heard, asked = _heard(spans, 4.0)
    assert heard.speech
    assert heard.bounds_s == pytest.approx((spans[0][0], spans[-1][1]), abs=0.07)
    if spans[-1][1] == 3.4:
        assert asked < 90  # of 125: the middle is not asked about


def test_bounds_are_told_only_when_they_are_asked_for() -> None:
    heard, asked = _heard([(0.5, 3.4)], 4.0, bounds=False)
    assert (heard.speech, heard.bounds_s) == (True, None)
    assert asked < 25
    heard, _ = _heard([(0.5, 0.56)], 4.0)
    assert (heard.speech, heard.bounds_s) == (False, None)


def test_a_tune_is_of_what_lies_around_a_fragment_too() -> None:
    """Who holds an "uhm" as long as a note is no singer, if he speaks before and after it."""
    loud = np.full(3 * 16_000, 30_000, "<i2")
    hearing, around = SileroHearing(), Around(1.0, 0.5)
    hearing._own.vad = _Loudness()
    heard = hearing.run([PcmTask(loud.tobytes(), 16_000, 1, tune=True, around=around)])[0]
    assert heard.bounds_s == pytest.approx((0.0, 1.5), abs=0.07)
    assert heard.tune is not None
    assert heard.tune.seconds == 3.0


# What the model said of a beep 0.6 s before a sentence, window by window.
BEEP = [0.1, 0.2, 0.8, 0.7, 0.6, 0.5, 0.6, 0.5, 0.4, 0.3]
QUIET, VOICE, SOFT = [0.1], [0.8, 1.0, 1.0, 1.0, 0.9], [0.6, 0.7, 0.8, 0.7]


@pytest.mark.parametrize(
    ("probabilities", "first"),
    [
        (QUIET * 5 + VOICE, 5),
        (BEEP + QUIET * 8 + VOICE, 18),
        (QUIET * 4 + [0.5] + QUIET * 6 + [0.6] + QUIET * 6 + VOICE, 18),  # two clicks
        (BEEP + QUIET * 3 + VOICE, 2),  # no pause: it may be the start of the word
        (VOICE + QUIET * 8 + VOICE, 0),  # a short word, a pause, and more words
        (QUIET + SOFT + QUIET * 8 + SOFT, 1),  # nothing is sure
        (SOFT + QUIET * 30 + VOICE, 0),  # too long ago to be left out
        (BEEP + QUIET * 8 + [0.9, 0.9], 2),  # what follows is too short to be sure of
        ([0.9, 0.9] + QUIET * 8 + [0.9, 0.9], 0),  # nor are two of them together
        (BEEP[:4] + QUIET * 40, None),
        (QUIET * 9, None),
        ([], None),
    ],
)
def test_speech_does_not_begin_with_a_beep(probabilities: list[float], first: int | None) -> None:
    assert onset(probabilities) == first


def test_no_more_is_asked_than_it_takes_to_be_sure() -> None:
    for probabilities, asked in ((VOICE * 20, 4), (SOFT * 40, 33)):
        rest = iter(probabilities)
        onset(rest)
        assert len(list(rest)) == len(probabilities) - asked


def test_speech_to_the_very_end_ends_there() -> None:
    heard, _ = _heard([(0.0, 4.0)], 4.0)
    assert heard.bounds_s == (0.0, 4.0)

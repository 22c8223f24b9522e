"""The pure parts of the providers: mel, recognition rules, phonemes, cutting, trimming."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from dubcast.errors import MissingPartError
from dubcast.sts.providers import phonemes
from dubcast.sts.providers.asr_whisper import (
    Decoded,
    clean,
    not_credible,
    repeats,
    suspicious,
    window_s,
)
from dubcast.sts.providers.mel import log_mel, mel_filters
from dubcast.sts.providers.tts_kokoro import RATE, pieces, trim
from dubcast.sts.providers.vad import to_mono, windows


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
        ("guarda-chuva - aberto", ["guarda-chuva", " - ", "aberto"]),
        ("", []),
    ],
)
def test_text_is_cut_at_punctuation(text: str, expected: list[str]) -> None:
    assert [piece for piece, _ in phonemes.split(text)] == expected


def test_ties_flags_and_marks_become_kokoros() -> None:
    assert phonemes.translate("(en)wˈi^kɛnd(pt-br) t^ʃe^ɪ", "pt-br") == "wˈikɛnd ʧA"
    assert phonemes.translate("ɡˈo^ʊl bˈɜːɹd", "en-us") == "ɡˈOl bˈɜɹd"
    assert phonemes.translate("«a» [b]", "pt-br") == "“a” (b)"


needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


@needs_espeak
def test_phonemes_keep_punctuation_and_spaces() -> None:
    sounds = phonemes.Espeak().phonemes('Oi, tudo bem? Ele disse "sim".', "pt-br")
    assert [char for char in sounds if char in ',?".'] == [",", "?", '"', '"', "."]
    assert ", " in sounds
    assert "? " in sounds
    assert "^" not in sounds


@needs_espeak
def test_text_cannot_be_an_option_or_a_command() -> None:
    espeak = phonemes.Espeak()
    assert espeak.phonemes("--help", "pt-br")
    assert espeak.phonemes("-v xx; $(echo hi) `id` | cat", "en-us")


@needs_espeak
def test_a_piece_of_several_clauses_stays_one_piece() -> None:
    text = " ".join(["palavra"] * 400)
    sounds = phonemes.Espeak().phonemes(f"{text}, fim.", "pt-br")
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


def test_trim_takes_silence_off_both_ends() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)
    silent = 0.0005 * np.ones(RATE // 2)
    trimmed = trim(np.concatenate([silent, tone, silent]).astype(np.float32))
    assert len(trimmed) / RATE == pytest.approx(1.07, abs=0.011)
    assert np.abs(trimmed[: RATE // 50]).max() < 0.001
    assert len(trim(np.zeros(RATE, np.float32))) == 0
    assert len(trim(np.zeros(3, np.float32))) == 3

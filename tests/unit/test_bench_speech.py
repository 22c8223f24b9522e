"""The judge of real speech on made signals and records whose answers are known."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import httpx2
import numpy as np
import pytest

from bench import sdist
from bench.mix.stems import Parts
from bench.separation import sources
from bench.speech import heard, judge, listener, programmes, recordings, wer
from bench.speech.first_clause import first_clause_s
from bench.speech.heard import Fate
from bench.speech.judge import Errors, Measured
from dubcast.audio.pcm import RATE, Float
from dubcast.contract import stream_reply
from dubcast.contract.stream_reply import Clause, PlannedClause, Translated
from dubcast.contract.stream_reply import Heard as HeardFrame
from dubcast.contract.sts import PcmAudio, StsRequest
from dubcast.contract.worker import AsRunEntry, Outcome
from dubcast.measure.material import Line
from dubcast.sts.providers.interface import Word

# words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Dial 500, or a 28.8 kilobit modem.", "dial five hundred or a twenty eight point eight"
         " kilobit modem"),
        ("Don't be twenty-eight!", "dont be twenty eight"),
        ("Um, I have, uh, a cold.", "i have a cold"),
    ],
)  # fmt: skip
def test_figures_marks_and_fillers_are_no_errors(written: str, said: str) -> None:
    assert wer.words(written, "en") == said.split()


def test_errors_are_the_fewest_words_to_change() -> None:
    said = ["ask", "not", "what", "your", "country"]
    assert wer.errors(said, said) == 0
    assert wer.errors(said, ["ask", "what", "our", "country"]) == 2
    assert wer.errors(said, []) == 5
    assert wer.rate(said, [*said, "men"]) == pytest.approx(0.2)


# what became of the speech


def voice(seconds: float, seed: int) -> Float:
    random = np.random.default_rng(seed)
    return (0.1 * random.standard_normal(round(seconds * RATE))).astype(np.float32)


def spans(sound: Float, *kept: tuple[float, float]) -> Float:
    out = np.zeros_like(sound)
    for first, last in kept:
        out[round(first * RATE) : round(last * RATE)] = sound[
            round(first * RATE) : round(last * RATE)
        ]
    return out


def both(mono: Float) -> Float:
    return np.repeat(mono[:, None], 2, axis=1)


def test_true_speech_is_dubbed_or_aired_or_silent() -> None:
    speech = spans(voice(12, 1), (1, 5), (6, 10))
    original = spans(speech, (6, 8)) + np.float32(0.05) * speech
    dub = spans(voice(12, 2), (1.2, 4), (8, 10))
    found = heard.fate(Parts(both(dub), both(dub + original), both(original)), speech)
    assert found.speech_s == pytest.approx(8.0, abs=0.3)
    assert found.undubbed_s == pytest.approx(2.0, abs=0.2)
    assert found.silent_s == pytest.approx(1.2, abs=0.25)
    assert [(round(a), round(b)) for a, b in found.undubbed] == [(6, 8)]


def test_the_noise_of_a_recording_is_no_speech() -> None:
    speech = spans(voice(12, 1), (1, 5), (6, 10))
    aired = Parts(both(np.zeros_like(speech)), both(speech), both(speech))
    found = heard.fate(aired, speech, heard.common(heard.speech_runs(speech), [(0.5, 5.5)]))
    assert found.speech_s == pytest.approx(4.0, abs=0.2)
    assert found.undubbed_s == pytest.approx(4.0, abs=0.3)
    assert [(round(a), round(b)) for a, b in found.undubbed] == [(1, 5)]


def test_a_cut_is_inside_a_word_where_the_sound_does_not_dip() -> None:
    speech = spans(voice(4, 3), (0, 2), (2.2, 4))
    words = [Word("twelve", 0.5, 1.5), Word("long", 1.8, 2.6)]
    cuts = [0.2, 0.52, 1.0, 2.1]
    assert heard.cut_words(cuts, words, speech) == [(1.0, "twelve")]


def test_only_running_speech_is_cut() -> None:
    spans = [(1.0, 3.0), (3.0, 5.0), (5.3, 7.0)]
    entries = [
        AsRunEntry(
            fragment_id=str(number),
            sequence_number=number,
            source_start_s=start,
            source_end_s=end,
            outcome=Outcome.DUBBED,
        )
        for number, (start, end) in enumerate(spans)
    ]
    assert judge.cuts_of(entries) == [3.0]
    clauses = [one.model_copy(update={"sequence_number": 0}) for one in entries]
    assert judge.cuts_of(clauses) == []
    clauses[0] = clauses[0].model_copy(update={"outcome": Outcome.LATE, "fallback": "original"})
    assert judge.cuts_of(clauses) == [3.0]
    clauses[0] = clauses[0].model_copy(update={"fallback": "background"})
    assert judge.cuts_of(clauses) == []


def test_what_runs_have_in_common() -> None:
    assert heard.common([(0, 2), (3, 5)], [(1, 4), (6, 7)]) == [(1, 2), (3, 4)]


def test_overlap_of_runs() -> None:
    assert heard.overlap_s([(0, 2), (3, 5)], [(1, 4)]) == pytest.approx(2.0)


# whole clips


def test_a_long_line_is_heard_in_pieces_that_begin_and_end_in_pauses() -> None:
    lines = [Line("", "one", 10.0, 50.0), Line("", "other", 52.0, 55.0)]
    runs = [(10.0, 22.0), (23.0, 31.0), (31.5, 49.0), (52.1, 54.9)]
    assert listener.pieces(lines, runs) == [(9.75, 31.25), (31.25, 49.25), (51.85, 55.15)]


def test_who_does_not_pause_is_cut_where_it_is_quietest() -> None:
    speech = spans(voice(40, 4), (0, 20.0), (20.1, 40))
    (first, cut), (again, last) = listener.shorter((0.0, 40.0), speech)
    assert (first, last) == (0.0, 40.0)
    assert cut == again == pytest.approx(20.05, abs=0.06)
    assert listener.shorter((1.0, 9.0), speech) == [(1.0, 9.0)]


# figures


def measured(name: str, **changes: object) -> Measured:
    fate = Fate(60.0, 3.0, 1.5)
    made = Measured(
        name, False, fate, Errors(100, 14, 7), 60.0, 66.0, [(1.0, "twelve")], [4.0, 6.0], {}, {}
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_figures_are_over_all_speech_and_songs_are_judged_alone() -> None:
    song = measured("song", sung=True, fate=Fate(50.0, 48.0, 0.0), chrf_heard=None, longest_s=[1.0])
    other = measured("other", fate=Fate(40.0, 0.0, 0.0), chrf_heard=64.0, cuts=[])
    assert judge.figures([measured("one"), other, song]) == {
        "wer_ratio": 2.0,
        "undubbed_speech_share": 0.03,
        "chrf_loss": -4.0,
        "longest_fragment_p50_s": 5.0,
        "cuts_inside_words": 1,
        "dub_silent_share": 0.015,
        "sung_dubbed_share": 0.04,
        "speech_minutes": 1.67,
    }


def test_what_was_not_run_is_not_met() -> None:
    values = judge.figures([])
    assert values.pop("speech_minutes") == 0.0
    assert set(values.values()) == {None}


# material


def test_every_recording_is_pinned_and_every_word_of_speech_is_known() -> None:
    pins, said = sources.pins(recordings.MANIFEST), recordings.said()
    for programme in programmes.PROGRAMMES:
        assert set(programme.recordings) <= set(pins)
        assert programme.sung or set(programme.recordings) <= set(said)
    assert {one.known_from for one in said.values()} <= {"package", "known", "heard"}
    assert len({programme.folder for programme in programmes.PROGRAMMES}) == 7


def test_what_lies_beside_the_manifest_is_what_is_pinned() -> None:
    here = recordings.MANIFEST.parent
    pinned = [
        pin for pin in sources.pins(recordings.MANIFEST).values() if pin.package[:5] == "here:"
    ]
    assert len(pinned) == 10
    for pin in pinned:
        assert hashlib.sha256((here / pin.member).read_bytes()).hexdigest() == pin.sha256


def test_the_source_package_of_a_version_is_found_in_an_index() -> None:
    listed = {
        "files": [
            {"filename": "aeneas-1.7.2.tar.gz", "url": "old"},
            {"filename": "aeneas-1.7.3.0-py3-none-any.whl", "url": "wheel"},
            {"filename": "aeneas-1.7.3.0.tar.gz", "url": "right"},
        ]
    }
    assert sdist.sdist_url(listed, "1.7.3.0") == "right"
    with pytest.raises(ValueError, match="version 1"):
        sdist.sdist_url(listed, "1.8")


# the first clause


def request() -> StsRequest:
    audio = PcmAudio.from_pcm(bytes(3200), 16_000, 1)
    return StsRequest(fragment_id="one", stream_id="a", sequence_number=0, audio=audio)


def client(reply: httpx2.Response) -> httpx2.Client:
    return httpx2.Client(
        base_url="http://service", transport=httpx2.MockTransport(lambda _request: reply)
    )


def test_the_first_clause_ends_the_waiting_and_a_whole_reply_does_too() -> None:
    frames = [
        (HeardFrame(fragment_id="one", transcript="Hi.", detected_language="en"), b""),
        (Translated(translated_text="Oi.", clauses=(PlannedClause(index=0, text="Oi."),)), b""),
    ]
    heads = b"".join(stream_reply.encode(*frame) for frame in frames)
    spoken = Clause(index=0, text="Oi.", natural_ms=1, pause_ms=0, sample_rate_hz=16_000)
    type_ = {"content-type": stream_reply.MEDIA_TYPE}
    whole = heads + stream_reply.encode(spoken, bytes(32))
    assert (
        first_clause_s(
            client(httpx2.Response(200, headers=type_, stream=httpx2.ByteStream(whole))), request()
        )
        < 5
    )
    assert np.isnan(
        first_clause_s(
            client(httpx2.Response(200, headers=type_, stream=httpx2.ByteStream(heads))), request()
        )
    )
    assert first_clause_s(client(httpx2.Response(503)), request()) == 20
    json = httpx2.Response(200, headers={"content-type": "application/json"}, content=b"{}")
    assert first_clause_s(client(json), request()) < 5

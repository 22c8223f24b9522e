"""Piper's voices: what their JSON says, what their networks are given, and how they stand beside
others. The networks here are tiny: they give back as loud a sample for each number as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper, save_model

from dubcast.config import ModelsSettings, Settings
from dubcast.errors import MissingPartError
from dubcast.models.store import ModelStore
from dubcast.sts.build import offered
from dubcast.sts.providers.interface import TtsTask, Voice
from dubcast.sts.providers.piper_voice import read_voice
from dubcast.sts.providers.registry import Setup
from dubcast.sts.providers.tts_piper import PROVIDER, PiperTts, folder_voices
from dubcast.sts.several_voices import SeveralVoices, joined, together

SYMBOLS = {symbol: [number] for number, symbol in enumerate("_^$ .,abcdeə\N{COMBINING TILDE}")}
CONFIG: dict[str, Any] = {
    "audio": {"sample_rate": 1000},
    "espeak": {"voice": "de"},
    "phoneme_type": "text",
    "inference": {"noise_scale": 0.5, "length_scale": 2, "noise_w": 0.25},
    "num_speakers": 1,
    "phoneme_id_map": SYMBOLS,
    "language": {"code": "de_DE"},
}


def _network(inputs: list[str]) -> Any:
    kinds = {"scales": TensorProto.FLOAT}
    shapes: dict[str, list[Any]] = {"input": [1, "n"], "scales": [3]}
    nodes = [
        helper.make_node("Cast", ["input"], ["plain"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["scales"], ["scale"], keepdims=0),
        helper.make_node("Mul", ["plain", "scale"], ["output"]),
    ]
    if "sid" in inputs:
        nodes[-1] = helper.make_node("Mul", ["plain", "scale"], ["scaled"])
        nodes.append(helper.make_node("Cast", ["sid"], ["speaker"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", ["scaled", "speaker"], ["output"]))
    infos = [
        helper.make_tensor_value_info(
            name, kinds.get(name, TensorProto.INT64), shapes.get(name, [1])
        )
        for name in inputs
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, "n"])
    graph = helper.make_graph(nodes, "voice", infos, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _voice(folder: Path, name: str, **changes: Any) -> None:
    config = {**CONFIG, **changes}
    inputs = ["input", "input_lengths", "scales"] + ["sid"] * (config["num_speakers"] > 1)
    save_model(_network(inputs), str(folder / f"{name}.onnx"))
    (folder / f"{name}.onnx.json").write_text(json.dumps(config), encoding="utf-8")


def _setup(folder: Path | str) -> Setup:
    return Setup(ModelStore(ModelsSettings(dir=Path("/nowhere"))), str(folder))


def _loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> PiperTts:
    monkeypatch.setattr("dubcast.sts.providers.tts_piper.Espeak", lambda: None)
    tts = PROVIDER.create(_setup(folder))
    assert isinstance(tts, PiperTts)
    tts.load()
    return tts


def test_symbols_have_pads_between_and_marks_at_both_ends() -> None:
    voice = read_voice("de_DE-x-low", json.dumps(CONFIG))
    assert (voice.language, voice.rate_hz, voice.scales) == ("de-DE", 1000, (0.5, 2.0, 0.25))
    # What is tied stands apart, what has an accent is two symbols, what is unknown is left out.
    assert voice.ids("a^b ã☃…") == [1, 0, 6, 0, 7, 0, 3, 0, 6, 0, 12, 0, 4, 0, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phoneme_type": "pinyin"}, "its phonemes are of the type pinyin"),
        ({"audio": {}}, "no Piper voice: KeyError 'sample_rate'"),
        ({"phoneme_id_map": None}, "no Piper voice: TypeError"),
        ({"phoneme_id_map": {"a": [1]}}, r"its symbols lack \^ and \$"),
    ],
)
def test_what_is_no_voice_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    _voice(tmp_path, "de_DE-x-low")
    (tmp_path / "de_DE-x-low.onnx.json").write_text(json.dumps({**CONFIG, **changes}))
    with pytest.raises(MissingPartError, match=f"de_DE-x-low.onnx.json: {message}"):
        folder_voices(tmp_path)


def test_a_json_without_its_network_is_named(tmp_path: Path) -> None:
    (tmp_path / "de_DE-x-low.onnx.json").write_text(json.dumps(CONFIG))
    with pytest.raises(MissingPartError, match=r"has no de_DE-x-low\.onnx beside it"):
        folder_voices(tmp_path)


def test_an_empty_folder_has_no_voices_and_is_refused(tmp_path: Path) -> None:
    assert PROVIDER.offers(_setup(tmp_path)).voices == ()
    with pytest.raises(MissingPartError, match=rf"{tmp_path}: has no Piper voice: NAME\.onnx"):
        PROVIDER.create(_setup(tmp_path))


def test_each_voice_speaks_by_its_own_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _voice(tmp_path, "de_DE-x-low")
    _voice(tmp_path, "nl_NL-y-low", language={"code": "nl_NL"}, audio={"sample_rate": 500})
    tts = _loaded(tmp_path, monkeypatch)
    german, dutch = tts.capabilities.voices
    assert (german.name, german.language, german.engine) == ("de_DE-x-low", "de-DE", "piper")
    speech, other = tts.run([TtsTask("abc" * 20, german), TtsTask("e" * 30, dutch)])
    assert (speech.rate_hz, other.rate_hz) == (1000, 500)
    assert speech.samples.max() == pytest.approx(8 * 2.0)  # c, at the largest of the scales
    assert other.samples.max() == pytest.approx(10 * 2.0)


def test_speakers_of_one_file_are_voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _voice(tmp_path, "de_DE-m-low", num_speakers=3, speaker_id_map={"anna": 1, "otto": 2})
    tts = _loaded(tmp_path, monkeypatch)
    anna, otto = tts.capabilities.voices
    assert (anna.name, otto.name) == ("de_DE-m-low/anna", "de_DE-m-low/otto")
    first, second = tts.run([TtsTask("a" * 50, anna), TtsTask("a" * 50, otto)])
    assert second.samples.max() == pytest.approx(2 * first.samples.max())


def test_only_the_latest_few_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        _voice(tmp_path, f"de_DE-v{number}-low")
    tts = _loaded(tmp_path, monkeypatch)
    tts.run([TtsTask("a" * 50, voice) for voice in tts.capabilities.voices])
    assert list(tts._sessions) == [f"de_DE-v{number}-low" for number in range(2, 6)]


def test_a_language_that_nobody_knows_is_not_offered(tmp_path: Path) -> None:
    _voice(tmp_path, "tlh_QO-worf-low", language={"code": "tlh_QO"})
    assert folder_voices(tmp_path) == ()


def test_the_manifests_voice_is_known_before_it_is_pulled() -> None:
    setup = _setup("piper-en-us-joe-medium")
    (voice,) = PROVIDER.offers(setup).voices  # type: ignore[attr-defined]
    assert (voice.name, voice.language) == ("en_US-joe-medium", "en-US")
    with pytest.raises(MissingPartError, match="dubcast models pull piper-en-us-joe-medium"):
        PROVIDER.create(setup)


def test_they_stand_beside_the_synthesis_own(tmp_path: Path) -> None:
    _voice(tmp_path, "de_DE-x-low")
    settings = Settings.model_validate({"sts_server": {"piper_voices": tmp_path}})
    voices = offered(settings).voices
    assert {voice.engine for voice in voices} == {"kokoro", "piper"}
    assert [voice.name for voice in voices if voice.speaks("de")] == ["de_DE-x-low"]
    with pytest.raises(MissingPartError, match=r"sts_server\.piper_voices: .* is no folder"):
        offered(Settings.model_validate({"sts_server": {"piper_voices": tmp_path / "no"}}))


def test_of_two_voices_with_one_name_the_first_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder, rate in zip(folders, (1000, 500), strict=True):
        folder.mkdir()
        _voice(folder, "de_DE-x-low", audio={"sample_rate": rate})
    several = SeveralVoices([_loaded(folder, monkeypatch) for folder in folders])
    several.load()
    (voice,) = several.capabilities.voices
    assert several.run([TtsTask("a" * 50, voice)])[0].rate_hz == 1000
    several.close()
    one = _loaded(folders[0], monkeypatch)
    assert together([one]) is one
    assert joined([one.capabilities]) is one.capabilities


def test_voices_are_a_languages_not_a_regions() -> None:
    assert Voice("x", "de-DE", "unknown").speaks("de")

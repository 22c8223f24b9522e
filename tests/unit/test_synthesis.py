"""Which engine speaks: what is chosen, what is remembered, and what a trial may do to us."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dubcast.errors import MissingPartError
from dubcast.sts import synthesis
from dubcast.sts.synthesis import Choice, Engine, Subject, Trial, choose, engine_for, run_trial

ONNX = Trial(wall=0.47, cpu=0.81, memory_mb=410)
QUICK = Trial(wall=0.26, cpu=0.49, memory_mb=1400)


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A model on a machine that has the other engine too."""
    monkeypatch.setattr(synthesis, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(synthesis, "installed", lambda: ["openvino"])
    monkeypatch.setattr(synthesis, "processor", lambda: "AMD | avx2 avx512_vnni")
    model = tmp_path / "18db7f977103"
    model.mkdir()
    (model / "model.onnx").write_bytes(b"network")
    return Subject(model, tmp_path / "voices", 2)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """The engines that were tried, in order."""
    tried: list[Engine] = []

    def trial(_: Subject, engine: Engine) -> Trial:
        tried.append(engine)
        return QUICK if engine == "openvino" else ONNX

    monkeypatch.setattr(synthesis, "run_trial", trial)
    return tried


@pytest.mark.parametrize(
    ("other", "chosen"),
    [
        (QUICK, "openvino"),
        (Trial(wall=0.47, cpu=0.76, memory_mb=1400), "openvino"),
        (Trial(wall=0.47, cpu=0.78, memory_mb=1400), "onnxruntime"),  # hardly less
        (Trial(wall=0.48, cpu=0.40, memory_mb=1400), "onnxruntime"),  # slower
    ],
)
def test_another_engine_is_taken_if_it_costs_clearly_less_and_is_never_slower(
    other: Trial, chosen: Engine
) -> None:
    assert choose({"onnxruntime": ONNX, "openvino": other}) == chosen


def test_without_both_figures_nothing_is_changed() -> None:
    assert choose({"openvino": QUICK}) == "onnxruntime"
    assert choose({"onnxruntime": ONNX}) == "onnxruntime"


def test_the_machine_is_measured_once(subject: Subject, tried: list[Engine]) -> None:
    first, second = engine_for("auto", subject), engine_for("auto", subject)
    assert first == second
    assert first[0] == "openvino"
    assert str(first[1]) == (
        "openvino: 0.26 of real time, 1.4 GB; onnxruntime: 0.47 of real time, 0.4 GB"
    )
    assert tried == ["onnxruntime", "openvino"]
    assert [one.suffix for one in subject.file.parent.iterdir()] == [".json"]


@pytest.mark.parametrize("what", ["processor", "version", "threads", "model", "products", "torn"])
def test_it_is_measured_again_when_something_changes(
    what: str, subject: Subject, tried: list[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_for("auto", subject)
    if what == "processor":
        monkeypatch.setattr(synthesis, "processor", lambda: "another")
    elif what == "version":
        monkeypatch.setattr(synthesis, "version", lambda _: "99")
    elif what == "threads":
        subject = Subject(subject.model, subject.voices, 3)
    elif what == "model":
        (subject.model / "model.onnx").write_bytes(b"another network")
    elif what == "products":
        (subject.model / "products.onnx").write_bytes(b"the network by products")
    else:
        subject.file.write_text('{"engine": "open')
    engine_for("auto", subject)
    assert len(tried) == 4


def test_one_that_is_asked_for_is_taken_unmeasured(subject: Subject, tried: list[Engine]) -> None:
    assert engine_for("openvino", subject) == ("openvino", None)
    assert engine_for("onnxruntime", subject) == ("onnxruntime", None)
    assert not tried


def test_without_another_engine_there_is_nothing_to_measure(
    subject: Subject, tried: list[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "installed", lambda: [])
    assert engine_for("auto", subject) == ("onnxruntime", None)
    with pytest.raises(MissingPartError, match=r"pip install 'dubcast\[openvino\]'"):
        engine_for("openvino", subject)
    assert not tried


def test_a_folder_that_cannot_be_written_is_no_fault(subject: Subject, tried: list[Engine]) -> None:
    (subject.file.parent.parent).write_text("a file where the folder should be")
    assert engine_for("auto", subject)[0] == "openvino"
    assert subject.remembered() is None


@pytest.mark.parametrize(
    "fault",
    [
        subprocess.CalledProcessError(-4, "trial"),
        subprocess.TimeoutExpired("trial", 1),
        OSError("no such program"),
        "",
        '{"wall": 0.1}',
    ],
)
def test_an_engine_that_fails_is_not_chosen(subject: Subject, fault: Exception | str) -> None:
    def run(_: list[str]) -> str:
        if isinstance(fault, str):
            return fault
        raise fault

    assert run_trial(subject, "openvino", run) is None


def test_a_trial_is_a_process_of_its_own(subject: Subject) -> None:
    commands = []

    def run(command: list[str]) -> str:
        commands.append(command)
        return QUICK.model_dump_json()

    assert run_trial(subject, "openvino", run) == QUICK
    assert commands[0][1:4] == ["-m", "dubcast.sts.providers.kokoro_trial", "openvino"]


def test_a_choice_survives_being_written() -> None:
    choice = Choice(engine="openvino", trials={"onnxruntime": ONNX, "openvino": QUICK})
    assert Choice.model_validate_json(choice.model_dump_json()) == choice


@pytest.mark.parametrize(
    ("processor", "gains"),
    [
        ("AMD EPYC | fpu avx2 avx512_vnni fsrm", True),
        ("Intel | avx2 avx_vnni", True),
        ("AMD EPYC | fpu avx2 fma", False),
        ("asimd asimddp", False),
        ("", False),
    ],
)
def test_only_a_processor_that_does_not_overflow_speaks_by_products(
    processor: str, gains: bool, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "processor", lambda: processor)
    published, products = subject.model / "model.onnx", subject.model / "products.onnx"
    assert synthesis.network_file(subject.model) == published
    told = synthesis.slower_than_could_be(subject.model)
    assert ("`dubcast models pull`" in (told or "")) is gains
    products.touch()
    assert synthesis.network_file(subject.model) == (products if gains else published)
    assert synthesis.slower_than_could_be(subject.model) is None

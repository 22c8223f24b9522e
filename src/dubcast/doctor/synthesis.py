"""Which engine speaks on this machine, and what another one would bring."""

from __future__ import annotations

from dubcast.config import Settings
from dubcast.doctor.report import Finding
from dubcast.sts import synthesis
from dubcast.sts.build import voice_subject
from dubcast.sts.synthesis import Subject

_NAME = "synthesis engine"
_ADVICE = (
    "onnxruntime; this processor computes in bfloat16: with `pip install 'dubcast[openvino]'` "
    "speech takes about half the CPU time, and 1 GB more memory"
)


def findings(settings: Settings) -> list[Finding]:
    """The engine, and what would make it quicker; none where the voice has no choice of engines,
    or its model is missing."""
    subject = voice_subject(settings)
    if subject is None:
        return []
    return [_engine(settings, subject), *_network(settings, subject)]


def _engine(settings: Settings, subject: Subject) -> Finding:
    asked, here = settings.sts_server.tts_engine, synthesis.installed()
    if asked != "auto":
        missing = asked in synthesis.OTHERS and asked not in here
        detail = f"pip install 'dubcast[{asked}]'" if missing else f"{asked}, as the settings say"
        return Finding(_NAME, not missing, detail)
    if not here:
        if "amx_bf16" in synthesis.processor():
            return Finding(_NAME, False, _ADVICE, needed=False)
        return Finding(_NAME, True, synthesis.USUAL)
    choice = subject.remembered()
    told = str(choice) if choice else "measured when the speech service starts for the first time"
    return Finding(_NAME, True, told)


def _network(settings: Settings, subject: Subject) -> list[Finding]:
    """A note where onnxruntime speaks and could do it quicker."""
    asked = settings.sts_server.tts_engine
    engine = synthesis.USUAL if asked == "auto" else asked
    if asked == "auto" and synthesis.installed() and (choice := subject.remembered()):
        engine = choice.engine
    slower = synthesis.slower_than_could_be(subject.model)
    if engine != synthesis.USUAL or slower is None:
        return []
    return [Finding("synthesis network", False, slower, needed=False)]

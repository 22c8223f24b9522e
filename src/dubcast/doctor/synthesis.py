"""Which engine speaks on this machine, and what another one would bring."""

from __future__ import annotations

from dubcast.config import Settings
from dubcast.doctor.report import Finding
from dubcast.sts import synthesis
from dubcast.sts.build import voice_subject

_NAME = "synthesis engine"
_ADVICE = (
    "onnxruntime; this processor computes in bfloat16: with `pip install 'dubcast[openvino]'` "
    "speech takes about half the CPU time, and 1 GB more memory"
)


def findings(settings: Settings) -> list[Finding]:
    """One line; none where the voice has no choice of engines, or its model is missing."""
    subject = voice_subject(settings)
    if subject is None:
        return []
    asked, here = settings.sts_server.tts_engine, synthesis.installed()
    if asked != "auto":
        missing = asked in synthesis.OTHERS and asked not in here
        detail = f"pip install 'dubcast[{asked}]'" if missing else f"{asked}, as the settings say"
        return [Finding(_NAME, not missing, detail)]
    if not here:
        if "amx_bf16" in synthesis.processor():
            return [Finding(_NAME, False, _ADVICE, needed=False)]
        return [Finding(_NAME, True, synthesis.USUAL)]
    choice = subject.remembered()
    told = str(choice) if choice else "measured when the speech service starts for the first time"
    return [Finding(_NAME, True, told)]

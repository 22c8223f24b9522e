"""Festival's voices of languages that Kokoro does not speak: material for benches.

Debian's packages bring a Russian, a Czech and a Finnish voice made of recordings.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np

from dubcast.audio.pcm import Float

VOICES = {
    "ru": ("msu_ru_nsh_clunits", "utf-8", "festvox-ru"),
    "cs": ("czech_ph", "iso-8859-2", "festvox-czech-ph"),
    "fi": ("hy_fi_mv_diphone", "iso-8859-15", "festvox-suopuhe-mv"),
}
_TIMEOUT_S = 120.0


class NotSaidError(RuntimeError):
    """Festival, or its voice, is not here, or it failed."""


def how_to_get() -> str:
    """The command that gets Festival with its voices."""
    packages = " ".join(package for _, _, package in VOICES.values())
    return f"apt-get install festival {packages}"


def say(text: str, tag: str) -> tuple[Float, int]:
    """The text in the language's voice: mono float32 and its rate in Hz.

    Raises NotSaidError.
    """
    voice, encoding, package = VOICES[tag]
    with tempfile.TemporaryDirectory() as folder:
        out, script = Path(folder) / "said.wav", Path(folder) / "say.scm"
        script.write_bytes(
            f"(voice_{voice})\n"
            f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{out}" \'riff)\n'.encode(
                encoding
            )
        )
        try:
            subprocess.run(
                ["festival", "-b", str(script)],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=True,
            )
            with wave.open(str(out)) as file:
                rate, frames = file.getframerate(), file.readframes(file.getnframes())
        except (OSError, subprocess.SubprocessError, wave.Error) as error:
            raise NotSaidError(f"festival did not say it ({package}): {error}") from error
    return (np.frombuffer(frames, "<i2") / 32768).astype(np.float32), rate

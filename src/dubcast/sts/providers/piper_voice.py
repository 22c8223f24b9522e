"""A Piper voice as its JSON describes it, and what its network takes for phonemes. Pure.

Piper's networks learned espeak-ng's phonemes, one code point a symbol, with a pad between symbols
(https://github.com/OHF-Voice/piper1-gpl, `docs/ALIGNMENTS.md` and `phoneme_ids.py` name the marks).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PAD, _BEGIN, _END = "_", "^", "$"
# What espeak-ng's own punctuation never is, and what Piper's voices know in its place.
_MARKS = str.maketrans({"…": ".", "—": ",", "–": ",", "^": "", "“": '"', "”": '"'})


@dataclass(frozen=True)
class PiperVoice:
    """`language` is a tag (`de-DE`), `espeak` espeak-ng's voice; None: letters are its symbols.

    `scales`: noise, length and noise of the lengths, as the network takes them. `speakers`: number
    by name, if there are several.
    """

    name: str
    language: str
    rate_hz: int
    espeak: str | None
    symbols: Mapping[str, tuple[int, ...]]
    scales: tuple[float, float, float]
    speakers: Mapping[str, int]
    several: bool

    def ids(self, phonemes: str) -> list[int]:
        """The network's input; a symbol that it does not know is left out."""
        pad = self.symbols.get(_PAD, (0,))
        found = [*self.symbols[_BEGIN], *pad]
        for symbol in unicodedata.normalize("NFD", phonemes.translate(_MARKS)):
            if symbol in self.symbols:
                found += [*self.symbols[symbol], *pad]
        return [*found, *self.symbols[_END]]


def read_voice(name: str, text: str) -> PiperVoice:
    """The voice in a JSON. Raises ValueError that names what is wrong with it."""
    try:
        return _voice(name, json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no Piper voice: {type(error).__name__} {error}") from error


def _voice(name: str, config: dict[str, Any]) -> PiperVoice:
    symbols = config["phoneme_id_map"]
    kind = config.get("phoneme_type", "espeak")
    if kind not in ("espeak", "text"):
        raise ValueError(f"its phonemes are of the type {kind}; espeak and text are known")
    if lacking := [mark for mark in (_BEGIN, _END) if mark not in symbols]:
        raise ValueError(f"its symbols lack {' and '.join(lacking)}")
    scales = config.get("inference", {})
    language = config.get("language", {}).get("code") or name.partition("-")[0]
    return PiperVoice(
        name=name,
        language=language_tag(language),
        rate_hz=int(config["audio"]["sample_rate"]),
        espeak=config["espeak"]["voice"] if kind == "espeak" else None,
        symbols={symbol: tuple(ids) for symbol, ids in symbols.items()},
        scales=(
            float(scales.get("noise_scale", 0.667)),
            float(scales.get("length_scale", 1.0)),
            float(scales.get("noise_w", 0.8)),
        ),
        speakers=dict(config.get("speaker_id_map") or {}),
        several=int(config.get("num_speakers", 1)) > 1,
    )


def language_tag(code: str) -> str:
    """Piper's name of a language as a tag: `de_DE` is `de-DE`."""
    return code.replace("_", "-")

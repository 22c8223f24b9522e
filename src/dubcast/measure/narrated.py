"""The programmes that a narrator speaks: the demo's two, from the cache or made."""

from __future__ import annotations

from dataclasses import replace

from dubcast.config import Settings, cache_dir
from dubcast.measure import material, speech_models
from dubcast.measure.material import SENTENCES, Material, MaterialSpec

MAIN = MaterialSpec()
LONG_GOP = replace(MAIN, gop=250, sentences=SENTENCES[:6], min_s=25.0, max_s=34.0)


def narrated(settings: Settings, spec: MaterialSpec = MAIN) -> Material:
    """The material of `spec`; the narrator's voice is loaded only if it has to be made.

    Raises MissingPartError without the voice, MediaError or ProbeError if it cannot be made.
    """
    folder = cache_dir() / "demo"
    if (known := material.find(spec, folder)) is not None:
        return known
    with speech_models.narrator(settings) as speak:
        return material.build(spec, speak, folder)

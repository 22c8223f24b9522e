"""A glossary's entry, as operators write it and as requests carry it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Term = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"\w")
]


class GlossaryEntry(BaseModel):
    """A term, and what becomes of it in the dub.

    `term`: as it is recognised, found in any case as a whole word; capitals alone in capitals
    only. `source` and `target` limit an entry to a language.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    term: Term
    translation: Term | None = Field(None, description="none: it is kept as it is written here")
    say: Term | None = Field(None, description="how the voice says it, in the target's spelling")
    source: str | None = Field(None, description="language that is spoken; none: any")
    target: str | None = Field(None, description="language that is dubbed into; none: any")

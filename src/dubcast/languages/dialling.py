"""Telephone numbers that are written in long groups, as several languages do."""

from __future__ import annotations

# The country's code and groups of any length: `+49 170 1234567`, `+34 612345678`, `+34612345678`.
ABROAD = (
    r"(?<![\w-])\+\d{1,3}(?:[-. /]\(?\d{1,5}\)?){1,3}[-. /]\d{4,9}\b"
    r"|(?<![\w-])\+(?:\d{1,3}[-. /])?\d{6,12}\b"
)

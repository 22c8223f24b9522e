"""What is known of a language. Data; who cuts, shortens, translates or speaks a text reads it."""

from __future__ import annotations

from dataclasses import dataclass

from dubcast.languages.reading import Reading


@dataclass(frozen=True)
class Variety:
    """A language as it is spoken somewhere: `en-GB`. Voices speak a variety.

    `espeak`: espeak-ng's name of it. `misaki`: (espeak-ng's symbol, misaki's) where misaki, the
    alphabet of synthesizers that learned from it, writes this variety in its own way.
    """

    tag: str
    espeak: str
    misaki: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Language:
    """A language that can be dubbed from and into, if providers hear, translate and speak it.

    Words are written in lower case and are found in any case. `negations` and `numbers` are
    regular expressions of whole words, since those inflect. An empty list leaves out the step that
    needs it: a text is cut and shortened less, never wrongly.
    """

    tag: str
    """What the service calls it: `pt-BR`. Recognition takes the part before the hyphen."""
    varieties: tuple[Variety, ...]
    name: str = ""
    """What it is called in English."""
    aliases: tuple[str, ...] = ()
    """What callers may write besides its tag and those of its varieties."""

    sentence_ends: str = ".!?…"
    clause_marks: str = ";:,"
    abbreviations: tuple[str, ...] = ()
    """Words whose dot never ends a sentence, as they are written: `Dr.` Those of the `reading`, and
    initials, end one before a starter."""
    before_names: tuple[str, ...] = ()
    """Words whose dot ends no sentence before a capital, unless it is a starter's: `o dep. João`.
    Where a word is one with other meanings, with the word before it: `o ver.`"""
    before_figures: tuple[str, ...] = ()
    """Words whose dot ends no sentence before a figure: `No. 10`. `-str.`: all that end so."""
    before_small: tuple[str, ...] = ()
    """Words whose dot ends the sentence where a capital follows: `etc.`"""
    ordinal_dots: bool = False
    """Whether a dot behind a figure makes it an ordinal: `am 24. Dezember`."""
    starters: tuple[str, ...] = ()
    """Words that begin sentences: pronouns, articles, conjunctions, question words."""
    imperatives: tuple[str, ...] = ()
    """Verbs that begin sentences, and within one begin no phrase."""

    prepositions: tuple[str, ...] = ()
    """Words that begin a phrase within a sentence and are no starters; some are not known."""
    conjunctions: tuple[str, ...] = ()
    """Words before which a long clause may be cut."""
    subordinators: tuple[str, ...] = ()
    """Words that begin a clause which explains, and may be left out."""
    markers: tuple[str, ...] = ()
    """Words that may go where they stand alone: between commas, or at a sentence's start."""
    fillers: tuple[str, ...] = ()
    """Words that say nothing wherever they stand."""
    negations: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    capitals: tuple[str, ...] = ()
    """Words that are written with a capital and are no names."""

    reading: Reading | None = None
    """How figures, signs and abbreviations are said; none: as the synthesis reads them."""

    month_first: bool = False
    """Whether 7/4 is the fourth of July."""

    chars_per_s: float = 15.0
    """How fast it is spoken, until a voice's own pace is known."""

    def __hash__(self) -> int:
        """Of the tag alone: what is made for a language is kept by it, and its tables are long."""
        return hash(self.tag)

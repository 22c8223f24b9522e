"""What translation models in CTranslate2's format want to be given, by the layout of their folder.

`model.bin` and its vocabulary are the same in all; how a language is named, and which files cut
text into pieces, is each family's own:

- OPUS-MT: `source.spm`, `target.spm`; one direction, named by the folder (`opus-mt-en-de`), or
  several targets, each with a token such as `>>pt_br<<` before the text.
- NLLB: `sentencepiece.bpe.model`; `eng_Latn` before the text, `por_Latn` before the translation.
- M2M-100: as NLLB, with `__en__` and `__pt__`.
- MADLAD-400: `spiece.model`; `<2pt>` before the text.

Pure but for the reading of the vocabulary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dubcast.errors import MissingPartError
from dubcast.sts.which_language import primary

Family = Literal["opus", "nllb", "m2m", "madlad"]
END = "</s>"
_DIRECTION = re.compile(r"([a-z]{2,3})-([a-z]{2,3})$")
_OPUS_TARGET = re.compile(r">>([a-z]{2,3})(?:_[A-Za-z]+)?<<")
_MEANT = (">>pt_br<<", ">>pob<<", ">>cmn_hans<<", ">>zho_hans<<")
_VOCABULARIES = ("shared_vocabulary", "source_vocabulary", "vocabulary")
_PIECES = ("sentencepiece.bpe.model", "spiece.model", "sentencepiece.model")
# NLLB's names; a language that is not here is not offered from its models.
_NLLB_NAMES = """
af:afr_Latn ar:arb_Arab bg:bul_Cyrl bn:ben_Beng ca:cat_Latn cs:ces_Latn cy:cym_Latn
da:dan_Latn de:deu_Latn el:ell_Grek en:eng_Latn es:spa_Latn et:est_Latn eu:eus_Latn
fa:pes_Arab fi:fin_Latn fr:fra_Latn gl:glg_Latn gu:guj_Gujr he:heb_Hebr hi:hin_Deva
hr:hrv_Latn hu:hun_Latn hy:hye_Armn id:ind_Latn is:isl_Latn it:ita_Latn ja:jpn_Jpan
ka:kat_Geor kk:kaz_Cyrl kn:kan_Knda ko:kor_Hang lt:lit_Latn lv:lvs_Latn mk:mkd_Cyrl
ml:mal_Mlym mr:mar_Deva ms:zsm_Latn nb:nob_Latn ne:npi_Deva nl:nld_Latn no:nob_Latn
pa:pan_Guru pl:pol_Latn pt:por_Latn ro:ron_Latn ru:rus_Cyrl sk:slk_Latn sl:slv_Latn
sq:als_Latn sr:srp_Cyrl sv:swe_Latn sw:swh_Latn ta:tam_Taml te:tel_Telu th:tha_Thai
tl:tgl_Latn tr:tur_Latn uk:ukr_Cyrl ur:urd_Arab vi:vie_Latn zh:zho_Hans
"""
_NLLB = dict(one.split(":") for one in _NLLB_NAMES.split())
# OPUS-MT names targets by two letters or by three: `>>pt_br<<`, `>>por<<`, `>>cmn_Hans<<`.
_BY_THREE = {
    **{name[:3]: code for code, name in _NLLB.items()},
    **{"pob": "pt", "cmn": "zh", "ara": "ar"},
}


@dataclass(frozen=True)
class Layout:
    """A folder of a model: its family, its files of pieces, and what it translates.

    `sources` and `targets`: language codes without a region to the tokens that name them, "" where
    none does. `ends`: the text's end is to be given as a token.
    """

    family: Family
    source_pieces: Path
    target_pieces: Path
    sources: dict[str, str]
    targets: dict[str, str]
    ends: bool

    def pairs(self, tags: Iterable[str]) -> frozenset[tuple[str, str]]:
        """The directions among languages, by their tags."""
        known = tuple(tags)
        return frozenset(
            (source, target)
            for source in known
            for target in known
            if primary(source) != primary(target)
            and primary(source) in self.sources
            and primary(target) in self.targets
        )

    def given(self, pieces: list[str], source: str, target: str) -> list[str]:
        """A text's pieces with the tokens around them."""
        before = self.sources[primary(source)]
        if self.family in ("opus", "madlad"):
            before = self.targets[primary(target)]
        return [*([before] if before else []), *pieces, *([END] if self.ends else [])]

    def begins(self, target: str) -> list[str] | None:
        """What the translation has to begin with, which is no part of it."""
        return [self.targets[primary(target)]] if self.family in ("nllb", "m2m") else None


def layout_of(folder: Path) -> Layout:
    """The layout of a folder. Raises MissingPartError if a file is missing, or none fits."""
    tokens = _vocabulary(folder)
    config = _json(folder / "config.json")
    if not isinstance(config, dict):
        raise MissingPartError(f"{folder / 'config.json'} holds no settings of a model")
    ends = not config.get("add_source_eos", False)
    if (folder / "source.spm").is_file() and (folder / "target.spm").is_file():
        sources, targets = _opus(folder.name, tokens)
        files = folder / "source.spm", folder / "target.spm"
        return Layout("opus", *files, sources, targets, ends)
    pieces = next((folder / name for name in _PIECES if (folder / name).is_file()), None)
    if pieces is None:
        names = ", ".join(("source.spm", *_PIECES))
        raise MissingPartError(f"{folder} has no file of word pieces (one of {names})")
    family, languages = _several(tokens)
    if not languages:
        raise MissingPartError(f"the vocabulary in {folder} names no language that is known")
    sources = dict.fromkeys(languages, "") if family == "madlad" else languages
    return Layout(family, pieces, pieces, sources, languages, ends)


def _vocabulary(folder: Path) -> frozenset[str]:
    for name in _VOCABULARIES:
        if (path := folder / f"{name}.json").is_file():
            tokens = _json(path)
            if not isinstance(tokens, list) or not all(isinstance(one, str) for one in tokens):
                raise MissingPartError(f"{path} holds no list of tokens")
            return frozenset(tokens)
        if (path := folder / f"{name}.txt").is_file():
            return frozenset(path.read_text(encoding="utf-8").split("\n"))
    raise MissingPartError(f"{folder} has no vocabulary: it is no model in CTranslate2's format")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingPartError(f"{path} cannot be read: {error}") from error


def _opus(name: str, tokens: frozenset[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Sources and targets; the folder's name says them, unless the targets have tokens."""
    found = _DIRECTION.search(name.lower())
    targets: dict[str, str] = {}
    for token in sorted(tokens, key=_opus_preference, reverse=True):
        if match := _OPUS_TARGET.fullmatch(token):
            targets.setdefault(_BY_THREE.get(match[1], match[1]), token)
    if targets and not targets.keys() & _NLLB.keys():
        raise MissingPartError(f"the vocabulary of {name!r} names no target that is known")
    if found is None and not targets:
        raise MissingPartError(f"the folder's name {name!r} does not end in a direction (en-de)")
    if found is None:
        source = re.search(r"([a-z]{2,3})-[^-]+$", name)
        if source is None:
            raise MissingPartError(f"the folder's name {name!r} does not say its source (en-roa)")
        return {source[1]: ""}, targets
    return {found[1]: ""}, targets or {found[2]: ""}


def _opus_preference(token: str) -> tuple[bool, bool, str]:
    """Of several tokens of a language the one that is meant by its bare tag goes first (`>>pt<<` is
    European), then the one without a region; the order is the same at every start.
    """
    return token.lower() in _MEANT, "_" not in token, token


def _several(tokens: frozenset[str]) -> tuple[Family, dict[str, str]]:
    names: tuple[tuple[Family, dict[str, str]], ...] = (
        ("nllb", _NLLB),
        ("m2m", {code: f"__{code}__" for code in _NLLB}),
        ("madlad", {code: f"<2{code}>" for code in _NLLB}),
    )
    found = ((family, {k: v for k, v in of.items() if v in tokens}) for family, of in names)
    return max(found, key=lambda one: len(one[1]))

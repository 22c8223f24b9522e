"""Arabic."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="ar",
    name="Arabic",
    varieties=(Variety("ar", espeak="ar"),),
    aliases=("ar-SA", "ar-EG"),
    sentence_ends=".!؟…",
    clause_marks="؛:،;,",
    abbreviations=("د.", "أ.", "م."),
    conjunctions=("و", "لكن", "لأن", "عندما", "بينما"),
    negations=("لا", "ليس", "لم", "لن", "ما", "بدون", "أبدا"),
    numbers=(
        *("واحد", "اثنان", "اثنين", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة"),
        *("ثمانية", "تسعة", "عشرة", "عشرون", "مئة", "مائة", "ألف", "مليون", "مليار"),
        *("نصف", "أول"),
    ),
)

"""Turkish."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="tr",
    name="Turkish",
    varieties=(Variety("tr", espeak="tr"),),
    aliases=("tr-TR",),
    abbreviations=(*("Dr.", "Prof.", "Av.", "vb.", "vs.", "örn.", "yak.", "Sn.", "Doç."),),
    before_figures=("no.", "s.", "tel.", "md."),
    ordinal_dots=True,
    starters=(
        *("ben", "sen", "o", "biz", "siz", "onlar", "bu", "şu", "bir", "ama", "ve"),
        *("yani", "eğer", "sonra", "çünkü", "neden", "kim", "ne", "nerede", "hayır"),
        *("evet", "şimdi", "bugün"),
    ),
    conjunctions=("ve", "ama", "çünkü", "fakat", "oysa"),
    fillers=("ıı", "ee"),
    negations=(
        *("hayır", "değil", "asla", "hiç", "kimse", "yok", "ne", r"\w+m[ae]z"),
        *(r"\w+suz", r"\w+sız"),
    ),
    numbers=(
        *("bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz", "on"),
        *("yirmi", "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan"),
        *("yüz", "bin", "milyon", "milyar", "yarım", "yarı", "birinci", "ikinci"),
        *("üçüncü",),
    ),
)

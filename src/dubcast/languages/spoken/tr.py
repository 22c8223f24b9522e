"""Turkish."""

from __future__ import annotations

import re

from dubcast.languages.language import Language, Variety
from dubcast.languages.numbers import FIGURE, Numbers
from dubcast.languages.reading import Counted, Rule, pairs
from dubcast.languages.rules import day_month_year
from dubcast.languages.small_reading import small_reading

_MONTHS = (
    *("Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül"),
    *("Ekim", "Kasım", "Aralık"),
)
_MORPHEME = (
    r"(?:milyar|milyon|bin|yüz|doksan|seksen|yetmiş|altmış|elli|kırk|otuz|yirmi|on|bir|iki|üç|dört|"
    r"beş|altı|yedi|sekiz|dokuz)"
)


def _mended(words: str) -> str:
    """num2words joins what Turkish writes apart."""
    return re.sub(rf"({_MORPHEME})(?={_MORPHEME})", r"\1 ", words)


def _time(hour: int, minute: int, numbers: Numbers) -> str:
    said = numbers.cardinal(hour)
    return f"{said} {numbers.cardinal(minute)}" if minute else said


def _percent(found: re.Match[str], numbers: Numbers) -> str:
    return f"yüzde {numbers.figure(found[1] or found[2])}"


_READING = small_reading(
    "tr",
    """
    point = virgül | minus = eksi | plus = artı | also = ve | up_to = ile | per = başına
    dot = nokta | at = et | slash = bölü | dash = tire | underscore = alt çizgi
    hashtag = etiket | number_sign = numara
    """,
    """
    °C ° = derece | km/sa = kilometre saat | km = kilometre | cm = santimetre | m = metre
    kg = kilo | g = gram | l L = litre | m² = metrekare | dk = dakika
    """,
    "€ EUR = avro, sent | $ USD = dolar, sent | ₺ TL TRY = lira, kuruş",
    "küçüktür / büyüktür / en çok / en az / eşit değildir / yarım / üçte bir / çeyrek / dörtte üç",
    date=day_month_year(Numbers.cardinal, _MONTHS, Numbers.cardinal),
    time=_time,
    mended=_mended,
    rules=(
        Rule(rf"%\s?({FIGURE})|(?<![\w.,])({FIGURE})\s?%", _percent),
        Rule(
            r"(?<![\d.,])(\d{1,3})\.(?=\s[a-zçğıöşü])",
            lambda found, numbers: numbers.ordinal(int(found[1])),
        ),
    ),
    abbreviations=pairs(
        "Dr. = doktor | Prof. = profesör | vb. = ve benzeri | vs. = vesaire | Av. = avukat"
        " | örn. = örneğin | No. = numara"
    ),
    scales=(("milyon", Counted("milyon", "milyon")), ("milyar", Counted("milyar", "milyar"))),
)

LANGUAGE = Language(
    tag="tr",
    name="Turkish",
    varieties=(Variety("tr", espeak="tr"),),
    reading=_READING,
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

"""Brazilian Portuguese."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety

LANGUAGE = Language(
    tag="pt-BR",
    varieties=(Variety("pt-BR", espeak="pt-br"),),
    aliases=("pt",),
    conjunctions=("e", "mas", "porque", "quando", "enquanto", "embora"),
    subordinators=(
        *("que", "o que", "a qual", "o qual", "quem", "porque", "pois", "já que", "embora"),
        *("enquanto", "ainda que", "uma vez que", "onde", "como", "apesar"),
    ),
    markers=(
        *("bem", "bom", "né", "então", "sabe", "olha", "olhe", "veja", "ora", "certo", "tipo"),
        *("quer dizer", "ou seja", "você sabe", "vocês sabem", "na verdade", "de fato", "enfim"),
        *("basicamente", "claro", "é claro", "por assim dizer", "digamos", "aliás", "agora"),
        *("para ser honesto", "como eu disse", "como você sabe", "a propósito", "tá", "ok"),
    ),
    fillers=("hum", "ah", "né", "realmente", "basicamente", "simplesmente"),
    negations=(
        *("não", "nunca", "jamais", "nenhum", "nenhuma", "nenhuns", "nenhumas", "ninguém"),
        *("nada", "nem", "sem"),
    ),
    numbers=(
        *("dois", "duas", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez"),
        *("onze", "doze", "treze", "catorze", "quatorze", "quinze", "dezesseis", "dezessete"),
        *("dezoito", "dezenove", "vinte", "trinta", "quarenta", "cinquenta", "sessenta"),
        *("setenta", "oitenta", "noventa", "cem", "cento", "duzentos", "mil", "milhão"),
        *("milhões", "bilhão", "bilhões", "metade", "primeir[oa]", "segund[oa]", "terceir[oa]"),
    ),
)

"""Brazilian Portuguese."""

from __future__ import annotations

from dubcast.languages.language import Language, Variety
from dubcast.languages.reading import Counted, Currency, Reading, Unit, pairs
from dubcast.languages.written.pt_br import RULES
from dubcast.languages.written.pt_br_agreement import (
    FEMININE_NOUN,
    NO_NOUN,
    counted,
    feminine,
    feminine_ordinal,
)

_READING = Reading(
    numerals="pt_BR",
    decimal_mark=",",
    grouping_marks=".,",
    point="vírgula",
    minus="menos",
    plus="mais",
    also="e",
    up_to="a",
    per="por",
    dot="ponto",
    at="arroba",
    slash="barra",
    dash="hífen",
    underscore="underline",
    hashtag="hashtag",
    number_sign="número",
    feminine=feminine,
    feminine_ordinal=feminine_ordinal,
    feminine_noun=FEMININE_NOUN,
    counted=counted,
    joined_decimals=True,
    singular_below=2.0,
    units=(
        Unit(("%",), Counted("por cento", "por cento")),
        Unit(("°C", "ºC", "° C"), Counted("grau Celsius", "graus Celsius")),
        Unit(("°F", "ºF", "° F"), Counted("grau Fahrenheit", "graus Fahrenheit")),
        Unit(("°",), Counted("grau", "graus")),
        Unit(("km/h", "kmh", "kph"), Counted("quilômetro por hora", "quilômetros por hora")),
        Unit(("mph",), Counted("milha por hora", "milhas por hora", feminine=True)),
        Unit(("m/s",), Counted("metro por segundo", "metros por segundo")),
        Unit(("km²", "km2"), Counted("quilômetro quadrado", "quilômetros quadrados")),
        Unit(("m²", "m2"), Counted("metro quadrado", "metros quadrados")),
        Unit(("m³", "m3"), Counted("metro cúbico", "metros cúbicos")),
        Unit(("km",), Counted("quilômetro", "quilômetros")),
        Unit(("cm",), Counted("centímetro", "centímetros")),
        Unit(("mm",), Counted("milímetro", "milímetros")),
        Unit(("m",), Counted("metro", "metros")),
        Unit(("ft",), Counted("pé", "pés")),
        Unit(("yd", "yds"), Counted("jarda", "jardas", feminine=True)),
        Unit(("kg",), Counted("quilo", "quilos")),
        Unit(("mg",), Counted("miligrama", "miligramas")),
        Unit(("g",), Counted("grama", "gramas")),
        Unit(("t",), Counted("tonelada", "toneladas", feminine=True)),
        Unit(("lb", "lbs"), Counted("libra", "libras", feminine=True)),
        Unit(("oz",), Counted("onça", "onças", feminine=True)),
        Unit(("ml", "mL"), Counted("mililitro", "mililitros")),
        Unit(("l", "L"), Counted("litro", "litros")),
        Unit(("ha",), Counted("hectare", "hectares")),
        Unit(("KB", "kB"), Counted("quilobyte", "quilobytes")),
        Unit(("MB",), Counted("megabyte", "megabytes")),
        Unit(("GB",), Counted("gigabyte", "gigabytes")),
        Unit(("TB",), Counted("terabyte", "terabytes")),
        Unit(("Mbps", "Mb/s", "Mbit/s"), Counted("megabit por segundo", "megabits por segundo")),
        Unit(("fps",), Counted("quadro por segundo", "quadros por segundo")),
        Unit(("kHz",), Counted("quilohertz", "quilohertz")),
        Unit(("MHz",), Counted("mega-hertz", "mega-hertz")),
        Unit(("GHz",), Counted("giga-hertz", "giga-hertz")),
        Unit(("Hz",), Counted("hertz", "hertz")),
        Unit(("V",), Counted("volt", "volts")),
        Unit(("W",), Counted("watt", "watts")),
        Unit(("kWh",), Counted("quilowatt-hora", "quilowatts-hora")),
        Unit(("kW",), Counted("quilowatt", "quilowatts")),
        Unit(("MW",), Counted("megawatt", "megawatts")),
        Unit(("dB",), Counted("decibel", "decibéis")),
        Unit(("min",), Counted("minuto", "minutos")),
        Unit(("seg", "s"), Counted("segundo", "segundos")),
        Unit(("ms",), Counted("milissegundo", "milissegundos")),
        Unit(("km/l", "km/L"), Counted("quilômetro por litro", "quilômetros por litro")),
        Unit(("km/s",), Counted("quilômetro por segundo", "quilômetros por segundo")),
        Unit(("cm²", "cm2"), Counted("centímetro quadrado", "centímetros quadrados")),
        Unit(("mm²", "mm2"), Counted("milímetro quadrado", "milímetros quadrados")),
        Unit(("cm³", "cm3"), Counted("centímetro cúbico", "centímetros cúbicos")),
        Unit(("kcal",), Counted("quilocaloria", "quilocalorias", feminine=True)),
        Unit(("cal",), Counted("caloria", "calorias", feminine=True)),
        Unit(("cc",), Counted("cilindrada", "cilindradas", feminine=True)),
        Unit(("cv",), Counted("cavalo", "cavalos")),
        Unit(("hp",), Counted("cavalo", "cavalos")),
        Unit(("mcg", "µg", "μg"), Counted("micrograma", "microgramas")),
        Unit(("nm",), Counted("nanômetro", "nanômetros")),
        Unit(("psi", "PSI"), Counted("pê esse i", "pê esse i")),
        Unit(("rpm", "RPM"), Counted("rotação por minuto", "rotações por minuto", feminine=True)),
        Unit(("bpm", "BPM"), Counted("batida por minuto", "batidas por minuto", feminine=True)),
        Unit(("ppm",), Counted("parte por milhão", "partes por milhão", feminine=True)),
        Unit(("mAh",), Counted("miliampere-hora", "miliamperes-hora")),
        Unit(("mA",), Counted("miliampere", "miliamperes")),
        Unit(("kV",), Counted("quilovolt", "quilovolts")),
        Unit(("Wh",), Counted("watt-hora", "watts-hora")),
        Unit(("MWh",), Counted("megawatt-hora", "megawatts-hora")),
        Unit(("GW",), Counted("gigawatt", "gigawatts")),
        Unit(("Gbps", "Gb/s"), Counted("gigabit por segundo", "gigabits por segundo")),
        Unit(("kbps", "Kbps"), Counted("quilobit por segundo", "quilobits por segundo")),
        Unit(("px",), Counted("pixel", "pixels")),
        Unit(("dpi", "DPI"), Counted("dê pê i", "dê pê i")),
        Unit(("pp", "p.p."), Counted("ponto percentual", "pontos percentuais")),
        Unit(("bps",), Counted("ponto-base", "pontos-base")),
        Unit(("pts", "pt"), Counted("ponto", "pontos")),
        Unit(("xíc",), Counted("xícara", "xícaras", feminine=True)),
        Unit(("pct", "pcts"), Counted("pacote", "pacotes")),
        Unit(("un", "unid"), Counted("unidade", "unidades", feminine=True)),
        Unit(("sem.",), Counted("semana", "semanas", feminine=True)),
        # Without a currency: 1,5 mi de pessoas.
        Unit(("mi",), Counted("milhão", "milhões")),
        Unit(("bi",), Counted("bilhão", "bilhões")),
        Unit(("tri",), Counted("trilhão", "trilhões")),
    ),
    currencies=(
        Currency(("R$", "BRL"), Counted("real", "reais"), Counted("centavo", "centavos")),
        Currency(
            ("US$", "US $", "U$", "USD", "$"),
            Counted("dólar", "dólares"),
            Counted("centavo", "centavos"),
        ),
        Currency(("€", "EUR"), Counted("euro", "euros"), Counted("centavo", "centavos")),
        Currency(("£", "GBP"), Counted("libra", "libras", feminine=True), Counted("pêni", "pence")),
        Currency(("¥", "JPY"), Counted("iene", "ienes")),
        Currency(("₿", "BTC"), Counted("bitcoin", "bitcoins")),
    ),
    scales=(
        *((one, Counted("mil", "mil")) for one in ("mil", "k", "K")),
        *((one, Counted("milhão", "milhões")) for one in ("milhão", "milhões", "mi", "M")),
        *((one, Counted("bilhão", "bilhões")) for one in ("bilhão", "bilhões", "bi", "B")),
        *((one, Counted("trilhão", "trilhões")) for one in ("trilhão", "trilhões", "tri", "T")),
    ),
    large=r"[kKM]|B(?=\s[a-zà-ÿ]{3,})|B(?<=[.,]\dB)",
    no_noun=NO_NOUN,
    signs=pairs(
        """
        & = e | + = mais | = = igual a | @ = arroba | ° = graus | / = | × = vezes
        ÷ = dividido por | ≈ = cerca de | ± = mais ou menos | § = parágrafo | < = menor que
        > = maior que | ≤ = menor ou igual a | ≥ = maior ou igual a | ≠ = diferente de
        """
    ),
    abbreviations=pairs(
        """
        ONG = ongue | ONGs = ongues | CEO = ci i ôu | CEOs = ci i ôus | DJ = dijêi | Tv = tevê
        tv = tevê | etc = etcétera | Ltda = limitada | Obs = observação
        V. Sa. = vossa senhoria | Ilmo. = ilustríssimo | vc = você | vcs = vocês | tb = também
        pq = porque | Sr. = senhor | Sra. = senhora | Srta. = senhorita | Srs. = senhores
        Sras. = senhoras | Dr. = doutor | Dra. = doutora | Drs. = doutores | Prof. = professor
        Profa. = professora | Profª = professora | Eng. = engenheiro | Arq. = arquiteto
        Pr. = pastor | Pra. = pastora | Bl. = bloco | bl. = bloco | trim. = trimestre
        YoY = ano a ano | QoQ = trimestre a trimestre | Pe. = padre | Fr. = frei | D. = dom
        S. = São | Sto. = Santo | Sta. = Santa
        Gen. = general | Cel. = coronel | Cap. = capitão | Ten. = tenente | Sgt. = sargento
        Gov. = governador | Pres. = presidente | Min. = ministro | Dep. = deputado
        Sen. = senador | Exmo. = excelentíssimo | V. Exa. = vossa excelência | Av. = avenida
        R. = rua | Al. = alameda | Trav. = travessa | Pça. = praça | Rod. = rodovia
        Ed. = edifício | apto. = apartamento | Apto. = apartamento | tel. = telefone
        Tel. = telefone | etc. = etcétera | p. ex. = por exemplo | por ex. = por exemplo
        Ex. = exemplo | i.e. = isto é | obs. = observação | Obs. = observação
        pp. = páginas | pág. = página | págs. = páginas | p. = página | cap. = capítulo
        art. = artigo | Art. = artigo | vol. = volume
        séc. = século | a.C. = antes de Cristo | d.C. = depois de Cristo | Jr. = Júnior
        vs. = versus | vs = versus | aprox. = aproximadamente | Cia. = companhia
        Cia = companhia | Ltda. = limitada | S.A. = esse a | S/A = esse a | máx. = máximo
        mín. = mínimo | c/ = com | p/ = para | s/ = sem | EUA = Estados Unidos
        E.U.A. = Estados Unidos | TV = tevê | TVs = tevês | OK = oquei | Ok = oquei | ok = oquei
        km = quilômetros | Univ. = Universidade | St. = Saint | Mr. = senhor | Mrs. = senhora
        Ms. = senhora | Depto. = departamento | jan. = janeiro | fev. = fevereiro | mar. = março
        abr. = abril | jun. = junho | jul. = julho | ago. = agosto | set. = setembro
        out. = outubro | nov. = novembro
        """
    ),
    rules=RULES,
    letters=pairs(
        """
        B = bê | C = cê | D = dê | E = é | F = efe | G = gê | H = agá | I = i | J = jota
        K = cá | L = ele | M = eme | N = ene | O = ó | P = pê | Q = quê | R = erre | S = esse
        T = tê | U = u | V = vê | W = dáblio | X = xis | Y = ípsilon | Z = zê | A = a
        """
    ),
    spoken_digits=(("6", "meia"),),
    acronyms=(
        *("NASA", "OTAN", "UNESCO", "UNICEF", "FIFA", "UEFA", "AIDS", "COVID", "OPEP", "ONU"),
        *("SUS", "PIB", "VAR", "IPEA", "SENAI", "SESI", "SESC", "FUNAI", "IBAMA", "ENEM", "USP"),
        *("UNESP", "PIS", "COFINS", "CONMEBOL", "CONCACAF", "PROCON", "DETRAN", "FAB", "PIX"),
        *("SEBRAE", "MASP", "PETROBRAS", "INCRA", "CAPES", "ANVISA", "ANATEL", "ANEEL", "MERCOSUL"),
        *("OVNI", "SIM", "VIP", "CEP", "LAN", "RAM", "GIF", "UNICAMP", "INPE", "BID", "FUVEST"),
        *("UPA",),
    ),
    spelled=("IBGE", "INSS", "ESPN", "USA", "IOF", "AVC", "UTI", "OAB", "IPI", "OIT", "IPO", "ISO"),
    speakable=(
        r"[B-DF-HJ-NP-TVXZÇ]{1,2}[AEIOUÁÃÂÉÊÍÓÕÔÚ]{1,2}[B-DF-HJ-NP-TVXZÇ]{1,2}[A-ZÀ-Ý]*(?<=\w{4})"
        r"|[B-DF-HJ-NP-TVXZ][AEIOU](?:L|R|S|M|Z|N)"
    ),
    shouted=(
        *("não", "sim", "é", "e", "o", "a", "os", "as", "um", "uma", "eu", "ele", "ela", "nós"),
        *("você", "já", "só", "lá", "aqui", "ali", "que", "de", "da", "do", "em", "no", "na"),
        *("nunca", "tudo", "muito", "mais", "meu", "deus", "gol", "vai", "vem", "agora", "ao"),
        *("vivo", "hoje", "grande", "isso", "esse", "essa", "este", "para", "por", "com", "sem"),
        *("se", "me", "te", "foi", "era", "são", "oi", "olá", "ah", "oh", "até", "também"),
    ),
    domains=("com", "org", "net", "gov", "info", "edu"),
    cues=(
        r"(?:(?:plateia|público|todos) )?(?:risos?|risadas?|gargalhadas?|r(?:i|indo|iem)|aplausos?|"
        r"palmas|aplaude|música(?: tocando| de fundo| animada| suave)?|suspir(?:a|o|os|ando)|"
        r"tosse|tossindo|chor(?:a|o|ando)|grit(?:a|o|os|ando)|sussurr(?:a|o|ando)|geme|gemidos?|"
        r"inaudível|ininteligível|silêncio|pausa|vozes sobrepostas|pigarreia|assobi(?:a|o|os))"
        r"(?: ao fundo| nervos[oa]s?)?"
    ),
)

# Titles that are words as well, where what stands before them tells: `o min. Moraes`, `a ver.`
_TITLES_BEHIND = tuple(
    f"{before} {title}"
    for before in ("o", "do", "ao", "no", "pelo")
    for title in ("min.", "ver.", "cap.")
)

LANGUAGE = Language(
    tag="pt-BR",
    name="Brazilian Portuguese",
    varieties=(Variety("pt-BR", espeak="pt-br"),),
    aliases=("pt",),
    reading=_READING,
    abbreviations=(
        *("Sr.", "Sra.", "Srs.", "Sras.", "Srta.", "Dr.", "Dra.", "Drs.", "Prof.", "Profa."),
        *(
            "Eng.",
            "Arq.",
            "Pe.",
            "Pr.",
            "Pra.",
            "Fr.",
            "Sto.",
            "Sta.",
            "Gen.",
            "Cel.",
            "Cap.",
            "Ten.",
        ),
        *("Sgt.", "Gov.", "Pres.", "Min.", "Dep.", "Sen.", "Exmo.", "Ilmo.", "Av.", "Al."),
        *("Trav.", "Pça.", "Rod.", "Ed.", "Mr.", "Mrs.", "Ms.", "séc.", "vs.", "obs."),
        *("Obs.", "i.e.", "aprox.", "Jd.", "bl.", "Bl.", "col.", "colh."),
    ),
    before_names=(
        *("dep.", "sen.", "gov.", "pres.", "des.", "sgt.", "ten.", "cel.", "gen.", "eng.", "arq."),
        *("adv.", "prof.", "profa.", "dr.", "dra.", "sr.", "sra.", "pe.", "ex-min.", "ex-ver."),
        *_TITLES_BEHIND,
    ),
    before_small=("etc.", "a.C.", "d.C."),
    before_figures=(
        *("No.", "no.", "Nº.", "nº.", "n.", "N.", "p.", "pág.", "págs.", "cap.", "art.", "Art."),
        *("vol.", "tel.", "Tel.", "pp.", "c.", "ca.", "seg.", "ter.", "qua.", "qui.", "sex."),
        *("sáb.", "dom.", "Seg.", "Ter.", "Qua.", "Qui.", "Sex.", "Sáb.", "Dom."),
        *("ap.", "apto.", "Apto."),
    ),
    starters=(
        *("eu", "ele", "ela", "eles", "elas", "nós", "você", "vocês", "a", "o", "as", "os", "um"),
        *("uma", "isso", "isto", "esse", "essa", "este", "esta", "aquele", "aquela", "mas", "e"),
        *("então", "se", "quando", "enquanto", "como", "depois", "antes", "porque", "agora", "que"),
        *("quem", "por", "onde", "qual", "é", "são", "foi", "está", "não", "sim", "bem", "bom"),
        *("obrigado", "obrigada", "em", "no", "na", "nos", "nas", "ao", "com", "para", "de", "do"),
        *("da", "muitos", "muitas", "também", "porém", "hoje", "amanhã", "ontem", "todos", "todo"),
        *("ninguém", "alguém", "tudo", "nada", "cada", "meu", "minha", "seu", "sua", "nosso"),
        *("nossa", "vamos", "aqui", "ali", "lá", "há"),
    ),
    imperatives=(
        *("venha", "venham", "volte", "voltem", "traga", "tragam", "olhe", "olhem", "fique"),
        *("fiquem", "vá", "vão", "veja", "vejam", "espere", "esperem", "pare", "parem", "ouça"),
        *("ouçam", "escute", "leia", "leiam", "abra", "abram", "feche", "ligue", "liguem"),
        *("corra", "corram", "chegue", "cheguem", "tome", "tomem", "faça", "façam", "diga"),
        *("digam", "pense", "pensem", "lembre", "lembrem", "imagine", "imaginem", "tente"),
        *("tentem", "use", "usem", "entre", "visite", "visitem", "confira", "aproveite"),
        *("participe", "siga", "deixe", "experimente", "nunca", "sempre"),
    ),
    prepositions=(
        *("à", "às", "aos", "até", "após", "contra", "das", "desde", "dos", "durante", "entre"),
        *("num", "numa", "ou", "pela", "pelas", "pelo", "pelos", "sem", "sob", "sobre"),
    ),
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

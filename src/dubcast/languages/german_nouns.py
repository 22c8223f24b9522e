"""The gender of German nouns, where an ending or a modest list tells it."""

from __future__ import annotations

import re
from typing import Literal

Gender = Literal["masculine", "feminine", "neuter"]

# The first that matches tells; a compound has the gender of its last part. What ends like a
# feminine noun and is none stands before those.
_GENDERS: tuple[tuple[Gender, str], ...] = (
    (
        "masculine",
        r"\w*(?:junge|name|(?:\b|neu|stamm)kunde|kollege|käse|löwe|(?:\b|oster)hase|experte|zeuge|"
        r"gedanke|wille|buchstabe|friede|glaube|neffe|bote|riese|drache|matrose|rabe|falke|ochse|knabe|"
        r"funke|loge|päde|sprung|schwung|\bdung|spion|champion|termin|kamin|pinguin|urin|brei|schrei|"
        r"kranz|glanz|schwanz|tanz|streik|kuchen|knochen|rachen|irrtum|reichtum|moment|autor|motor)|"
        r"affe|russe|chinese|pole|däne|türke|grieche|schotte|ire|brite|schwede|finne|franzose|deutsche|"
        r"papagei|katholik|atlantik|pazifik|zombie",
    ),
    (
        "neuter",
        r"\w*(?:auge|\bende|wochenende|jahresende|interesse|gebäude|gemälde|getreide|gemüse|gewerbe|"
        r"gebirge|gelände|finale|komitee|genie|abitur|stadion|lexikon|mosaik|gesicht|magazin|benzin|"
        r"vitamin|protein|knie|viertel|drittel|fenster|messer|zimmer|theater|wasser|feuer|muster|opfer|"
        r"fieber|ufer|mädel|mittel|kapitel|rätsel|segel|möbel|kabel|hotel|spiel|ziel|modell|buch|haus|"
        r"land|kind|auto|bild|(?<!ant)wort|jahr|\btor|[nr]tor|lied|dorf|brot|bier|glas|pferd|tier|huhn|"
        r"schwein|bein|(?<!c)herz|ohr|werk|geschenk|gespräch|gesetz|gerät|projekt|problem|system|"
        r"programm|video|foto|büro|kino|radio|konto|kilo|pfund|gramm|prozent|team|stück|mal|bett|boot|"
        r"flugzeug|rad|hemd|kleid|zelt|recht|nis|volk|schiff|handy|hobby|baby|restaurant|fest|verfahren|"
        r"zeichen|leben|treffen|essen|unternehmen|ding|quartal|semester|thema|feld|geld|bot|chen|lein|"
        r"ment|ium|tum|byte|talent)|ei|rennen",
    ),
    (
        "feminine",
        r"\w+(?:ung|heit|keit|schaft|ion|tät|enz|anz|ik|tur|gur|form|e)|"
        r"\w+(?:er|ist|ent|ant|or|ög|und|ünd|eg|äg|ön|önig|ef|öch|ürst|öt|ött|ält|rzt|ar)in|"
        r"\w*(?:erei|elei|partei|polizei|datei|arznei|stadt|frau|person|nacht|kraft|fahrt|zeit|welt|"
        r"zahl|tür|uhr|bank|macht|mutter|tochter|schwester|nummer|kartoffel|(?<!p)insel|regel|tafel|"
        r"gabel|schachtel|zwiebel|mauer|feier|steuer|oper|kammer|schicht|nachricht|pflicht|schrift|"
        r"schlacht|firma|pizza|kamera|arbeit|antwort|kunst|wurst|mail|liga|wahl|diät|villa|arena)|"
        r"hand|wand|tat|straftat|last|lust|angst|luft|post|maus|kuh|gans|nuss|haut|braut|art|sicht|"
        r"aussicht|mark|feder|leber|butter|ziffer|leiter|vokabel|oma|mama|app|bar",
    ),
    (
        "masculine",
        r"\w+(?:ling|ismus|or|eur|ist|ent|ant|er|ig|us)|"
        r"\w*(?:tag|platz|schritt|mann|freund|hund|baum|weg|teil|punkt|plan|test|film|sieg|tisch|stuhl|"
        r"apfel|ball|brief|bus|zug|fall|grund|ort|satz|titel|monat|abend|stern|kopf|fuß|arm|mord|"
        r"versuch|erfolg|preis|artikel|schuss|start|entwurf|besuch|kuss|job|song|club|kurs|stock|raum|"
        r"tritt|schnitt|verein|druck|wagen|garten|löffel|trag|pass|tipp|berg|fluss|wald|sohn|stein)|"
        r"euro|dollar|fc|januar|februar|märz|april|mai|juni|juli|august",
    ),
)
_PATTERNS = tuple((gender, re.compile(pattern, re.IGNORECASE)) for gender, pattern in _GENDERS)


def gender(noun: str) -> Gender | None:
    """The noun's gender, if it can be told."""
    return next((gender for gender, pattern in _PATTERNS if pattern.fullmatch(noun)), None)

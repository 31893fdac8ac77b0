"""Postal addresses: the number, the street's own words, the postcode and the town."""

from __future__ import annotations

import re
from typing import NamedTuple

from .normalise import fold, words
from .vocabulary import STREETS

_SPLIT_NUMBER = re.compile(r"^(\d+)([a-z]?)$")
_POST_BOX = re.compile(r"\bp\.?\s*o\.?\s*box\b|\bpostfach\b|\bapartado\b|\bbp\b")
#: Kinds of street and parts of a building say little of themselves.
KINDS = frozenset(STREETS.values()) | {"box", "no", "nr"}
#: Kinds that name another street when they differ: "Oak Street" is not "Oak Avenue".
MAIN_KINDS = frozenset(
    {"street", "avenue", "road", "drive", "lane", "court", "place", "boulevard", "way", "crescent"}
)
_GLUED = re.compile(r"(strasse|straat|str|weg|gasse|platz)$")


#: "224 N Central" is not "224 S Central".
DIRECTIONS = frozenset({"north", "south", "east", "west"})
#: In a line of the address only a postcode has so many digits.
_POSTCODE_DIGITS = 5


class Street(NamedTuple):
    """House numbers (all numbers of the lines), the street's own words in order, the directions
    and kinds ("avenue") in it, and a postcode that stands among them ("" if none)."""

    numbers: tuple[str, ...]
    names: tuple[str, ...]
    directions: frozenset[str]
    kinds: frozenset[str]
    postcode: str


def street(lines: tuple[str, ...]) -> Street:
    """The address lines taken apart: "6 N Tullaroop St." is (("6",), ("tullaroop",), {"north"})."""
    text = _POST_BOX.sub(" box ", " ".join(fold(line) for line in lines))
    numbers: list[str] = []
    names: list[str] = []
    directions, kinds, code = set(), set(), ""
    for word in words(text):
        number = _SPLIT_NUMBER.match(word)
        whole = STREETS.get(word) or _GLUED.sub("", word) or word
        if number and len(number[1]) == _POSTCODE_DIGITS and (numbers or names):
            code = number[1]
        elif number:
            numbers.append(number[1].lstrip("0") or "0")
        elif whole in DIRECTIONS:
            directions.add(whole)
        elif whole in KINDS:
            kinds.add(whole)
        else:
            names.append(whole)
    return Street(tuple(numbers), tuple(names), frozenset(directions), frozenset(kinds), code)


def postcode(text: str | None) -> str:
    """The postcode without gaps; of a nine-digit ZIP the first five."""
    folded = "".join(words(text))
    return folded[:5] if folded.isdigit() and len(folded) == 9 else folded


def place(text: str | None) -> str:
    """A town or region as words with single gaps."""
    return " ".join(words(text))


COUNTRY_NAMES = {
    "united kingdom": "GB", "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "ireland": "IE", "usa": "US", "united states": "US",
    "united states of america": "US", "us": "US", "america": "US", "canada": "CA",
    "australia": "AU", "new zealand": "NZ", "germany": "DE", "deutschland": "DE", "austria": "AT",
    "osterreich": "AT", "switzerland": "CH", "schweiz": "CH", "suisse": "CH", "svizzera": "CH",
    "france": "FR", "belgium": "BE", "belgique": "BE", "belgie": "BE", "netherlands": "NL",
    "nederland": "NL", "the netherlands": "NL", "holland": "NL", "luxembourg": "LU",
    "spain": "ES", "espana": "ES", "portugal": "PT", "italy": "IT", "italia": "IT",
    "denmark": "DK", "danmark": "DK", "sweden": "SE", "sverige": "SE", "norway": "NO",
    "norge": "NO", "finland": "FI", "suomi": "FI", "poland": "PL", "polska": "PL",
    "czech republic": "CZ", "czechia": "CZ", "hungary": "HU", "greece": "GR", "turkey": "TR",
    "south africa": "ZA", "india": "IN", "singapore": "SG", "hong kong": "HK", "japan": "JP",
    "china": "CN", "brazil": "BR", "brasil": "BR", "mexico": "MX", "argentina": "AR",
    "venezuela": "VE", "united arab emirates": "AE", "uae": "AE", "israel": "IL",
}  # fmt: skip


def country(text: str | None) -> str:
    """The two-letter code of a country's code or name; "" where it is neither."""
    name = place(text)
    return COUNTRY_NAMES.get(name) or (name.upper() if len(name) == 2 else "")

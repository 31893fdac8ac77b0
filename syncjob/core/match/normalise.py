"""Text as it is compared: one script, no accents, no case, words apart."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii
from rapidfuzz.distance import JaroWinkler

_WORD = re.compile(r"[a-z0-9]+")
_DIGITS = re.compile(r"\d+")
#: Apostrophes and dots inside a word are no gap: "O'Neill", "S.A.", "L.L.C."
_INSIDE = re.compile(r"(?<=\w)['’`´.](?=\w)")


def fold(text: str | None) -> str:
    """Lower case letters of the Latin alphabet: "Škoda Łódź" is "skoda lodz", "Яндекс" "yandeks".

    An umlaut loses its dots ("Müller" is "muller"); what "Mueller" has more is left to `sound`.
    """
    if not text:
        return ""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return (plain if plain.isascii() else anyascii(plain)).lower()


def words(text: str | None) -> list[str]:
    """The words of a text, folded, in their order; "&" and "+" are words of their own meaning."""
    folded = _INSIDE.sub("", fold(text))
    return _WORD.findall(folded.replace("&", " and ").replace("+", " and "))


def digits(text: str | None) -> str:
    """All digits of a text, joined."""
    return "".join(_DIGITS.findall(fold(text)))


def squash(tokens: list[str] | tuple[str, ...]) -> str:
    """The words without gaps: "Blue Sky" and "Bluesky" are one."""
    return "".join(tokens)


def word_set(text: str) -> frozenset[str]:
    """The words of a written list, as they stand."""
    return frozenset(text.split())


_SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("sch", "s"), ("ch", "k"), ("sh", "s"), ("th", "t"), ("dt", "t"),
    ("qu", "k"), ("ae", "a"), ("oe", "o"), ("ue", "u"), ("wh", "w"), ("wr", "r"), ("kn", "n"),
)  # fmt: skip
_SAME = str.maketrans("czqvyj", "sskfii")


@lru_cache(maxsize=1 << 13)
def sound(word: str) -> str:
    """A word by its first letter and consonants, so that spellings of one sound fall together.

    Simple on purpose, for European names: "Meyer", "Maier" and "Mayr" are "mr".
    """
    for pair, one in _SOUNDS:
        word = word.replace(pair, one)
    word = word.translate(_SAME)
    kept = word[:1]
    for letter in word[1:]:
        if letter not in "aeiouhw" and letter != kept[-1]:
            kept += letter
    return kept


def likeness(one: str, other: str) -> float:
    """Jaro-Winkler likeness, 0 to 1; its matching depends on the order of the two, so that one
    order is kept."""
    return JaroWinkler.similarity(*sorted((one, other)))

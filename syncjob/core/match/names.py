"""Names of companies and persons, taken apart: what identifies, what is form or ornament."""

from __future__ import annotations

import re
from typing import NamedTuple

from .normalise import fold, words
from .vocabulary import ABBREVIATIONS, FORM_PHRASES, FORMS, NICKNAMES, PARTICLES, TITLES

_BRACKETS = re.compile(r"\(([^)]*)\)")
#: "trading as": what stands behind is the name that customers know.
_TRADING_AS = re.compile(r"\b(?:t/a|d/b/a|dba|trading as|doing business as|aka|a\.k\.a\.)\b")


class CompanyName(NamedTuple):
    """The identifying words of a company's name in order, and its legal form ("" if none)."""

    tokens: tuple[str, ...]
    form: str


class PersonName(NamedTuple):
    """First names and family names of a person, folded."""

    first: tuple[str, ...]
    last: tuple[str, ...]


def company(text: str | None) -> CompanyName:
    """The name without its legal form, abbreviations written out: "Müller & Söhne GmbH & Co. KG"
    is ("muller", "sohne") with the form "gmbh co kg"."""
    tokens = words(_TRADING_AS.sub(" ", fold(text)))
    tokens = _joined_letters(tokens)
    kept, form = _without_form(tokens)
    kept = [ABBREVIATIONS.get(token, token) for token in kept if token not in PARTICLES]
    return CompanyName(tuple(kept or tokens), form)


def _joined_letters(tokens: list[str]) -> list[str]:
    """Single letters in a row are one word: "I B M" is "ibm", "s a r l" is "sarl"."""
    joined: list[str] = []
    run = ""
    for token in [*tokens, ""]:
        if len(token) == 1 and token.isalpha():
            run += token
            continue
        if run:
            joined.append(run)
            run = ""
        if token:
            joined.append(token)
    return joined


def _without_form(tokens: list[str]) -> tuple[list[str], str]:
    """Legal forms at the end (and a few at the beginning: "ООО", "PT") are taken off."""
    end, forms = len(tokens), []
    while end > 1:
        phrase = _phrase_at(tokens, end)
        if not phrase:
            break
        forms.append(FORMS.get(" ".join(tokens[end - phrase : end])) or "")
        end -= phrase
    kept = tokens[:end]
    if not forms and len(kept) > 1 and kept[0] in ("ooo", "oao", "zao", "pao", "pt", "sc", "ip"):
        return kept[1:], kept[0]
    return kept, " ".join(form for form in reversed(forms) if form)


def _phrase_at(tokens: list[str], end: int) -> int:
    """How many words before `end` are one legal form; never the whole name."""
    for length in range(min(FORM_PHRASES, end - 1), 0, -1):
        if " ".join(tokens[end - length : end]) in FORMS:
            return length
    return 0


def person(name: str | None, first: str | None, last: str | None) -> PersonName:
    """First and family names; a single text "Last, First" or "First Middle Last" is parted."""
    if first or last:
        return PersonName(_given(first), _given(last))
    text = fold(name)
    before, comma, behind = text.partition(",")
    if comma and _given(behind):
        return PersonName(_given(behind), _given(before))
    tokens = _given(text)
    cut = len(tokens) - 1
    while cut > 1 and tokens[cut - 1] in ("van", "von", "de", "der", "den", "di", "da", "la", "le"):
        cut -= 1
    return PersonName(tokens[:cut], tokens[cut:]) if len(tokens) > 1 else PersonName((), tokens)


#: What tells a son from his father, at the end of a name.
_GENERATIONS = {
    **dict.fromkeys(("sr", "senior"), "1"), **dict.fromkeys(("jr", "junior", "ii"), "2"),
    "iii": "3", "iv": "4",
}  # fmt: skip


def generation(*texts: str | None) -> str:
    """ "2" for "John Smith Jr.", "1" for the senior; "" where no name says."""
    ends = (parts[-1] for parts in map(words, texts) if len(parts) > 1)
    return next((_GENERATIONS[end] for end in ends if end in _GENERATIONS), "")


def _given(text: str | None) -> tuple[str, ...]:
    return tuple(token for token in words(_BRACKETS.sub(" ", text or "")) if token not in TITLES)


def is_nickname(one: str, other: str) -> bool:
    """Two forms of one first name: "bill" and "william"."""
    return bool(NICKNAMES.get(one, frozenset()) & NICKNAMES.get(other, frozenset()))

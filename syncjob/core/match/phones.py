"""Telephone numbers: which two texts are one number.

With a country code or a known country a number is compared in the form of E.164; without, by its
national digits, and two numbers of different length by the shorter one's digits at the end.
"""

from __future__ import annotations

import re

import phonenumbers

from .normalise import fold

#: Fewer digits are an extension or a fragment.
DIGITS_MIN = 6
#: Numbers without an area code (7 digits in North America) still say something.
SUFFIX = 7
_WHOLE = phonenumbers.ValidationResult.IS_POSSIBLE
_EXTENSION = re.compile(r"(?:\b(?:ext|extn|extension|x|durchwahl|poste|int)\b|#)[.: ]*\d+\s*$")
_DIGITS = re.compile(r"\d+")


def canonical(text: str, country: str | None) -> str:
    """The number as "+442079460000", or its bare digits where no country tells its form; or ""."""
    folded = _EXTENSION.sub("", fold(text)).strip()
    bare = "".join(_DIGITS.findall(folded))
    if len(bare) < DIGITS_MIN or len(set(bare)) == 1:
        return ""
    international = folded.lstrip("(").startswith(("+", "00"))
    if international or country:
        with_plus = "+" + bare.lstrip("0") if international else folded
        try:
            number = phonenumbers.parse(with_plus, None if international else country)
        except phonenumbers.NumberParseException:
            return bare.lstrip("0")
        # A number that can only be dialled inside its own area has no international form.
        if phonenumbers.is_possible_number_with_reason(number) == _WHOLE:
            return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    return bare.lstrip("0")


def tail(number: str) -> str:
    """The digits at the end by which numbers with and without codes are brought together."""
    return number.lstrip("+")[-SUFFIX:]


def same(one: str, other: str) -> bool:
    """One number? Two full ones must be equal; else the shorter must end the longer."""
    if one == other:
        return True
    if one[0] == "+" and other[0] == "+":
        return False
    short, long = sorted((one.lstrip("+"), other.lstrip("+")), key=len)
    return len(short) >= DIGITS_MIN and long.endswith(short)

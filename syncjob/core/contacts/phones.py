"""A phone number in the one form in which two can be compared: E.164.

The tables of numbers are loaded by the first number: most commands never see one.
"""

from __future__ import annotations

from functools import lru_cache

#: The same few thousand numbers are compared again and again.
NUMBERS_KEPT = 4_096


@lru_cache(maxsize=NUMBERS_KEPT)
def e164(typed: str, country: str | None = None) -> str | None:
    """ "+442079460123" for "020 7946 0123" in "GB"; with an extension ";ext=7" at its end.

    None for what is no possible number, and for a national one where no country is known.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{text};ext={number.extension}" if number.extension else text

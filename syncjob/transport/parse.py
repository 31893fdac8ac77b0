"""JSON bodies read exactly: fractions become Decimal, anything that is not JSON is drift.

What JSON can spell and no vendor means (NaN, 1e999, half of an emoji) is made harmless here: such
a number is a float, which every reader refuses as that record's own drift; such a half character
becomes the replacement character, since no store and no vendor takes it.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from syncjob.errors import SchemaDrift

if TYPE_CHECKING:
    from syncjob.transport.wire import Answer

EXCERPT_CHARACTERS = 200
#: How much of a body is looked at: a page's head, with styles and scripts, comes before its words.
EXCERPT_BYTES_MAX = 16_384
#: The first words are most often within so many.
_EXCERPT_BYTES_MOST = 1_024
#: Of a whole number; Python itself takes no more than 4,300.
DIGITS_MAX = 1_000
#: Half of a character: programs that cut texts at a length leave it behind.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)


def parse_json(answer: Answer) -> Any:
    """The body as JSON; SchemaDrift, with the first words of the body, if it is none."""
    try:
        value = _loaded(answer.body)
        return _mended(value) if _HALF.search(answer.body) else value
    except (ValueError, RecursionError):  # brackets within brackets by the thousand are none, too
        raise SchemaDrift(
            f"The answer ({answer.status}) is not JSON: {excerpt(answer.body)!r}.",
            where=answer.url,
            next_step="If a proxy or firewall stands between, look there; else wait and retry.",
        ) from None


def _loaded(body: bytes) -> Any:
    """The quick reader is the stricter one: what it refuses is read again, slowly."""
    try:
        return _quick(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _patiently(body)


def _patiently(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=_exact)
    except ValueError:  # perhaps only for a number of thousands of digits: that record's own drift
        return json.loads(body, parse_float=_exact, parse_int=_whole)


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= DIGITS_MAX else math.copysign(math.inf, float(text))


def _exact(text: str) -> Decimal | float:
    """The number with all its digits; what no double holds becomes a float (infinite or zero)."""
    if "e" not in text and "E" not in text:
        return Decimal(text)
    near, mantissa = float(text), text.lower().partition("e")[0]
    if math.isinf(near) or (near == 0 and mantissa.strip("-0.")):
        return near
    return Decimal(text) if near else Decimal(mantissa)  # which takes no exponent of 20 digits


#: Gives what `json` gives for all that it takes; tests/transport/test_parse.py compares them.
_quick = msgspec.json.Decoder(float_hook=_exact).decode


def _mended(value: Any) -> Any:
    """The same value without lone halves of characters in its texts."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


def excerpt(body: bytes) -> str:
    """The first words of a body, on one line, for messages and the journal; a page's own words
    without its markup."""
    words = _words(body[:_EXCERPT_BYTES_MOST])
    if len(words) <= EXCERPT_CHARACTERS or words.startswith("<"):
        text = body[:EXCERPT_BYTES_MAX].decode("utf-8", "replace")
        markup = text.lstrip().startswith("<")
        words = " ".join((_MARKUP.sub(" ", text) if markup else text).split())
    return words[:EXCERPT_CHARACTERS]


def _words(body: bytes) -> str:
    return " ".join(body.decode("utf-8", "replace").split())

"""What may stand on a screen or a page: text that steers nothing."""

from __future__ import annotations

import json
import re

#: What moves a terminal's cursor, sets its title, or turns the order of what follows: C0 and C1
#: controls but for line feed and tab, the marks that override direction, other ends of a line.
_HOSTILE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BEYOND_ASCII = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\U0010ffff]")


def printable(text: str) -> str:
    """Text as it may stand on a screen or a page: nothing in it steers what shows it. Joiners, and
    the marks that Arabic and Hebrew are written with, stay."""
    return _HOSTILE.sub("", text)


def json_printable(text: str, *, ascii_only: bool = False) -> str:
    """JSON as it may stand on a screen, with the same meaning: what steers a screen is escaped;
    with `ascii_only` whatever a terminal that is not UTF-8 may lack, too."""
    shape = _BEYOND_ASCII if ascii_only else _HOSTILE
    return shape.sub(lambda found: json.dumps(found[0])[1:-1], text)

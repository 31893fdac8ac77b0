"""What of a value may be logged: secrets are masked by key, by form, and by value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

MASK = "***"
#: Shorter values would blank harmless words.
MASK_LENGTH_MIN = 6

_SECRET_KEY = re.compile(
    r"token$|secret|password|passphrase|authorization|api_?key|code_verifier|credential|cookie",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_IN_QUERY = re.compile(
    r"\b((?:access_|refresh_|api_|id_)?token|client_secret|password|code|code_verifier)=[^&\s\"']+",
    re.IGNORECASE,
)


class Redactor:
    """Masks secrets by key, by form, and by value; new values may be added as tokens arrive."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: tuple[str, ...] = ()
        self.add(*values)

    def add(self, *values: str) -> None:
        """Mask these values wherever they appear from now on; very short ones are ignored."""
        long = [value for value in values if len(value) >= MASK_LENGTH_MIN]
        known = {*self._values, *(form for value in long for form in _forms(value))}
        self._values = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {
            key: value if type(value) is int  # numbers hide nothing
            else self.text(value) if type(value) is str and not _is_secret(key)
            else self.clean(value, key)
            for key, value in event.items()
        }  # fmt: skip

    def clean(self, value: Any, key: str = "") -> Any:
        """The value as it may be logged; containers are cleaned all the way down."""
        if isinstance(value, dict):
            return {k: self.clean(v, str(k)) for k, v in value.items()}
        if value is not None and not isinstance(value, bool | int) and _is_secret(key):
            return MASK
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item) for item in value]
        if isinstance(value, BaseException):
            return self.text(str(value))
        if type(value).__name__.startswith("Secret"):
            return MASK
        return value

    def text(self, text: str) -> str:
        """The text without known values, bearer tokens and secrets in a query."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        if not text.isalnum() and len(text.split(None, 1)) > 1:  # a form of two words
            text = _BEARER.sub(rf"\1 {MASK}", text)
        return _IN_QUERY.sub(rf"\1={MASK}", text) if "=" in text else text


def _forms(value: str) -> set[str]:
    """The value as it stands, and as JSON, an address, a form and Python's own print write it: one
    form for most, since a token has plain letters alone."""
    found = {value, repr(value)[1:-1]}
    found |= {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    for write, safe in ((quote, "/"), (quote, ""), (quote_plus, "")):
        found.add(write(value, safe=safe, errors="surrogatepass"))
    return found


@cache
def _is_secret(key: str) -> bool:
    """Whether what bears this name is a secret; the names are the program's own."""
    return _SECRET_KEY.search(key) is not None

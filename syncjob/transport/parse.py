"""JSON bodies read exactly: fractions become Decimal, anything that is not JSON is drift."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncjob.errors import SchemaDrift

if TYPE_CHECKING:
    from syncjob.transport.wire import Answer

EXCERPT_CHARACTERS = 200
#: How much of a body is looked at: a page's head, with styles and scripts, comes before its words.
EXCERPT_BYTES_MAX = 16_384
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE)


def parse_json(answer: Answer) -> Any:
    """The body as JSON; SchemaDrift, with the first words of the body, if it is none."""
    try:
        return json.loads(answer.body, parse_float=Decimal)
    except ValueError:
        raise SchemaDrift(
            f"The answer ({answer.status}) is not JSON: {excerpt(answer.body)!r}.",
            where=answer.url,
            next_step="If a proxy or firewall stands between, look there; else wait and retry.",
        ) from None


def excerpt(body: bytes) -> str:
    """The first words of a body, on one line, for messages and the journal; a page's own words
    without its markup."""
    text = body[:EXCERPT_BYTES_MAX].decode("utf-8", "replace")
    if text.lstrip().startswith("<"):
        text = _MARKUP.sub(" ", text)
    return " ".join(text.split())[:EXCERPT_CHARACTERS]

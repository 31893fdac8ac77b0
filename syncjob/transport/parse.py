"""JSON bodies read exactly: fractions become Decimal, anything that is not JSON is drift."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncjob.errors import SchemaDrift

if TYPE_CHECKING:
    from syncjob.transport.wire import Answer

EXCERPT_CHARACTERS = 200


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
    """The first words of a body, on one line, for messages and the journal."""
    text = body[: EXCERPT_CHARACTERS * 4].decode("utf-8", "replace")
    return " ".join(text.split())[:EXCERPT_CHARACTERS]

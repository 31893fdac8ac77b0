"""The words that rules share: how a record is named to a person, and what text a ledger takes."""

from __future__ import annotations

import re
from functools import lru_cache

from syncjob.core.records import Deal, Line

#: C0 controls and DEL, except the line feed, and what is no character: pasted text is full of them
#: and Xero's XML store takes none. Held would be too much for a stray tab; emoji and accents pass.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: So much of a name is enough to find it by, and leaves the message readable.
QUOTE_LENGTH_MAX = 60
#: Product names repeat from line to line; texts are looked at several times in a batch.
TEXTS_KEPT = 4096


@lru_cache(maxsize=TEXTS_KEPT)
def clean(text: str | None) -> str:
    """Text without control characters: CRLF becomes LF, a tab a space, the rest goes."""
    if not text:
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return _CONTROL.sub("", text).strip()


def one_line(text: str | None) -> str:
    """Text with every run of white space, line feeds included, made one space."""
    if text and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # nearly all texts: of white space they hold single spaces alone
    return " ".join(clean(text).split())


def short(text: str) -> str:
    """A text of the CRM as a message quotes it: one that runs on is cut, visibly."""
    return text if len(text) <= QUOTE_LENGTH_MAX else text[: QUOTE_LENGTH_MAX - 3] + "..."


def subject_of(deal: Deal) -> str:
    """How actions and issues name a deal: "deal:1042"."""
    return f"deal:{deal.id}"


def line_label(line: Line) -> str:
    """How a message names a product row: by its name, else by its id in the CRM."""
    name = short(one_line(line.name))
    return f'line "{name}"' if name else f"line {line.id}"

"""What the match takes and gives: parties of two sides, and pairs with a score and its reasons."""

from __future__ import annotations

from typing import Literal

import msgspec

#: What a party is: "contact" says neither (Xero has one kind of contact).
PartyKind = Literal["organization", "person", "contact"]

#: A certain pair may be linked without a person; a near one must be looked at.
Band = Literal["certain", "near"]


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A customer of either side as the match sees it; every value as a person typed it.

    `name` is the entity's own name; `first_name` and `last_name` are its main person (or itself,
    for a lone person). `lines` is the street address. `more` holds other identifying texts, each
    "label: value" ("birth date: 1978-04-11"): values are compared under the same label only.
    """

    id: str
    kind: PartyKind = "contact"
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    tax_number: str | None = None
    url: str | None = None
    more: tuple[str, ...] = ()


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two parties (by id) that are, or may be, one.

    `score` is the probability (0 to 1) that the model gives; `agrees` and `differs` say in words
    what speaks for and against; `because` says why the pair stands in its band.
    """

    left: str
    right: str
    score: float
    band: Band
    agrees: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    because: str = ""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled before: pairs of (left id, right id) that are linked, or that a person
    called not the same. `apart` may also name two ids of one side, in either order."""

    links: frozenset[tuple[str, str]] = frozenset()
    apart: frozenset[tuple[str, str]] = frozenset()


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: certain links (one to one), near pairs for a person, doubles inside each side.

    Each tuple is in the order of falling score. `skipped` says in words which signs were too
    common to compare everything that shares them.
    """

    pairs: tuple[Pair, ...] = ()
    near: tuple[Pair, ...] = ()
    left_doubles: tuple[Pair, ...] = ()
    right_doubles: tuple[Pair, ...] = ()
    skipped: tuple[str, ...] = ()

"""What belongs to what: line items, companies and contacts of deals, a thousand deals a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from syncjob.connectors.hubspot.client import Client, Refused, rows
from syncjob.connectors.hubspot.codec import drift
from syncjob.connectors.hubspot.fields import Item
from syncjob.errors import SchemaDrift

#: The most records that one call takes (facts: hubspot, 5b).
INPUTS_MAX = 1_000
#: More pages of one record's associations than this is a server that repeats itself.
_PAGES_MAX = 200
#: A deal's primary company, and the plain tie to a company (facts: hubspot, 5d).
PRIMARY_COMPANY = 5


class Tie(NamedTuple):
    """The other record, and the numbers of the types by which it is tied."""

    other: str
    types: frozenset[int]


def read(client: Client, kind: str, to: str, ids: Sequence[str]) -> dict[str, list[Tie]]:
    """The ties of these records; one that has none is left out. Raises SchemaDrift.

    A record that is named twice, by one page or by two, is tied once: nothing is billed twice.
    """
    found: dict[str, dict[str, Tie]] = {}
    asked: list[Item] = [{"id": one} for one in dict.fromkeys(ids)]
    for _ in range(_PAGES_MAX + len(asked) // INPUTS_MAX):
        if not asked:
            return {one: list(ties.values()) for one, ties in found.items()}
        part, asked = asked[:INPUTS_MAX], asked[INPUTS_MAX:]
        for row in rows(_ask(client, kind, to, part)):
            one = _from(row)
            ties = found.setdefault(one, {})
            for tie in _ties(row):
                known = ties.get(tie.other, tie)
                ties[tie.other] = Tie(tie.other, tie.types | known.types)
            following = _after(row)
            if following:
                asked.append({"id": one, "after": following})
    raise SchemaDrift(f"HubSpot's list of the {to} of {kind} does not end.")


def _ask(client: Client, kind: str, to: str, inputs: list[Item]) -> Item:
    """An answer in which nothing was found at all may be a 404 with `errors`: it is no result."""
    try:
        return client.ask("associations", f"{kind}/{to}/batch/read", {"inputs": inputs})
    except Refused as error:
        if error.status != 404:
            raise
        return {"results": []}


def _from(row: Item) -> str:
    end = row.get("from")
    found = end.get("id") if isinstance(end, dict) else None
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise drift("from.id", found, "an id")
    return str(found)


def _ties(row: Item) -> Iterable[Tie]:
    listed = row.get("to")
    if not isinstance(listed, list):
        raise drift("to", listed, "a list")
    for one in listed:
        other = one.get("toObjectId") if isinstance(one, dict) else None
        if not isinstance(other, str | int) or isinstance(other, bool):
            raise drift("to.toObjectId", other, "an id")
        kinds = one.get("associationTypes")
        types = kinds if isinstance(kinds, list) else []
        numbers = (t.get("typeId") for t in types if isinstance(t, dict))
        yield Tie(str(other), frozenset(n for n in numbers if isinstance(n, int)))


def _after(row: Item) -> str | None:
    paging = row.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    place = following.get("after") if isinstance(following, dict) else None
    return str(place) if place else None


def one_company(ties: Sequence[Tie]) -> str | None:
    """The primary company; without one the only one; of several nobody can say which is meant,
    so the first by its number stands, the same each time."""
    primary = [tie.other for tie in ties if PRIMARY_COMPANY in tie.types]
    return next(iter(primary or sorted((t.other for t in ties), key=_number)), None)


def first_contact(ties: Sequence[Tie]) -> str | None:
    """The deal's contact that was made first, the same each time."""
    return next(iter(sorted((tie.other for tie in ties), key=_number)), None)


def _number(text: str) -> tuple[int, str]:
    return (len(text), text)

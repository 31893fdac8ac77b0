"""What belongs to what: line items, companies and contacts of deals, a thousand deals a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from syncjob.connectors.hubspot import batches
from syncjob.connectors.hubspot.client import Client, rows
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


class Known(NamedTuple):
    """The ties of records, and the records of which HubSpot could not say them, with its words."""

    ties: dict[str, list[Tie]]
    unread: dict[str, str]


def read(client: Client, kind: str, to: str, ids: Sequence[str]) -> dict[str, list[Tie]]:
    """The ties of these records; one that has none is left out. Raises SchemaDrift, also if those
    of one record cannot be read: no answer is not "none"."""
    ties, unread = known(client, kind, to, ids)
    batches.require(f"the {to} of {kind}", unread)
    return ties


def known(client: Client, kind: str, to: str, ids: Sequence[str]) -> Known:
    """The ties of these records, as far as they can be read; what cannot is asked for twice.

    A record that is named twice, by one page or by two, is tied once: nothing is billed twice.
    Raises SchemaDrift if of several none can be read.
    """
    found: dict[str, dict[str, Tie]] = {}
    unread: dict[str, str] = {}
    tried: set[str] = set()
    asked: list[Item] = [{"id": one} for one in dict.fromkeys(ids)]
    several = [item["id"] for item in asked]
    for _ in range(_PAGES_MAX + len(asked) // INPUTS_MAX):
        if not asked:
            batches.require_some(f"the {to} of {kind}", several, unread)
            made = {one: list(ties.values()) for one, ties in found.items() if one not in unread}
            return Known(made, unread)
        part, asked = asked[:INPUTS_MAX], asked[INPUTS_MAX:]
        answer = batches.ask(
            client.ask, "associations", f"{kind}/{to}/batch/read", {"inputs": part}
        )
        shown = [(_from(row), row) for row in rows(answer)]
        silent = batches.unsaid(answer, [item["id"] for item in part], [one for one, _ in shown])
        unread |= {one: words for one, words in silent.items() if one in tried}
        asked += [item for item in part if item["id"] in silent.keys() - tried]
        tried |= silent.keys()
        for one, row in shown:
            if one in silent:
                continue
            _add(found.setdefault(one, {}), row)
            following = _after(row)
            if following:
                asked.append({"id": one, "after": following})
    raise SchemaDrift(f"HubSpot's list of the {to} of {kind} does not end.")


def _add(ties: dict[str, Tie], row: Item) -> None:
    for tie in _ties(row):
        known = ties.get(tie.other, tie)
        ties[tie.other] = Tie(tie.other, tie.types | known.types)


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

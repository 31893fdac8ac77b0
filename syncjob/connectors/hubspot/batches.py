"""Reads of many records in one call: what is there, what is not, and what HubSpot could not say.

What has no result is named in `errors`, whatever the status (facts: hubspot, 5d). Only an error
that says "there is none" makes nothing of an input; any other leaves it unread, and what is unread
is never taken for absent: its deal would be billed to somebody else, or without its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from syncjob.connectors.hubspot import refusals
from syncjob.connectors.hubspot.client import Client, Refused, rows
from syncjob.connectors.hubspot.codec import drift, number_of
from syncjob.connectors.hubspot.fields import Item
from syncjob.errors import SchemaDrift

#: Ask with a POST that reads: (area such as "objects", path below it, body) -> the answer's body.
Ask = Callable[[str, str, Item], Item]

#: The most ids of a read by id (facts: hubspot, 5d).
IDS_MAX = 100
#: The ends of the categories by which an error says that there is none.
_ABSENT = frozenset({"OBJECT_NOT_FOUND", "NO_ASSOCIATIONS_FOUND"})


class Found(NamedTuple):
    """Records by their own ids, and the ids of which HubSpot said nothing, each with its words."""

    items: dict[str, Item]
    unread: dict[str, str]


def by_ids(
    client: Client, objects: str, ids: Iterable[str], wanted: Sequence[str], *, archived: bool
) -> Found:
    """These records, in bulk; one that is not there is in neither part. What is unread is asked
    for a second time: that may have been a moment's trouble. Raises SchemaDrift."""
    where = f"{objects}/batch/read" + ("?archived=true" if archived else "")
    made = Found({}, {})
    for chunk in chunks(dict.fromkeys(ids), IDS_MAX):
        items, unread = _once(client, where, chunk, wanted)
        made.items.update(items)
        if unread:
            items, unread = _once(client, where, list(unread), wanted)
            made.items.update(items)
            made.unread.update(unread)
    return made


def _once(client: Client, where: str, ids: Sequence[str], wanted: Sequence[str]) -> Found:
    body = {"inputs": [{"id": one} for one in ids], "properties": list(wanted)}
    answer = ask(client.ask, "objects", where, body)
    items = {number_of(row): row for row in rows(answer)}
    return Found(items, unsaid(answer, ids, items))


def ask(put: Ask, area: str, where: str, body: Item) -> Item:
    """The answer to a read of many. One in which nothing was found at all may be a 404 whose body
    says so: it has no results. Raises Refused for any other."""
    try:
        return put(area, where, body)
    except Refused as error:
        listed = error.body.get("errors") if isinstance(error.body, dict) else None
        said = listed if isinstance(listed, list) and listed else [error.body]
        if error.status != 404 or not all(map(_says_none, said)):
            raise
        return {"results": []}


def unsaid(answer: Item, ids: Sequence[str], told: Collection[str]) -> dict[str, str]:
    """Which of these inputs are unread, each with HubSpot's words; `told` are those with a result.

    An error that names none of them may be about any without one. Raises SchemaDrift.
    """
    listed = answer.get("errors")
    if listed is not None and not isinstance(listed, list):
        raise drift("errors", listed, "a list")
    unread: dict[str, str] = {}
    absent: set[str] = set()
    vague = ""
    for error in listed or ():
        if not isinstance(error, dict):
            raise drift("errors", error, "a list of objects")
        named = refusals.by_key([error], ids)
        words = refusals.read(error, 400).words.rstrip(".")
        if _says_none(error):
            absent.update(named)
        elif named:
            unread.update(dict.fromkeys(named, words))
        else:
            vague = words
    rest = [one for one in ids if one not in told and one not in absent] if vague else []
    return dict.fromkeys(rest, vague) | unread


def _says_none(error: Any) -> bool:
    codes = [error.get("category"), error.get("subCategory")] if isinstance(error, dict) else []
    return any(str(code).rpartition(".")[2] in _ABSENT for code in codes)


def require(what: str, unread: Mapping[str, str]) -> None:
    """Raises SchemaDrift if anything of an answer is unread."""
    if unread:
        one, words = next(iter(unread.items()))
        raise SchemaDrift(unread_words(f"{what} {one}", words), next_step="It is read again later.")


def require_some(what: str, ids: Sequence[str], unread: Mapping[str, str]) -> None:
    """Raises SchemaDrift if nothing of several is read: then the answer is at fault."""
    if len(unread) == len(ids) > 1:
        require(what, unread)


def unread_words(what: str, words: str) -> str:
    """What a person is told of one that is unread."""
    return f"HubSpot could not show {what}: {words}."


def chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The ids in lists of at most `size`."""
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk

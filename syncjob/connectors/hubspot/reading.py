"""What is read of HubSpot: walks over deals and contacts, deals with all that belongs to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import msgspec

from syncjob.connectors.base import Page, Walk
from syncjob.connectors.hubspot import associations, batches, codec, contacts, lines, searching
from syncjob.connectors.hubspot.client import Client, Hidden, Refused
from syncjob.connectors.hubspot.fields import Item, moment_of
from syncjob.connectors.hubspot.names import Names
from syncjob.core.records import Contact, Deal, Line
from syncjob.errors import CursorTooOld, SchemaDrift

T = TypeVar("T")

#: Search pages that are told whose they are in one call: associations take a thousand records.
PAGES_TOGETHER = associations.INPUTS_MAX // searching.PAGE_MAX
#: Ids of which neither a batch nor the recycle bin knows are asked for singly: a merged record's
#: old id may lead on there alone (facts: hubspot, 5e).
SINGLE_MAX = 25

#: Our streams as HubSpot's objects, and how their ids begin with us.
OBJECTS = {
    "deals": ("deals", ""), "deleted_deals": ("deals", ""), "touched_deals": ("line_items", ""),
    "organizations": ("companies", "org:"), "persons": ("contacts", "person:"),
}  # fmt: skip
_KINDS = {"organizations": "organization", "persons": "person"}
#: (prefix of our ids, objects, kind): both kinds of contact.
_CONTACTS = (("org:", "companies", "organization"), ("person:", "contacts", "person"))

Pages = Iterator[tuple[list[Item], str | None]]


class Reader:
    """Reads for one connector."""

    def __init__(self, client: Client, *, amount_is_sum: bool) -> None:
        self._client, self._amount_is_sum = client, amount_is_sum
        self._rates: Mapping[str, Decimal] = {}

    def use_rates(self, rates: Mapping[str, Decimal]) -> None:
        """The account's tax rates: group id -> percentage."""
        self._rates = rates

    # --- walks ----------------------------------------------------------------------------------

    def walk(self, stream: str, walk: Walk, names: Names) -> Iterator[Page]:
        """Records by id, which never moves. `position` is, as JSON, the id or the place in the
        list up to which they were read."""
        place = _place(walk)
        started = walk.started if place else None
        whole = self._shown_whole(stream, walk.since, names)
        for found, following in self._pages(stream, walk.since, place, names):
            started = started or self._client.server_time()
            position = None if following is None else json.dumps({"after": following})
            found, unread = (found, {}) if whole else self._filled(stream, found, names)
            page = self._page(stream, found, walk.since, names)
            bad = (*page.drift, *_told("it", unread, OBJECTS[stream][1]))
            yield msgspec.structs.replace(page, position=position, started=started, drift=bad)

    def _shown_whole(self, stream: str, since: datetime | None, names: Names) -> bool:
        """Whether a page of this walk shows all that is wanted; a search takes only so many
        properties."""
        listed = since is None or stream in ("deleted_deals", "touched_deals")
        return listed or searching.fits(OBJECTS[stream][0], self._wanted(stream, names))

    def _pages(self, stream: str, since: datetime | None, place: str | None, names: Names) -> Pages:
        objects, _ = OBJECTS[stream]
        if stream == "deleted_deals":
            wanted = self._wanted("deals", names)
            return _guarded(
                searching.listed(self._client, objects, place, wanted, archived=True), place
            )
        if stream == "touched_deals":
            begin = since or self._client.server_time()
            found = searching.pages(self._client, objects, begin, place or "0", ("hs_object_id",))
            return _together(found, PAGES_TOGETHER)
        wanted = self._wanted(stream, names)
        if since is None:
            return _guarded(
                searching.listed(self._client, objects, place, wanted, archived=False), place
            )
        asked = wanted if self._shown_whole(stream, since, names) else ("hs_object_id",)
        found = searching.pages(self._client, objects, since, place or "0", asked)
        return _together(found, PAGES_TOGETHER) if stream == "deals" else found

    def _filled(
        self, stream: str, found: list[Item], names: Names
    ) -> tuple[list[Item], dict[str, str]]:
        """Where the properties are too many for a search, the records are read by their ids; with
        those that cannot be read, which the walk must not pass by unseen."""
        objects, wanted = OBJECTS[stream][0], self._wanted(stream, names)
        ids = [codec.number_of(row) for row in found]
        items, unread = batches.by_ids(self._client, objects, ids, wanted, archived=False)
        batches.require_some(f"the {objects}", ids, unread)
        return list(items.values()), unread

    def _wanted(self, stream: str, names: Names) -> tuple[str, ...]:
        if stream in _KINDS:
            return contacts.wanted(_KINDS[stream], names)
        own = (field.code for field in names.deal_fields.values())
        return tuple(dict.fromkeys((*codec.DEAL, *own)))

    def _page(self, stream: str, found: list[Item], since: datetime | None, names: Names) -> Page:
        started = self._client.server_time()
        if stream == "touched_deals":
            ids = [codec.number_of(row) for row in found]
            ties = associations.read(self._client, "line_items", "deals", ids) if ids else {}
            touched = dict.fromkeys(tie.other for some in ties.values() for tie in some)
            return Page(records=(), position=None, started=started, touched=tuple(touched))
        if stream == "deleted_deals" and since is not None:
            found = [row for row in found if _archived_since(row, since)]
        prefix = OBJECTS[stream][1]
        if stream in _KINDS:
            read = partial(contacts.to_contact, _KINDS[stream], names=names)
            good, bad = _sorted_out(found, prefix, read)
            return Page(records=tuple(good), position=None, started=started, drift=tuple(bad))
        deals, bad = _sorted_out(found, prefix, lambda row: self._deal(row, names))
        deals, unread = self._with_customers(deals)
        return Page(
            records=tuple(deals), position=None, started=started,
            drift=(*bad, *_told("its customer", unread, prefix)),
        )  # fmt: skip

    def _deal(self, row: Item, names: Names) -> Deal:
        return codec.to_deal(row, names, amount_is_sum=self._amount_is_sum)

    # --- deals ----------------------------------------------------------------------------------

    def deals(self, ids: Sequence[str], names: Names) -> list[Deal]:
        """These deals as they are now, deleted ones too, with all their details. An id that was
        merged away gives the deal that it became."""
        found = self._anywhere("deals", ids, self._wanted("deals", names))
        made = [self._deal(item, names) for item in found.values()]
        whole, unread = self._with_customers(made)
        batches.require("the customer of deal", unread)
        return self.details(whole)

    def _with_customers(self, deals: Sequence[Deal]) -> tuple[list[Deal], dict[str, str]]:
        """Won deals with their company and contact; nobody is billed for any other. One whose
        customer cannot be read is left out and named, with HubSpot's words."""
        won = [deal.id for deal in deals if deal.status == "won"]
        if not won:
            return list(deals), {}
        companies, no_company = associations.known(self._client, "deals", "companies", won)
        people, no_person = associations.known(self._client, "deals", "contacts", won)
        unread = no_person | no_company
        made = []
        for deal in deals:
            if deal.id in unread:
                continue
            if deal.status == "won":
                company = associations.one_company(companies.get(deal.id, ()))
                person = associations.first_contact(people.get(deal.id, ()))
                deal = msgspec.structs.replace(
                    deal,
                    org_id=f"org:{company}" if company else None,
                    person_id=f"person:{person}" if person else None,
                )
            made.append(deal)
        return made, unread

    def details(self, deals: Sequence[Deal]) -> list[Deal]:
        """The deals with their lines; HubSpot has neither discounts on the whole deal nor
        instalments of its own. Deleted ones have none to read."""
        wanted = [deal.id for deal in deals if deal.status != "deleted"]
        ties = associations.read(self._client, "deals", "line_items", wanted) if wanted else {}
        ids = [tie.other for some in ties.values() for tie in some]
        items, unread = batches.by_ids(self._client, "line_items", ids, lines.LINE, archived=False)
        batches.require("line item", unread)
        made = []
        for deal in deals:
            if deal.status != "deleted":
                own = [self._line(tie.other, items, deal) for tie in ties.get(deal.id, ())]
                own.sort(key=lambda line: (line.order, len(line.id), line.id))
                deal = msgspec.structs.replace(deal, lines=tuple(own), discounts=())
            made.append(deal)
        return made

    def _line(self, line_id: str, items: Mapping[str, Item], deal: Deal) -> Line:
        if line_id not in items:
            return lines.doubtful("HubSpot ties a line item to the deal and does not show it",
                                  line_id)  # fmt: skip
        return lines.to_line(items[line_id], deal.currency, self._rates)

    # --- contacts -------------------------------------------------------------------------------

    def contacts(self, ids: Sequence[str], names: Names) -> list[Contact]:
        """Companies ("org:12") and contacts ("person:7"), archived ones marked as such. An id that
        was merged away gives the record that it became."""
        found: dict[str, Contact] = {}
        for prefix, objects, kind in _CONTACTS:
            numbers = [i.removeprefix(prefix) for i in ids if i.startswith(prefix)]
            items = self._anywhere(objects, numbers, contacts.wanted(kind, names))
            made = (contacts.to_contact(kind, item, names) for item in items.values())
            found |= {contact.id: contact for contact in made}
        return list(found.values())

    def deleted(self, objects: str, wanted: Sequence[str]) -> Iterator[Item]:
        """What is in the recycling bin."""
        pages = searching.listed(self._client, objects, None, tuple(wanted), archived=True)
        for found, _ in pages:
            yield from found

    def properties_now(self, ids: Sequence[str], names: Names) -> dict[str, Item]:
        """The properties of these contacts as they now stand, by our ids."""
        found: dict[str, Item] = {}
        for prefix, objects, kind in _CONTACTS:
            numbers = [i.removeprefix(prefix) for i in ids if i.startswith(prefix)]
            wanted = contacts.wanted(kind, names)
            items, _ = batches.by_ids(self._client, objects, numbers, wanted, archived=False)
            found |= {f"{prefix}{i}": codec.properties_of(item) for i, item in items.items()}
        return found

    # --- by id ----------------------------------------------------------------------------------

    def _anywhere(self, objects: str, ids: Sequence[str], wanted: Sequence[str]) -> dict[str, Item]:
        """The records of these ids by their own id: live, archived, or what they became.

        Raises SchemaDrift for one of which HubSpot says nothing, neither in bulk nor singly.
        """
        numbers = list(dict.fromkeys(i for i in ids if i.isdecimal()))
        found, unread = batches.by_ids(self._client, objects, numbers, wanted, archived=False)
        known = {*found, *(old for item in found.values() for old in _merged(item))}
        left = [i for i in numbers if i not in known]
        bin = [i for i in left if i not in unread]
        if bin:
            dead, silent = batches.by_ids(self._client, objects, bin, wanted, archived=True)
            found |= dead
            unread |= silent
        left = [i for i in left if i not in found]
        left.sort(key=lambda i: i not in unread)
        for one in left[:SINGLE_MAX]:
            item = self._one(objects, one, wanted)
            if item is not None:
                found[codec.number_of(item)] = item
        batches.require(objects, {i: unread[i] for i in left[SINGLE_MAX:] if i in unread})
        return {i: found[i] for i in numbers if i in found} | found

    def _one(self, objects: str, one: str, wanted: Sequence[str]) -> Item | None:
        try:
            params = {"properties": ",".join(wanted)}
            return self._client.get("objects", f"{objects}/{one}", params)
        except Hidden:
            return None  # one record out of this key's sight must not stop all others
        except Refused as error:
            if error.status in (404, 410):
                return None
            raise


def _place(walk: Walk) -> str | None:
    if walk.position is None:
        return None
    try:
        place = json.loads(walk.position)["after"]
    except (ValueError, KeyError, TypeError):
        place = None
    if walk.started is None or not isinstance(place, str):
        raise CursorTooOld("The stored position of the walk over HubSpot cannot be read.")
    return place


def _guarded(pages: Pages, place: str | None) -> Pages:
    """Pages of a list; a stored place that is refused means: walk in full."""
    try:
        yield from pages
    except Refused as error:
        if place is None:
            raise
        raise CursorTooOld(
            f"HubSpot no longer takes the place in its list: {error.what}",
            next_step="The walk begins anew by itself.",
        ) from error


def _together(pages: Pages, count: int) -> Pages:
    """Several pages as one, so that what belongs to them is asked for once."""
    held: list[Item] = []
    for number, (found, following) in enumerate(pages, 1):
        held += found
        if number % count == 0 or following is None:
            yield held, following
            held = []


def _archived_since(row: Item, since: datetime) -> bool:
    """Whether it was put into the recycle bin since; if nobody knows when, it is read."""
    text = row.get("archivedAt")
    moment = moment_of(text) if isinstance(text, str) else None
    return moment is None or moment >= since


def _merged(item: Item) -> tuple[str, ...]:
    return codec.merged(codec.properties_of(item), codec.number_of(item))


def _told(what: str, unread: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """What is unread of a page, by our ids."""
    for one, words in unread.items():
        yield f"{prefix}{one}", batches.unread_words(what, words)


def _sorted_out(
    found: Iterable[Any], prefix: str, read: Callable[[Item], T]
) -> tuple[list[T], list[tuple[str, str]]]:
    """The records that can be read, and for each other one its id and what is wrong."""
    good: list[T] = []
    bad: list[tuple[str, str]] = []
    for row in found:
        try:
            good.append(read(row))
        except SchemaDrift as error:
            bad.append((f"{prefix}{row.get('id', '?')}", error.what))
    return good, bad

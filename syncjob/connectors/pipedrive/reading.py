"""What is read of Pipedrive: walks over deals, deals with all that belongs to them, contacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from syncjob.connectors.base import Page, Problem, Walk
from syncjob.connectors.pipedrive import fields, lines, values
from syncjob.connectors.pipedrive.client import PAGE_SIZE, Hidden, Refused, V2Client, objects
from syncjob.connectors.pipedrive.codec import Names, to_deal
from syncjob.connectors.pipedrive.contacts import to_organization, to_person
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.needs import Needs
from syncjob.core.records import Contact, Deal, Discount, Line
from syncjob.errors import CursorTooOld, SchemaDrift

T = TypeVar("T")

#: The most ids that `ids=` and `deal_ids=` take (facts: pipedrive, 1a and 1b).
IDS_MAX = 100
#: Without this list deleted deals would stay away (facts: pipedrive, 1d).
_EVERY_STATUS = "open,won,lost,deleted"
_EXTRAS = "products_count,first_won_time"


class Source(NamedTuple):
    """One list that is walked: where it is, what it is asked, what its rows are."""

    path: str
    read: Callable[[Any, Names], Deal | Contact]
    params: Mapping[str, Any]
    prefix: str  # of our ids


_DEALS: Item = {"status": _EVERY_STATUS, "include_fields": _EXTRAS}
SOURCES: dict[str, Source] = {
    "deals": Source("deals", to_deal, _DEALS, ""),
    "archived_deals": Source("deals/archived", to_deal, _DEALS, ""),
    "organizations": Source("organizations", to_organization, {}, "org:"),
    "persons": Source("persons", to_person, {}, "person:"),
}


#: Both kinds of contact: how our ids begin, where they are, how they are read.
CONTACTS: tuple[tuple[str, str, Callable[[Any, Names], Contact]], ...] = (
    ("org:", "organizations", to_organization),
    ("person:", "persons", to_person),
)


class Reader:
    """Reads for one connector; holds nothing but the product codes of the batch."""

    def __init__(self, client: V2Client, needs: Needs, *, instalments: bool) -> None:
        self._client, self._needs, self._instalments = client, needs, instalments
        self._products: dict[str, tuple[str | None, str | None]] = {}
        self._categories: dict[str, str] = {}

    def forget(self, categories: dict[str, str]) -> None:
        """A new batch: products are read again. `categories` maps their ids to names."""
        self._products.clear()
        self._categories = categories

    # --- walks -------------------------------------------------------------------------------

    def walk(self, stream: str, walk: Walk, names: Names) -> Iterator[Page]:
        """Records by id, which never moves; `position` is the vendor's cursor as JSON.

        Deleted deals come with their status; deleted organizations and persons are in no list
        (facts: pipedrive, 1d): only a read by their ids shows them, for 30 days.
        """
        source = SOURCES[stream]
        cursor = self._cursor(walk)
        started = walk.started if cursor else None
        params = {**_walk_params(walk), **source.params, "cursor": cursor}
        for rows, after in self._pages(partial(self._client.fetch, source.path), params):
            started = started or self._server_time()
            position = None if after is None else json.dumps({"cursor": after})
            good, bad = _sorted_out(rows, source, names)
            yield Page(records=good, position=position, started=started, drift=bad)

    def _pages(
        self, read: Callable[..., Any], params: dict[str, Any]
    ) -> Iterator[tuple[list[Any], str | None]]:
        """Pages of a walk; a cursor that is refused means: walk in full."""
        cursor = params["cursor"]
        given = {k: v for k, v in params.items() if v is not None}
        try:
            for rows, after in self._client.pages(read, given):
                yield rows, after
                cursor = after
        except Refused as error:
            if cursor is None:
                raise
            raise CursorTooOld(
                f"Pipedrive no longer takes the cursor of this walk: {error.what}",
                next_step="The walk begins anew by itself.",
            ) from error

    def _cursor(self, walk: Walk) -> str | None:
        if walk.position is None:
            return None
        try:
            cursor = json.loads(walk.position)["cursor"]
        except (ValueError, KeyError, TypeError):
            cursor = None
        if walk.started is None or not isinstance(cursor, str):
            raise CursorTooOld("The stored position of the walk over deals cannot be read.")
        return cursor

    def _server_time(self) -> datetime:
        answer = self._client.answer
        if answer is None or answer.server_time is None:
            raise SchemaDrift(
                "Pipedrive's answer bears no Date, so no cursor can be kept.",
                next_step="If a proxy stands between, let it pass the Date header.",
            )
        return answer.server_time

    # --- deals by id ---------------------------------------------------------------------------

    def deals(self, ids: Sequence[str], names: Names) -> list[Deal]:
        """These deals as they are now, archived and deleted ones too, with all their details."""
        params = {"status": _EVERY_STATUS, "include_fields": _EXTRAS}
        found = self._by_ids("deals", ids, params, {"include_fields": _EXTRAS})
        return self.details([to_deal(item, names) for item in found])

    def _by_ids(
        self, path: str, ids: Sequence[str], many: Item, one: Item | None = None
    ) -> list[Item]:
        """In bulk where there are several, then singly what lists leave out. What is gone (404)
        or out of the user's sight (403) is left out."""
        found: dict[str, Item] = {}
        for chunk in _chunks(dict.fromkeys(ids), IDS_MAX):
            if len(chunk) > 1:
                rows = self._client.rows(path, {**many, "ids": ",".join(chunk), "limit": IDS_MAX})
                found |= {values.needed_id(row): row for row in rows}
        for key in dict.fromkeys(ids):
            item = None if key in found else self._one(f"{path}/{key}", one)
            if item is not None:
                found[key] = item
        return [found[key] for key in dict.fromkeys(ids) if key in found]

    def _one(self, path: str, params: Item | None) -> Item | None:
        try:
            data = self._client.fetch(path, params).get("data")
        except Hidden:
            return None  # one record out of this user's sight must not stop all others
        except Refused as error:
            if error.status in (404, 410):
                return None
            raise
        if not isinstance(data, dict):
            raise values.drift("data", data, "the record")
        return data

    # --- what belongs to deals -----------------------------------------------------------------

    def details(self, deals: Sequence[Deal]) -> list[Deal]:
        """The deals with lines, discounts and instalments. Deleted ones have none to read."""
        wanted = [d for d in deals if d.status != "deleted" and d.line_count != 0]
        rows = self._of_deals("deals/products", [d.id for d in wanted], {"limit": PAGE_SIZE})
        plans = self._schedules([d.id for d in wanted])
        self._learn_products(rows)
        return [self._detailed(d, rows.get(d.id, []), plans.get(d.id, [])) for d in deals]

    def _schedules(self, ids: list[str]) -> dict[str, list[Item]]:
        if not self._instalments:
            return {}
        # The official client repeats deal_ids here instead of joining them (facts: pipedrive, 1b).
        return self._of_deals("deals/installments", ids, {"limit": PAGE_SIZE}, join=False)

    def _of_deals(
        self, path: str, ids: list[str], params: Item, join: bool = True
    ) -> dict[str, list[Item]]:
        found: dict[str, dict[str, Item]] = {}
        for chunk in _chunks(ids, IDS_MAX):
            wanted = {"deal_ids": ",".join(chunk) if join else chunk}
            for row in self._client.rows(path, {**params, **wanted}):
                deal = values.ident(row, "deal_id")
                if deal is None:
                    raise values.drift("deal_id", None, "an id")
                of_deal = found.setdefault(deal, {})
                # A page may repeat what another has shown; nothing is billed twice for that.
                of_deal[str(row.get("id") or f"unnamed {len(of_deal)}")] = row
        return {deal: list(rows.values()) for deal, rows in found.items()}

    def _detailed(self, deal: Deal, rows: list[Item], plan: list[Item]) -> Deal:
        if deal.status == "deleted":
            return deal
        made = [self._line(row, deal.currency) for row in rows if lines.enabled(row)]
        if not rows and deal.line_count:
            made = [lines.missing_line(deal.line_count)]
        discounts, doubts = self._discounts(deal, rows)
        instalments, more = _each(lines.to_instalment, plan)
        made.sort(key=lambda line: (line.order, line.id.zfill(12)))
        return msgspec.structs.replace(
            deal,
            lines=(*made, *map(lines.doubtful, (*doubts, *more))),
            discounts=discounts,
            instalments=instalments if self._instalments else None,
        )

    def _line(self, row: Item, currency: str) -> Line:
        line = lines.to_line(row, currency)
        sku, category = self._products.get(line.product_id or "", (None, None))
        if sku or category:
            line = msgspec.structs.replace(line, sku=sku, category=category)
        return line

    def _discounts(self, deal: Deal, rows: list[Item]) -> tuple[tuple[Discount, ...], list[str]]:
        """Discounts on the whole deal: ten tokens a deal, so only where its value shows some."""
        if not rows or (deal.value is not None and lines.wire_sum(rows) == deal.value):
            return (), []
        try:
            items = self._client.rows(f"deals/{deal.id}/discounts", {})
        except (SchemaDrift, Hidden) as error:  # this deal's own trouble: it is held, others go on
            return (), [f"its discounts cannot be read: {error.what.rstrip('.')}"]
        return _each(lines.to_discount, items)

    def _learn_products(self, rows: dict[str, list[Item]]) -> None:
        """Codes and categories of products, which rows do not hold; only where rules name them."""
        if not (self._needs.skus or self._needs.categories):
            return
        listed = (values.ident(r, "product_id") for one in rows.values() for r in one)
        ids = dict.fromkeys(i for i in listed if i and i not in self._products)
        for item in self._by_ids("products", list(ids), {}):
            # A category is written as a number and read as a text (the vendor's specification):
            # its name, or its id as text.
            said = item.get("category")
            category = str(said).strip() if said is not None else ""
            known = self._categories.get(category, category) or None
            self._products[values.needed_id(item)] = (values.text(item, "code"), known)

    def unknown_products(self) -> Iterator[Problem]:
        """Products and codes that rules name and no product has; the whole list is read, for
        `syncjob check` only."""
        named, codes = self._needs.products_named, self._needs.skus_named
        if not (named or codes):
            return
        rows = self._client.rows("products", {"limit": PAGE_SIZE})
        known = [(values.text(row, "name"), values.text(row, "code")) for row in rows]
        for kind, wanted, there in (
            ("product", named, [name for name, _ in known]),
            ("product with the code", codes, [code for _, code in known]),
        ):
            for pattern in wanted:
                fits = (fnmatchcase(n.casefold(), pattern.casefold()) for n in there if n)
                if not any(fits):
                    yield Problem(
                        where="invoices",
                        what=f'A rule names the {kind} "{pattern}", which is not in Pipedrive.',
                        fix="Use a name or code as it stands there.",
                    )

    # --- contacts ------------------------------------------------------------------------------

    def contacts(self, ids: Sequence[str], names: Names) -> list[Contact]:
        """Organizations ("org:12") and persons ("person:7"), deleted ones marked as such."""
        found: dict[str, Contact] = {}
        for prefix, path, read in CONTACTS:
            numbers = [i.removeprefix(prefix) for i in ids if i.startswith(prefix)]
            made = (read(item, names) for item in self._by_ids(path, numbers, {}))
            found |= {contact.id: contact for contact in made}
        return [found[i] for i in dict.fromkeys(ids) if i in found]

    def contact_item(self, contact_id: str) -> Item | None:
        """One organization or person as Pipedrive shows it now; None if it is gone or hidden."""
        path = next(p for prefix, p, _ in CONTACTS if contact_id.startswith(prefix))
        return self._one(f"{path}/{contact_id.rpartition(':')[2]}", None)

    def marked_contacts(
        self, markers: Sequence[str], since: datetime, names: Names
    ) -> dict[str, Contact]:
        """Contacts changed since that bear one of these markers in the field for it.

        A walk and not the search, whose index is later than the lists and which is no part of
        what Pipedrive promises to be complete. Deleted ones are in no list.
        """
        found: dict[str, Contact] = {}
        params = _walk_params(Walk(since=since))
        kinds = zip(CONTACTS, (names.organization_marker, names.person_marker), strict=True)
        for (_, path, read), marker in kinds:
            if marker is None:
                continue
            for rows, _ in self._client.pages(partial(self._client.fetch, path), params):
                for row in objects(rows):
                    if fields.read(marker, row) in markers:
                        contact = read(row, names)
                        found.setdefault(contact.marker or "", contact)
        return found


def _walk_params(walk: Walk) -> Item:
    params: Item = {"sort_by": "id", "limit": PAGE_SIZE}
    if walk.since is not None:
        # Whole seconds, rounded down: the filter is inclusive (facts: pipedrive, 1d).
        params["updated_since"] = walk.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return params


def _sorted_out(
    rows: Iterable[Any], source: Source, names: Names
) -> tuple[tuple[Deal | Contact, ...], tuple[tuple[str, str], ...]]:
    """The records that can be read, and for each other one its id and what is wrong."""
    good: list[Deal | Contact] = []
    bad: list[tuple[str, str]] = []
    for row in rows:
        try:
            good.append(source.read(row, names))
        except SchemaDrift as error:
            known = row.get("id", "?") if isinstance(row, dict) else "?"
            bad.append((f"{source.prefix}{known}", error.what))
    return tuple(good), tuple(bad)


def _each(read: Callable[[Item], T], items: Sequence[Any]) -> tuple[tuple[T, ...], list[str]]:
    """What can be read of a group, and a doubt in words for what cannot."""
    made: list[T] = []
    doubts: list[str] = []
    for item in items:
        try:
            made.append(read(item))
        except SchemaDrift as error:
            doubts.append(error.what.rstrip("."))
    return tuple(made), doubts


def _chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk

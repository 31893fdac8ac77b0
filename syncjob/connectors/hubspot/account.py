"""What an account calls its things: reading it, and the config's names as its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncjob.connectors.hubspot import codec, fields
from syncjob.connectors.hubspot.client import Client, Hidden, Refused, after, rows
from syncjob.connectors.hubspot.fields import Item
from syncjob.connectors.hubspot.names import Names
from syncjob.connectors.hubspot.options import HubSpotOptions
from syncjob.connectors.hubspot.properties import OBJECTS
from syncjob.core.records import CrmReference, Pipeline, TaxRate, User
from syncjob.core.references import FieldInfo

#: Where people work unless the account says another (facts: hubspot, 5b).
_PAGES_HOST = "app.hubspot.com"
#: The most owners of one page.
_OWNERS_MAX = 100
#: More pages of owners than this is a server that repeats itself.
_PAGES_MAX = 1_000


def read_reference(client: Client) -> CrmReference:
    """Everything but records: eight calls; the engine keeps it for a day."""
    details = account(client)
    organisation = codec.to_organisation(details)
    more = details.get("additionalCurrencies")
    others = more if isinstance(more, list) else []
    currencies = [c for c in (organisation.currency, *others) if isinstance(c, str) and c]
    return CrmReference(
        organisation=organisation,
        fields=tuple(
            fields.to_field(entity, item)
            for entity, objects in OBJECTS.items()
            for item in rows(client.get("properties", objects))
            if item.get("archived") is not True
        ),
        pipelines=tuple(_pipelines(client)),
        users=tuple(_owners(client)),
        currencies=tuple(dict.fromkeys(currencies)),
        tax_rates=tuple(_tax_rates(client)),
    )


def account(client: Client) -> Item:
    """Which account the token opens."""
    return client.get("account-info", "details")


def _pipelines(client: Client) -> Iterator[Pipeline]:
    """Pipelines with their stages in the order in which deals go through them."""
    for item in sorted(rows(client.get("pipelines", "deals")), key=_place):
        listed = item.get("stages")
        stages = [s for s in listed if isinstance(s, dict)] if isinstance(listed, list) else []
        yield Pipeline(
            id=str(item.get("id") or ""),
            name=codec.text(item, "label") or "",
            stages=tuple(
                (str(s.get("id") or ""), codec.text(s, "label") or "")
                for s in sorted(stages, key=_place)
            ),
            unwon=tuple(str(s.get("id") or "") for s in stages if not _wins(s)),
        )


def _wins(stage: Item) -> bool:
    """A closed stage of the probability 1.0 (facts: hubspot, 5d), whatever its name."""
    meta = stage.get("metadata")
    found = meta if isinstance(meta, dict) else {}
    closed = str(found.get("isClosed")).lower() == "true"
    return closed and codec.number(found, "probability") == 1


def _place(item: Item) -> int:
    place = item.get("displayOrder")
    return place if isinstance(place, int) else 0


def _owners(client: Client) -> Iterator[User]:
    """Owners, the archived ones too: a deal may keep one (facts: hubspot, 5d)."""
    for archived in ("false", "true"):
        place: str | None = None
        for _ in range(_PAGES_MAX):
            asked: dict[str, Any] = {"limit": _OWNERS_MAX, "archived": archived}
            answer = client.get("owners", "", {**asked, **({"after": place} if place else {})})
            yield from map(codec.to_user, rows(answer))
            place = after(answer)
            if place is None:
                break


def _tax_rates(client: Client) -> Iterator[TaxRate]:
    """The account's tax rates; without them, or the right to see them, lines that name one are
    held."""
    try:
        found = rows(client.get("tax-rates", "tax-rates"))
    except Hidden:
        return
    except Refused as error:
        if error.status != 404:
            raise
        return
    for item in found:
        percent = codec.number(_as_text(item, "percentageRate"), "percentageRate")
        if percent is not None:
            yield TaxRate(
                code=str(item.get("id") or ""),
                name=codec.text(item, "name") or codec.text(item, "label") or "",
                percent=percent,
                active=item.get("active") is not False,
                for_sales=True,
            )


def _as_text(item: Item, key: str) -> Item:
    """A rate may come as a number or as a text: no page shows which."""
    value = item.get(key)
    plain = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return {key: str(value) if plain else value}


# --- names ----------------------------------------------------------------------------------------


def resolve(options: HubSpotOptions, reference: CrmReference, more: Sequence[str] = ()) -> Names:
    """The names in the config as this account's properties, `more` being what its rules name; a
    name that is not there, or there twice, is left out: it is not read, and a write of it is
    refused and named."""
    wanted = {*options.fields.names().values(), *options.inputs.names().values(), *more}
    known = reference.fields
    found = {name: fields.only(known, "deal", name) for name in sorted(wanted)}
    organisation = reference.organisation
    own = options.contact_fields
    return Names(
        base=f"https://{organisation.short_code or _PAGES_HOST}/contacts/{organisation.id}",
        deal_fields={name: field for name, field in found.items() if field},
        organization_marker=fields.only(known, "organization", options.organization_marker),
        person_marker=fields.only(known, "person", options.person_marker),
        organization=_held_in(known, "organization", own.organization.names()),
        person=_held_in(known, "person", own.person.names()),
        titles={f.code: f.name for f in known if f.entity == "deal"},
        pipelines={stage: p.id for p in reference.pipelines for stage, _ in p.stages},
        zone=organisation.time_zone,
        currency=organisation.currency,
    )


def _held_in(
    known: Sequence[FieldInfo], entity: str, names: Mapping[str, str]
) -> dict[str, FieldInfo]:
    """A contact's field -> the account's property that holds it, where that can be told."""
    found = {key: fields.only(known, entity, name) for key, name in names.items()}
    return {key: field for key, field in found.items() if field}


def rates(reference: CrmReference) -> dict[str, Decimal]:
    """The percentage of each tax rate group."""
    return {rate.code: rate.percent for rate in reference.tax_rates}

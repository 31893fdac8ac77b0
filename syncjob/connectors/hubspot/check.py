"""What of the config does not fit the account, and what is missing: `syncjob check` and `init`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from syncjob.connectors.base import FieldWish, Problem
from syncjob.connectors.hubspot import fields, properties
from syncjob.connectors.hubspot.client import Client, Hidden, Refused, rows
from syncjob.connectors.hubspot.options import HubSpotOptions
from syncjob.connectors.hubspot.uses import Named, named
from syncjob.core.needs import Needs
from syncjob.core.records import CrmReference
from syncjob.core.references import FieldInfo
from syncjob.transport.wire import Request

#: Not every account has tax rates.
_TAX_RATES = "tax_rates.read"
#: What is tried with one record each, to see whether the key may read it: (objects, scope).
_READS = (
    ("deals", "crm.objects.deals.read"), ("companies", "crm.objects.companies.read"),
    ("contacts", "crm.objects.contacts.read"), ("line_items", "crm.objects.line_items.read"),
)  # fmt: skip


def unreadable(client: Client, options: HubSpotOptions) -> list[Problem]:
    """What the key or app may not read, by its scope; a wrong version shows first."""
    tries: list[tuple[Callable[[], object], str]] = [
        (lambda: client.get("account-info", "details"), ""),
        *((_reads(client, objects), scope) for objects, scope in _READS),
        (lambda: client.get("owners", "", {"limit": 1}), "crm.objects.owners.read"),
        (lambda: client.get("tax-rates", "tax-rates"), _TAX_RATES),
        *(
            (_lists(client, objects), f"crm.schemas.{objects}.read")
            for objects in properties.OBJECTS.values()
        ),
    ]
    found: list[Problem] = []
    for attempt, scope in tries:
        try:
            attempt()
        except Hidden as hidden:
            found.append(_missing_scope(options, ", ".join(hidden.scopes) or scope))
        except Refused as refused:
            if refused.status != 404 or scope not in ("", _TAX_RATES):
                raise
            if scope == "":
                return [_no_version(options)]
    return list({problem.what: problem for problem in found}.values())


def _reads(client: Client, objects: str) -> Callable[[], object]:
    return lambda: client.get("objects", objects, {"limit": 1})


def _lists(client: Client, objects: str) -> Callable[[], object]:
    return lambda: client.get("properties", objects)


def _missing_scope(options: HubSpotOptions, scope: str) -> Problem:
    return Problem(
        fatal=scope != _TAX_RATES,  # only lines that name a rate are held without it
        where="crm.access_token" if options.access_token else "crm.auth.scopes",
        what=f"The key or app may not read what needs the scope {scope or '(not named)'}.",
        fix="Tick it in HubSpot (Development > Keys > Service keys, or the app's settings)"
        + (", then `syncjob connect hubspot` again." if options.auth else "."),
    )


def _no_version(options: HubSpotOptions) -> Problem:
    return Problem(
        where="crm.version",
        what=f"HubSpot does not speak the version {options.version} (any more).",
        fix="Set a version that HubSpot supports, such as 2026-09.",
    )


def misfits(options: HubSpotOptions, reference: CrmReference) -> Iterator[Problem]:
    """Properties that are missing, doubled, or of a type that does not hold what is written."""
    for one in named(options):
        there = fields.named(reference.fields, one.entity, one.name)
        if len(there) != 1:
            yield _absent(one) if not there else _doubled(one, len(there))
        else:
            yield from _unfit(one, there[0])


def unheld(needs: Needs) -> list[Problem]:
    """What rules ask of products and HubSpot's products do not have: such a rule never matches."""
    if not needs.categories:
        return []
    return [
        Problem(
            where="invoices",
            what="A rule names categories of products, which HubSpot does not have.",
            fix="Name the products, or their SKUs, instead.",
        )
    ]


def _absent(one: Named) -> Problem:
    return Problem(
        where=one.where,
        what=f'There is no {one.entity} property labelled "{one.name}".',
        fix="Let `syncjob init` create it, create it by hand, or name another.",
    )


def _doubled(one: Named, count: int) -> Problem:
    return Problem(
        where=one.where,
        what=f'{count} {one.entity} properties are labelled "{one.name}".',
        fix="Rename all but one of them in HubSpot, or write its internal name here.",
    )


def _unfit(one: Named, field: FieldInfo) -> Iterator[Problem]:
    if one.written and field.fixed:
        yield Problem(
            where=one.where,
            what=f'"{one.name}" is a property of HubSpot itself and is not written to.',
            fix="Name a property of your own.",
        )
    elif one.written and field.kind not in one.use.types:
        yield Problem(
            where=one.where,
            what=f'The {one.entity} property "{one.name}" is of type {field.kind}.',
            fix=f"Name a property of type {' or '.join(one.use.types)}.",
        )
    if one.use.unique and not field.unique:
        yield Problem(
            where=one.where,
            what=f'The property "{one.name}" does not ask for unique values.',
            fix="Let `syncjob init` create another (name it here): HubSpot cannot change this "
            "for a property that is there.",
        )
    missing = [o for o in one.use.options if field.options and not fields.has_option(field, o)]
    if one.written and field.kind == "enumeration" and missing:
        yield Problem(
            where=one.where,
            what=f'The property "{one.name}" lacks the options {", ".join(missing)}.',
            fix="Add them to the property in HubSpot, spelled like this.",
        )


def missing_fields(options: HubSpotOptions, reference: CrmReference) -> list[FieldWish]:
    """The properties that the config names and the account does not have."""
    return [
        FieldWish(
            entity=one.entity, name=one.name, kind=one.use.kind, options=one.use.options,
            purpose=one.use.purpose, long=one.use.long, unique=one.use.unique,
        )
        for one in named(options)
        if not fields.named(reference.fields, one.entity, one.name)
    ]  # fmt: skip


def create_requests(
    client: Client, wishes: list[FieldWish], groups: dict[str, set[str]]
) -> list[Request]:
    """The requests that create these properties; of each kind of record our group comes first.
    `groups` is what is known of each kind's groups, and is brought up to date."""
    made: list[Request] = []
    for wish in wishes:
        kind = properties.OBJECTS[wish.entity]
        if kind not in groups:
            listed = rows(client.get("properties", f"{kind}/groups"))
            groups[kind] = {str(group.get("name")) for group in listed}
        for path, body in properties.create(wish, groups[kind]):
            made.append(client.form_at("properties", path, body))
        groups[kind].add(properties.GROUP)
    return made

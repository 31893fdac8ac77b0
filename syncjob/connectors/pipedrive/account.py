"""What an account calls its things: reading it, checking the config against it, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from syncjob.connectors.base import FieldWish, Problem
from syncjob.connectors.pipedrive import codec, fields, values
from syncjob.connectors.pipedrive.client import PAGE_SIZE, V2Client
from syncjob.connectors.pipedrive.codec import Names
from syncjob.connectors.pipedrive.options import OwnFields, PipedriveOptions
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.records import CrmReference, FieldInfo, Pipeline
from syncjob.core.rules.settlement import STATE_WORDS
from syncjob.transport.wire import Request

_FIELD_PATHS = {
    "deal": "dealFields",
    "organization": "organizationFields",
    "person": "personFields",
}
_TYPES = {
    "text": "varchar",
    "money": "monetary",
    "date": "date",
    "choice": "enum",
    "number": "double",
}
_TEXT = ("varchar", "varchar_auto", "text")
_MONEY = ("monetary", "double", *_TEXT)
_NUMBER = ("double", "int", *_TEXT)
_DATE = ("date", *_TEXT)
_CHOICE = ("enum", *_TEXT)
_ANY = (*_TEXT, "enum", "set", "double", "monetary", "date", "org", "people", "phone")

#: v2 deals hold `label_ids`; the field's own code is "label" in v1, and no page shows it for v2.
_LABEL_CODES = ("label_ids", "label")

#: The API answers here too, for every company, but no page for people does (facts: pipedrive, 1).
_API_HOST = "api.pipedrive.com"

WishKind = Literal["text", "money", "date", "choice", "number"]


class Use(NamedTuple):
    """What one key of the config asks of its field, and in words what the field is for."""

    kind: WishKind
    types: tuple[str, ...]
    purpose: str
    options: tuple[str, ...] = ()
    long: bool = False  # may be more than the 255 characters of a short text


_USES: dict[str, Use] = {
    "status": Use("choice", _CHOICE, "where the invoice stands", STATE_WORDS),
    "reason": Use("text", _TEXT, "why the deal is held or not invoiced", long=True),
    "number": Use("text", _TEXT, "the invoice's number"),
    "link": Use("text", _TEXT, "opens the invoice in the ledger"),
    "total": Use("money", _MONEY, "what was invoiced"),
    "due": Use("money", _MONEY, "what is still to be paid"),
    "paid": Use("money", _MONEY, "what has been paid"),
    "credited": Use("money", _MONEY, "what was credited"),
    "due_date": Use("date", _DATE, "the day by which it is to be paid"),
    "paid_on": Use("date", _DATE, "the day of the last payment"),
    "overdue": Use("choice", _CHOICE, "whether it should have been paid by now", ("yes", "no")),
    "overdue_amount": Use("money", _MONEY, "what should have been paid by now"),
    "overdue_days": Use("number", _NUMBER, "for how many days it should have been paid"),
    "part_paid_since": Use("date", _DATE, "the first payment's day, while more is due"),
    "online": Use("text", _TEXT, "the page where the customer sees and pays the invoice"),
    "synced": Use("text", _TEXT, "when these fields were last written"),
    "do_not_invoice": Use("choice", _ANY, "keeps a deal from being invoiced", ("yes",)),
    "mute_notices": Use("choice", _ANY, "keeps people from being reminded of it", ("yes",)),
    "purchase_order": Use("text", _ANY, "the customer's own number, for the reference"),
    "invoice_date": Use("date", _DATE, "the date that the invoice is to bear"),
    "payment_terms": Use("text", _ANY, "when the invoice falls due, in words"),
    "delivery_address": Use("text", (*_ANY, "address"), "where the goods go"),
    "delivery_country": Use("text", _ANY, "the country that the goods go to"),
    "delivery_region": Use("text", _ANY, "the state or region that they go to"),
    "currency_rate": Use("text", _ANY, "units of the deal's currency for one of ours"),
}
_MARKER = Use("text", _TEXT, "syncjob's own key of a customer; leave it to syncjob")
_ADDRESS = (*_TEXT, "address")
_CONTACT_USES: dict[str, Use] = {
    "email": Use("text", _TEXT, "where invoices are sent to"),
    "phones": Use("text", ("phone", *_TEXT), "the phone numbers, with commas between them"),
    "postal": Use("text", _ADDRESS, "the billing address"),
    "street": Use("text", _ADDRESS, "the address where they are"),
    "tax_number": Use("text", _TEXT, "the VAT, GST or other tax number"),
    "currency": Use("text", _CHOICE, "the currency that they are billed in, such as EUR"),
    "terms": Use("text", _TEXT, "the payment terms, as KIND:DAY"),
}


def read_reference(client: V2Client, *, categories: bool = False) -> CrmReference:
    """Everything but records: eight calls, 82 tokens; with the categories of products one more;
    the engine keeps it for a day."""
    found = [f for entity in _FIELD_PATHS for f in _fields(client, entity)]
    labels = next((f.options for f in found if f.entity == "deal" and f.code in _LABEL_CODES), ())
    currencies = _list(client.fetch("currencies"))
    return CrmReference(
        organisation=codec.to_organisation(client.me()),
        fields=tuple(found),
        pipelines=_pipelines(client),
        users=tuple(codec.to_user(u) for u in _list(client.fetch("users"))),
        currencies=tuple(
            values.text(c, "code") or "" for c in currencies if values.flag(c, "active_flag")
        ),
        labels=tuple((str(o.id), o.label) for o in labels),
        categories=_categories(client) if categories else None,
    )


def _categories(client: V2Client) -> tuple[tuple[str, str], ...]:
    """(id, name) of the categories that products may have."""
    rows = client.rows("productFields", {"limit": PAGE_SIZE})
    found = (fields.to_field("product", row) for row in rows)
    return tuple((str(o.id), o.label) for f in found if f.code == "category" for o in f.options)


def _fields(client: V2Client, entity: str) -> Iterator[FieldInfo]:
    rows = client.rows(_FIELD_PATHS[entity], {"limit": PAGE_SIZE})
    return (fields.to_field(entity, row) for row in rows)


def _pipelines(client: V2Client) -> tuple[Pipeline, ...]:
    """Pipelines with their stages in the order in which deals go through them."""
    stages: dict[str, list[tuple[str, str]]] = {}
    rows = client.rows("stages", {"limit": PAGE_SIZE})
    for row in sorted(rows, key=lambda row: values.number(row, "order_nr") or 0):
        pair = (values.needed_id(row), values.text(row, "name") or "")
        stages.setdefault(values.ident(row, "pipeline_id") or "", []).append(pair)
    made = client.rows("pipelines", {"limit": PAGE_SIZE})
    ids = [values.needed_id(p) for p in made]
    return tuple(
        Pipeline(id=i, name=values.text(p, "name") or "", stages=tuple(stages.get(i, ())))
        for i, p in zip(ids, made, strict=True)
    )


def _list(envelope: Item) -> list[Item]:
    return values.items(envelope, "data")


def resolve(options: PipedriveOptions, reference: CrmReference, more: Sequence[str] = ()) -> Names:
    """The names in the config as this account's codes, `more` being what its rules name; a name
    that is not there, or there twice, is left out: it is not read, and a write of it is refused
    and named."""
    wanted = {*options.fields.names().values(), *options.inputs.names().values(), *more}
    found = {name: fields.only(reference.fields, "deal", name) for name in sorted(wanted)}
    known = reference.fields
    return Names(
        base=_pages(options, reference),
        deal_fields={name: f for name, f in found.items() if f},
        written=frozenset(options.fields.names().values()),
        labels=dict(reference.labels),
        organization_marker=fields.only(known, "organization", options.organization_marker),
        person_marker=fields.only(known, "person", options.person_marker),
        organization=_held_in(known, "organization", options.contact_fields.organization.names()),
        person=_held_in(known, "person", options.contact_fields.person.names()),
    )


def _held_in(
    known: Sequence[FieldInfo], entity: str, names: Mapping[str, str]
) -> dict[str, FieldInfo]:
    """A contact's field -> the account's field that holds it, where that can be told."""
    found = {key: fields.only(known, entity, name) for key, name in names.items()}
    return {key: field for key, field in found.items() if field}


def _pages(options: PipedriveOptions, reference: CrmReference) -> str:
    """Where people see deals: the company's own address, never that of the API alone."""
    company = reference.organisation.short_code
    if urlsplit(options.api_url).hostname == _API_HOST and company:
        return f"https://{company}.pipedrive.com"
    return options.api_url


# --- check and init ----------------------------------------------------------------------------


class _Named(NamedTuple):
    """One field that the config names: where, on what, and what it is used for."""

    where: str
    entity: Literal["deal", "organization", "person"]
    name: str
    use: Use
    written: bool


def _named(options: PipedriveOptions) -> Iterator[_Named]:
    for key, name in options.fields.names().items():
        yield _Named(f"crm.fields.{key}", "deal", name, _USES[key], True)
    for key, name in options.inputs.names().items():
        yield _Named(f"crm.inputs.{key}", "deal", name, _USES[key], False)
    yield _Named(
        "crm.organization_marker", "organization", options.organization_marker, _MARKER, True
    )
    yield _Named("crm.person_marker", "person", options.person_marker, _MARKER, True)
    contacts: tuple[tuple[Literal["organization", "person"], OwnFields], ...] = (
        ("organization", options.contact_fields.organization),
        ("person", options.contact_fields.person),
    )
    for entity, named in contacts:
        for key, name in named.names().items():
            where = f"crm.contact_fields.{entity}.{key}"
            yield _Named(where, entity, name, _CONTACT_USES[key], True)


def missing_fields(options: PipedriveOptions, reference: CrmReference) -> list[FieldWish]:
    """The fields that the config names and the account does not have."""
    return [
        FieldWish(
            entity=one.entity,
            name=one.name,
            kind=one.use.kind,
            options=one.use.options,
            purpose=one.use.purpose,
            long=one.use.long,
        )
        for one in _named(options)
        if not fields.named(reference.fields, one.entity, one.name)
    ]


def create_request(client: V2Client, wish: FieldWish) -> Request:
    """The request that creates one field."""
    kind = "text" if wish.long else _TYPES[wish.kind]
    body: Item = {"field_name": wish.name, "field_type": kind}
    if wish.options:
        body["options"] = [{"label": label} for label in wish.options]
    return client.form_post(_FIELD_PATHS[wish.entity], body)


def problems(options: PipedriveOptions, reference: CrmReference, me: Any) -> list[Problem]:
    """What of the config does not fit this account."""
    found = [] if codec.is_admin(me) else [_not_admin()]
    found += _addresses_missing(options, reference)
    for one in _named(options):
        there = fields.named(reference.fields, one.entity, one.name)
        if len(there) != 1:
            found.append(_absent(one) if not there else _doubled(one, len(there)))
        else:
            found += _unfit(one, there[0])
    return found


def _addresses_missing(options: PipedriveOptions, reference: CrmReference) -> list[Problem]:
    """What is written to a field that the account does not have is lost without a word."""
    codes = {f.code for f in reference.fields if f.entity == "person"}
    if not options.person_addresses or "postal_address" in codes:
        return []
    return [
        Problem(
            where="crm.person_addresses",
            what="Persons have no postal address in this account: it has no contact sync.",
            fix="Set it to false, or name a field of your own in crm.contact_fields.person.postal.",
        )
    ]


def _not_admin() -> Problem:
    return Problem(
        where="crm.api_token",
        what="The token's user is no admin and sees only what Pipedrive shows this user.",
        fix="Use an admin's token, or make sure that the user sees and edits all deals.",
        fatal=False,
    )


def _absent(one: _Named) -> Problem:
    kind = _TYPES[one.use.kind]
    return Problem(
        where=one.where,
        what=f'There is no {one.entity} field named "{one.name}".',
        fix=f"Let `syncjob init` create it, create it by hand (type {kind}), or name another.",
    )


def _doubled(one: _Named, count: int) -> Problem:
    return Problem(
        where=one.where,
        what=f'{count} {one.entity} fields are named "{one.name}".',
        fix="Rename all but one of them in Pipedrive, or name another field.",
    )


def _unfit(one: _Named, field: FieldInfo) -> Iterator[Problem]:
    if one.written and not fields.is_custom(field):
        yield Problem(
            where=one.where,
            what=f'"{one.name}" is a field of Pipedrive itself and is not written to.',
            fix="Name a field of your own.",
        )
    elif field.kind not in one.use.types and one.written:
        yield Problem(
            where=one.where,
            what=f'The {one.entity} field "{one.name}" is of type {field.kind}.',
            fix=f"Name a field of type {_TYPES[one.use.kind]} (or text).",
        )
    missing = [o for o in one.use.options if field.options and not fields.has_option(field, o)]
    if one.written and field.kind == "enum" and missing:
        yield Problem(
            where=one.where,
            what=f'The field "{one.name}" lacks the options {", ".join(missing)}.',
            fix="Add them to the field in Pipedrive, spelled like this.",
        )

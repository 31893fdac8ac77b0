"""Pipedrive's records as ours: deals, users, activities, the account; contacts.py has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from syncjob.connectors.pipedrive import fields, values
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.records import (
    Activity,
    Deal,
    DealStatus,
    FieldInfo,
    Organisation,
    User,
)

_STATUSES: dict[str, DealStatus] = {s: s for s in ("open", "won", "lost", "deleted")}


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What this account calls the things that records need: resolved once from the reference."""

    base: str  # the account's address, for links
    deal_fields: Mapping[str, FieldInfo]  # the config's name -> the field
    written: frozenset[str] = frozenset()  # those names of which we write the fields
    labels: Mapping[str, str]  # label id -> its name
    organization_marker: FieldInfo | None
    person_marker: FieldInfo | None
    organization: Mapping[str, FieldInfo] = {}  # what a contact's field is kept in -> the field
    person: Mapping[str, FieldInfo] = {}


def to_deal(item: Any, names: Names) -> Deal:
    """A deal without its lines, discounts and instalments (None: not read). Raises SchemaDrift."""
    deal_id = values.needed_id(item)
    title, currency = values.text(item, "title"), values.text(item, "currency")
    if currency is None or len(currency) != 3:
        raise values.drift("currency", currency, "a currency code")
    if "title" not in item:
        raise values.drift("title", None, "a text")
    count = values.number(item, "products_count")
    return Deal(
        id=deal_id,
        updated=values.instant(item, "update_time"),
        page=f"{names.base}/deal/{deal_id}",
        title=title or f"Deal {deal_id}",
        status=_status(item),
        currency=currency.upper(),
        value=values.number(item, "value"),
        won_at=values.instant(item, "won_time"),
        first_won_at=values.instant(item, "first_won_time"),
        org_id=contact_id("org", item, "org_id"),
        person_id=contact_id("person", item, "person_id"),
        owner_id=values.ident(item, "owner_id"),
        pipeline_id=values.ident(item, "pipeline_id"),
        stage_id=values.ident(item, "stage_id"),
        labels=_labels(item, names),
        archived=values.flag(item, "is_archived"),
        line_count=None if count is None else int(count),
        fields=_fields(item, names, currency.upper()),
    )


def _fields(item: Item, names: Names, currency: str) -> dict[str, str | None]:
    """What we write is in the deal's currency, and compared without it."""
    return {
        name: fields.read(field, item)
        if name in names.written
        else fields.read_in(field, item, currency)
        for name, field in names.deal_fields.items()
    }


def contact_id(kind: str, item: Item, key: str) -> str | None:
    """The id of a contact ("org:12") that a record names; None if it names none."""
    number = values.ident(item, key)
    return f"{kind}:{number}" if number else None


def _status(item: Item) -> DealStatus:
    if values.flag(item, "is_deleted"):
        return "deleted"
    status = _STATUSES.get(str(item.get("status")))
    if status is None:
        raise values.drift("status", item.get("status"), "open, won, lost or deleted")
    return status


def _labels(item: Item, names: Names) -> tuple[str, ...]:
    found = item.get("label_ids")
    if found is None:
        return ()
    if not isinstance(found, list):
        raise values.drift("label_ids", found, "a list of ids")
    return tuple(names.labels.get(str(i), str(i)) for i in found)


def to_user(item: Any) -> User:
    """A user of the account (v1). Raises SchemaDrift."""
    number = values.needed_id(item)
    email = values.text(item, "email")
    return User(
        id=number,
        name=values.text(item, "name") or email or f"User {number}",
        email=email,
        active=values.flag(item, "active_flag"),
    )


def to_activity(item: Any, marker: str | None = None) -> Activity:
    """A task of the CRM. Raises SchemaDrift."""
    return Activity(
        id=values.needed_id(item),
        updated=values.instant(item, "update_time"),
        subject=values.text(item, "subject"),
        deal_id=values.ident(item, "deal_id"),
        owner_id=values.ident(item, "owner_id"),
        due=values.day(item, "due_date") if item.get("due_date") else None,
        marker=marker,
        done=values.flag(item, "done"),
        deleted=values.flag(item, "is_deleted"),
    )


def to_organisation(me: Any) -> Organisation:
    """The company that the token's user belongs to (v1 users/me). Raises SchemaDrift."""
    company = values.ident(me, "company_id") if isinstance(me, dict) else None
    if company is None:
        raise values.drift("company_id", None, "an id")
    return Organisation(
        id=company,
        name=values.text(me, "company_name") or values.text(me, "company_domain") or company,
        country=values.text(me, "company_country"),
        currency=values.text(me, "default_currency"),
        time_zone=values.text(me, "timezone_name") or "UTC",
        short_code=values.text(me, "company_domain"),
    )


def is_admin(me: Any) -> bool:
    """Whether the token's user is an admin of deals or of the whole account."""
    if not isinstance(me, dict):
        return False
    rights = (a for a in values.items(me, "access") if a.get("app") in ("sales", "global"))
    return me.get("is_admin") in (True, 1) or any(a.get("admin") is True for a in rights)

"""HubSpot's records as ours: deals, owners, the account; contacts.py has companies and contacts.

Every value on the wire is a text or null (facts: hubspot, 5d); what is neither, or says nothing
that its property can mean, is SchemaDrift and never a guess.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from syncjob.connectors.hubspot import fields
from syncjob.connectors.hubspot.fields import Item, moment_of
from syncjob.connectors.hubspot.names import Names
from syncjob.core.records import Deal, DealStatus, Organisation, User
from syncjob.errors import SchemaDrift

#: What is asked of every deal; the config's own properties come besides.
DEAL = (
    "dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "closedate",
    "hs_closed_won_date", "hubspot_owner_id", "hs_is_closed", "hs_is_closed_won",
    "hs_lastmodifieddate", "hs_merged_object_ids",
)  # fmt: skip
#: What an account is called that is none of a real firm.
_DEMO = frozenset({"SANDBOX", "DEVELOPER_TEST", "APP_DEVELOPER"})


def drift(key: str, value: Any, wanted: str) -> SchemaDrift:
    """The error for a value of the wrong kind."""
    return SchemaDrift(
        f"{key} is {str(value)[:60]!r}, where HubSpot documents {wanted}.",
        next_step="The record waits until it reads well; report it if it stays.",
    )


def number_of(item: Any) -> str:
    """The record's own id. Raises SchemaDrift."""
    found = item.get("id") if isinstance(item, dict) else None
    if not isinstance(found, str) or not found.isdecimal():
        raise drift("id", found, "a number as text")
    return found


def properties_of(item: Item) -> Item:
    """The record's properties. Raises SchemaDrift."""
    found = item.get("properties")
    if not isinstance(found, dict):
        raise drift("properties", found, "an object")
    return found


def text(found: Item, key: str) -> str | None:
    """A property without blanks around it; None where it is empty. Raises SchemaDrift."""
    value = found.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise drift(key, value, "a text")
    return value.strip() or None


def number(found: Item, key: str) -> Decimal | None:
    """A number, exact. Raises SchemaDrift."""
    value = text(found, key)
    if value is None:
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise drift(key, value, "a number") from None
    if not amount.is_finite() or "_" in value:
        raise drift(key, value, "a number")
    return amount


def instant(found: Item, key: str) -> datetime | None:
    """An instant: ISO 8601 or milliseconds. Raises SchemaDrift."""
    value = text(found, key)
    moment = moment_of(value) if value else None
    if value and moment is None:
        raise drift(key, value, "a time")
    return moment


def day(found: Item, key: str) -> date | None:
    """A day: YYYY-MM-DD, or the milliseconds of its UTC midnight. Raises SchemaDrift."""
    moment = instant(found, key)
    return moment.date() if moment else None


def flag(found: Item, key: str) -> bool:
    """A switch; it must be there, but may be empty where it was never set. Raises SchemaDrift."""
    if key not in found:
        raise drift(key, None, "true or false")
    value = text(found, key)
    if value is not None and value.lower() not in ("true", "false"):
        raise drift(key, value, "true or false")
    return value is not None and value.lower() == "true"


def merged(found: Item, own: str) -> tuple[str, ...]:
    """The ids that were merged into this one (facts: hubspot, 5e)."""
    listed = (i.strip() for i in (text(found, "hs_merged_object_ids") or "").split(";"))
    return tuple(i for i in listed if i and i != own)


# --- deals ----------------------------------------------------------------------------------------


def to_deal(item: Any, names: Names, *, amount_is_sum: bool = False) -> Deal:
    """A deal without its lines (None: not read) and without its customers. Raises SchemaDrift.

    When it was first won is in no property that a later win does not overwrite: the earlier one of
    the close date, which people may set, and of the date that HubSpot keeps, counts, so that a win
    from before the start is never invoiced because somebody imported or touched it later.
    """
    deal_id = number_of(item)
    found = properties_of(item)
    currency = text(found, "deal_currency_code") or names.currency
    if currency is None or len(currency) != 3:
        raise drift("deal_currency_code", currency, "a currency code")
    status = _status(item, found)
    wins = (instant(found, key) for key in ("closedate", "hs_closed_won_date"))
    won = sorted(moment for moment in wins if moment) if status == "won" else []
    return Deal(
        id=deal_id,
        updated=instant(found, "hs_lastmodifieddate"),
        page=names.page(deal_id),
        title=text(found, "dealname") or f"Deal {deal_id}",
        status=status,
        currency=currency.upper(),
        value=number(found, "amount"),
        value_is_sum=amount_is_sum,
        won_at=won[-1] if won else None,
        first_won_at=won[0] if won else None,
        owner_id=text(found, "hubspot_owner_id"),
        pipeline_id=text(found, "pipeline"),
        stage_id=text(found, "dealstage"),
        fields={name: fields.read(f, found) for name, f in names.deal_fields.items()},
        merged_from=merged(found, deal_id),
    )


def _status(item: Item, found: Item) -> DealStatus:
    """An archived deal lies in the recycle bin; won is what HubSpot itself reckons from the stage,
    whatever the stage's id (facts: hubspot, 5d)."""
    if item.get("archived") is True:
        return "deleted"
    if flag(found, "hs_is_closed_won"):
        return "won"
    closed = flag(found, "hs_is_closed")
    # Nothing where HubSpot reckons true or false is no "not won": a draft would be taken back.
    said = text(found, "hs_is_closed_won") or not (closed or text(found, "hs_closed_won_date"))
    if not said:
        raise drift("hs_is_closed_won", None, "true or false for a closed deal")
    return "lost" if closed else "open"


# --- the account ----------------------------------------------------------------------------------


def to_user(item: Any) -> User:
    """An owner; archived ones are not active and have no userId (facts: hubspot, 5d)."""
    owner = number_of(item)
    email = text(item, "email")
    names = filter(None, (text(item, "firstName"), text(item, "lastName")))
    return User(
        id=owner,
        name=" ".join(names) or email or f"Owner {owner}",
        email=email,
        active=item.get("archived") is not True,
    )


def to_organisation(details: Any) -> Organisation:
    """The account that the token opens. Raises SchemaDrift."""
    portal = details.get("portalId") if isinstance(details, dict) else None
    if isinstance(portal, bool) or not isinstance(portal, int | str) or not str(portal):
        raise drift("portalId", portal, "the account's number")
    kind = text(details, "accountType") or "STANDARD"
    return Organisation(
        id=str(portal),
        name=f"HubSpot account {portal}",
        currency=text(details, "companyCurrency"),
        time_zone=text(details, "timeZone") or "UTC",
        demo=kind in _DEMO,
        short_code=text(details, "uiDomain"),
    )

"""What an organisation calls its own things: itself, accounts, tax rates, currencies, items."""

from __future__ import annotations

from decimal import Decimal

from syncjob.connectors.xero.requests import Reads
from syncjob.connectors.xero.timezones import IANA
from syncjob.connectors.xero.values import Fields
from syncjob.connectors.xero.walks import Lists
from syncjob.core.needs import Needs
from syncjob.core.records import Account, LedgerReference, Organisation, TaxRate
from syncjob.errors import SchemaDrift


def read_organisation(lists: Lists, reads: Reads, time_zone: str | None) -> Organisation:
    """Which books the credentials open; one call, which Xero does not bill (facts: xero, 1).

    `time_zone` (IANA) overrules what Xero says. Raises SchemaDrift for a zone unknown to us.
    """
    found = _list(lists, reads, "Organisation", "Organisations")
    if len(found) != 1:
        raise SchemaDrift(f"Xero gave {len(found)} organisations where one was asked for.")
    return organisation(found[0], time_zone)


def organisation(fields: Fields, time_zone: str | None) -> Organisation:
    fields.what = "organisation"
    locks = [fields.day("PeriodLockDate"), fields.day("EndOfYearLockDate")]
    taxed = fields.flag("PaysTax") if fields.has("PaysTax") else None
    if taxed is None:
        taxed = fields.text("SalesTaxBasis") not in (None, "NONE")
    return Organisation(
        id=fields.need_id("OrganisationID"),
        name=fields.need("Name"),
        country=fields.text("CountryCode"),
        currency=fields.text("BaseCurrency"),
        time_zone=time_zone or _zone(fields.text("Timezone")),
        demo=fields.flag("IsDemoCompany"),
        locked_through=max((day for day in locks if day), default=None),
        tax_registered=taxed,
        tax_basis=fields.text("SalesTaxBasis"),
        short_code=fields.text("ShortCode"),
    )


def _zone(name: str | None) -> str:
    """The IANA name. The organisation's day dates its invoices, so nothing is guessed."""
    zone = IANA.get((name or "").upper())
    if zone is None:
        raise SchemaDrift(
            f"Xero names the organisation's time zone {name!r}, which is not known here.",
            where="ledger.time_zone",
            next_step="Set ledger.time_zone to its IANA name, such as Europe/Lisbon.",
        )
    return zone


def read_reference(
    lists: Lists, reads: Reads, time_zone: str | None, needs: Needs
) -> LedgerReference:
    """The organisation with its accounts, tax rates, currencies, and of items, tracking and
    branding themes what the rules name."""
    items = _list(lists, reads, "Items", "Items") if needs.items else []
    accounts = _list(lists, reads, "Accounts", "Accounts")
    return LedgerReference(
        organisation=read_organisation(lists, reads, time_zone),
        accounts=tuple(account(fields) for fields in accounts if fields.text("Code")),
        tax_rates=tuple(tax_rate(f) for f in _list(lists, reads, "TaxRates", "TaxRates")),
        currencies=tuple(
            fields.need("Code") for fields in _list(lists, reads, "Currencies", "Currencies")
        ),
        items=tuple(fields.need("Code") for fields in items),
        tracked_items=tuple(f.need("Code") for f in items if f.flag("IsTrackedAsInventory")),
        tracking=_tracking(lists, reads) if needs.tracking else None,
        brandings=_brandings(lists, reads) if needs.brandings else None,
    )


def _tracking(lists: Lists, reads: Reads) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The active categories with their active options, by name."""
    found = _list(lists, reads, "TrackingCategories", "TrackingCategories")
    return tuple(
        (
            category.need("Name"),
            tuple(
                option.need("Name")
                for option in category.objects("Options") or ()
                if option.text("Status") in (None, "ACTIVE")
            ),
        )
        for category in found
        if category.text("Status") in (None, "ACTIVE")
    )


def _brandings(lists: Lists, reads: Reads) -> tuple[tuple[str, str], ...]:
    """(id, name) of the themes."""
    found = _list(lists, reads, "BrandingThemes", "BrandingThemes")
    return tuple((theme.need_id("BrandingThemeID"), theme.need("Name")) for theme in found)


def account(fields: Fields) -> Account:
    """An account; one without a code (a bank account may have none) takes no lines anyway.

    The system account for rounding does: a line on it is Xero's own advice (facts: xero, 3).
    """
    return Account(
        code=fields.need("Code"),
        name=fields.need("Name"),
        active=fields.text("Status") == "ACTIVE",
        kind=fields.text("Type") or "",
        tax_code=fields.text("TaxType"),
        system=fields.text("SystemAccount") not in (None, "ROUNDING"),
    )


def tax_rate(fields: Fields) -> TaxRate:
    """A tax rate; same codes mean other rates in other countries, so the rate is read."""
    percent = fields.amount("EffectiveRate")
    return TaxRate(
        code=fields.need("TaxType"),
        name=fields.need("Name"),
        percent=Decimal(0) if percent is None else percent,
        active=fields.text("Status") == "ACTIVE",
        for_sales=fields.flag("CanApplyToRevenue"),
    )


def _list(lists: Lists, reads: Reads, path: str, plural: str) -> list[Fields]:
    answer = lists.ask(reads.one(path))
    found = Fields(answer.json(), f"answer to GET {path}").objects(plural)
    if found is None:
        raise SchemaDrift(f"Xero's answer has no {plural}.", where=answer.url)
    return found

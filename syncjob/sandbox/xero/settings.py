"""The small endpoints: organisation, accounts, tax rates, currencies, themes, users, items."""

from __future__ import annotations

from collections.abc import Callable

from syncjob.sandbox.kernel import Reply
from syncjob.sandbox.xero import reading, views
from syncjob.sandbox.xero.answers import Context, Json, envelope, missing, reply, write_all
from syncjob.sandbox.xero.models import Item, TaxRate
from syncjob.sandbox.xero.regions import CURRENCY_NAMES
from syncjob.sandbox.xero.wire import Element, ms_date, ms_stamp, num, words
from syncjob.sandbox.xero.world import Invalid, Organisation

ITEM_FIELDS = words(
    "Code InventoryAssetAccountCode Name IsSold IsPurchased Description PurchaseDescription "
    "PurchaseDetails SalesDetails IsTrackedAsInventory TotalCostPool QuantityOnHand "
    "UpdatedDateUTC ItemID StatusAttributeString ValidationErrors"
)
_DETAILS = words("UnitPrice AccountCode COGSAccountCode TaxType")


def organisation_view(org: Organisation) -> Json:
    region = org.region
    view: Json = {
        "Name": org.name,
        "LegalName": org.name,
        "PaysTax": org.tax_basis != "NONE",
        "Version": region.version,
        "OrganisationType": "COMPANY",
        "BaseCurrency": region.currency,
        "CountryCode": region.country,
        "IsDemoCompany": org.demo,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": region.year_end[0],
        "FinancialYearEndMonth": region.year_end[1],
        "SalesTaxBasis": org.tax_basis,
        "SalesTaxPeriod": "QUARTERLY",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": ms_stamp(org.created, offset=""),
        "OrganisationEntityType": "COMPANY",
        "Timezone": region.timezone,
        "ShortCode": org.short_code,
        "OrganisationID": org.id,
        "Edition": "BUSINESS",
        "Class": "DEMO" if org.demo else "PREMIUM",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
    for key, day in (("PeriodLockDate", org.period_lock), ("EndOfYearLockDate", org.year_lock)):
        if day is not None:
            view[key] = ms_date(day)
    return view


def tax_rate_view(rate: TaxRate) -> Json:
    percent = num(rate.percent, 4)
    return {
        "Name": rate.name,
        "TaxType": rate.tax_type,
        **({"ReportTaxType": rate.report_type} if rate.report_type else {}),
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": rate.expenses,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": rate.revenue,
        "DisplayTaxRate": percent,
        "EffectiveRate": percent,
        "Status": rate.status,
        "TaxComponents": [
            {"Name": rate.name, "Rate": percent, "IsCompound": False, "IsNonRecoverable": False}
        ],
    }


def _tracking(ctx: Context) -> list[Json]:
    return [dict(t) for t in ctx.org.tracking]


def _currencies(ctx: Context) -> list[Json]:
    return [{"Code": c, "Description": CURRENCY_NAMES.get(c, c)} for c in ctx.org.currencies]


def _themes(ctx: Context) -> list[Json]:
    return [
        {
            "BrandingThemeID": theme,
            "Name": name,
            "LogoUrl": "",
            "Type": "INVOICE",
            "SortOrder": order,
            "CreatedDateUTC": ms_stamp(ctx.org.created),
        }
        for order, (theme, name) in enumerate(ctx.org.themes.items())
    ]


def _users(ctx: Context) -> list[Json]:
    return [
        {
            "UserID": ctx.org.user_id,
            "EmailAddress": "books@example.com",
            "FirstName": "Robin",
            "LastName": "Books",
            "UpdatedDateUTC": ms_stamp(ctx.org.created),
            "IsSubscriber": True,
            "OrganisationRole": "FINANCIALADVISER",
        }
    ]


def _tax_rates(ctx: Context) -> list[Json]:
    where = ctx.request.arg("TaxType")
    return [tax_rate_view(t) for t in ctx.org.tax_rates if where in (None, t.tax_type)]


_SIMPLE: dict[str, tuple[str, Callable[[Context], list[Json]]]] = {
    "Organisation": ("Organisations", lambda c: [organisation_view(c.org)]),
    "Organisations": ("Organisations", lambda c: [organisation_view(c.org)]),
    "TaxRates": ("TaxRates", _tax_rates),
    "Currencies": ("Currencies", _currencies),
    "BrandingThemes": ("BrandingThemes", _themes),
    "TrackingCategories": ("TrackingCategories", _tracking),
    "Users": ("Users", _users),
}


def dispatch(ctx: Context, resource: str, rest: list[str]) -> Reply:
    if resource in _SIMPLE and ctx.request.method == "GET" and not rest:
        ctx.check_query("where order TaxType includeArchived")
        plural, rows = _SIMPLE[resource]
        return reply(envelope(ctx, plural, rows(ctx)))
    if resource == "Accounts" and ctx.request.method == "GET":
        return _accounts(ctx, rest)
    if resource == "Items":
        return _items(ctx, rest)
    return missing()


def _accounts(ctx: Context, rest: list[str]) -> Reply:
    ctx.check_query("where order")
    if rest:
        found = ctx.org.accounts.get(rest[0].lower())
        view = [views.account_view(found)] if found else []
        return reply(envelope(ctx, "Accounts", view)) if found else missing()
    rows = ctx.org.accounts.visible()
    page = reading.listed(ctx.request, rows, reading.ACCOUNT_GETTERS)
    return reply(envelope(ctx, "Accounts", [views.account_view(a) for a in page.rows]))


def _items(ctx: Context, rest: list[str]) -> Reply:
    """Unpaged, and without an archive (facts: xero, 3, ItemCode)."""
    method, org = ctx.request.method, ctx.org
    if method == "GET" and rest:
        found = org.items.get(rest[0].lower()) or org.item(rest[0])
        view = [views.item_view(found)] if found else []
        return reply(envelope(ctx, "Items", view)) if found else missing()
    if method == "GET":
        ctx.check_query("where order")
        page = reading.listed(ctx.request, org.items.visible(), reading.ITEM_GETTERS)
        return reply(envelope(ctx, "Items", [views.item_view(i) for i in page.rows]))
    if method != "PUT" or rest:
        return missing()

    def save(sent: Element) -> Json:
        return views.item_view(_new_item(org, sent)) | {"HasErrors": False}

    return write_all(ctx, "Items", ITEM_FIELDS, save, "ItemID", "HasErrors")


def _new_item(org: Organisation, sent: Element) -> Item:
    code, details = sent.text("Code") or "", sent.object("SalesDetails", _DETAILS)
    if not code or len(code) > 30:
        raise Invalid("The Code of an item must have 1 to 30 characters.")
    if org.item(code) is not None:
        raise Invalid(f"Price List Item with Code '{code}' already exists")
    if len(sent.text("Name") or "") > 50:
        raise Invalid("The Name of an item must not exceed 50 characters.")
    account = details.text("AccountCode") if details else None
    if account and org.account(account) is None:
        raise Invalid(f"Account code '{account}' is not a valid code for this document.")
    item = Item(
        org.entropy.uuid(),
        code,
        sent.text("Name") or "",
        sent.text("Description") or "",
        details.number("UnitPrice") if details else None,
        account,
        details.text("TaxType") if details else None,
        org.stamp(),
    )
    return org.items.put(item)

"""What a deal's invoice is made from: its rows or its value, and whether prices include tax."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from syncjob.core.policy import Invoices
from syncjob.core.records import Account, Contact, Deal, LedgerReference, Line, LineAmounts
from syncjob.core.rules.texts import line_label
from syncjob.errors import Held


class Basis(msgspec.Struct, frozen=True):
    """The rows to invoice, how their prices stand to tax, and where both come from."""

    rows: tuple[Line, ...]
    line_amounts: LineAmounts
    because: str


def basis_of(deal: Deal, policy: Invoices, contact: Contact | None = None) -> Basis:
    """Raises Held: "deal_incomplete", "no_products", "value_is_missing",
    "mixed_tax_methods", "tax_method_missing", "tax_method_differs"."""
    if deal.lines is None or deal.page is None:
        raise Held(
            "deal_incomplete",
            "The deal could not be read in full (its lines or its link are missing).",
            next_step="Nothing: it is read again in the next batch. If it stays, report it.",
        )
    if not deal.lines:
        return _like_contact(_from_value(deal, policy), contact, stated=True)
    rows = tuple(sorted(deal.lines, key=lambda line: (line.order, line.id)))
    amounts, because = _line_amounts(rows, policy)
    stated = policy.tax.amounts == "as_deal" or any(map(_says_method, rows))
    return _like_contact(Basis(rows, amounts, because), contact, stated=stated)


def account_of(
    wanted: str, accounts: tuple[Account, ...], where: str = "invoices.account"
) -> Account:
    """The ledger account by code, else by name without regard to case; `where` says who named it.

    Raises Held: "account_missing", "account_inactive", "account_unusable".
    """
    by_name = (a for a in accounts if a.name.casefold() == wanted.casefold())
    account = next((a for a in accounts if a.code == wanted), None) or next(by_name, None)
    if account is None:
        raise _bad_account("missing", f'The ledger has no account "{wanted}"', where)
    named = f'The account {account.code} "{account.name}"'
    if not account.active:
        raise _bad_account("inactive", f"{named} is archived", where)
    if account.system or account.kind.casefold() == "bank":
        what = f"{named} takes no invoice lines (system or bank account)"
        raise _bad_account("unusable", what, where)
    return account


def check_currency(deal: Deal, ledger: LedgerReference) -> None:
    """Raise Held "currency_not_enabled" for a currency that the organisation does not use."""
    enabled = sorted({*ledger.currencies, ledger.organisation.currency or ""} - {""})
    if deal.currency not in enabled:
        raise Held(
            "currency_not_enabled",
            f"The deal is in {deal.currency}, which the organisation has not enabled "
            f"(it has {', '.join(enabled) or 'none'}).",
            field="currency",
            next_step=f"Add {deal.currency} in the ledger, or change the deal's currency.",
        )


def _bad_account(kind: str, what: str, where: str) -> Held:
    return Held(
        f"account_{kind}",
        f"{what}, so no line can be posted to it.",
        field="account",
        next_step=f"Set {where} to an active revenue account.",
    )


def _from_value(deal: Deal, policy: Invoices) -> Basis:
    if policy.without_products == "hold":
        raise Held(
            "no_products",
            "The deal has no products, so there is nothing to put on an invoice.",
            field="lines",
            next_step="Add its products in the CRM, or set invoices.without_products: one_line.",
        )
    if policy.value_is is None:
        raise Held(
            "value_is_missing",
            "The deal has no products, and nothing says whether its value includes tax.",
            field="value",
            next_step="Set invoices.value_is to net or gross.",
        )
    row = Line(
        id="value", name=deal.title, quantity=Decimal(1), unit_price=deal.value or Decimal(0)
    )
    if policy.tax.amounts == "no_tax":
        return Basis((row,), "no_tax", "one line from the deal's value, without tax")
    amounts: LineAmounts = "exclusive" if policy.value_is == "net" else "inclusive"
    return Basis((row,), amounts, f"one line from the deal's value, which is {policy.value_is}")


def _says_method(row: Line) -> bool:
    """Only a row with a tax percentage says anything: the CRM fills the method into every row."""
    return bool(row.tax_percent) and row.tax_method in ("inclusive", "exclusive")


def _like_contact(basis: Basis, contact: Contact | None, *, stated: bool) -> Basis:
    """The contact's own line-amount type comes before the config's (BOOKKEEPING, "Tax"), but what
    the deal's own prices say of tax is never changed: that is held."""
    own = contact.sales_amounts if contact else None
    if contact is None or own is None or own == basis.line_amounts:
        return basis
    if not stated and "no_tax" not in (own, basis.line_amounts):
        because = f'prices are {own}, as the contact "{contact.name}" says in the ledger'
        return Basis(basis.rows, own, because)
    raise Held(
        "tax_method_differs",
        f'The invoices of the contact "{contact.name}" are {own} of tax by its own settings in '
        f"the ledger, but here {basis.because}.",
        field="tax_method",
        next_step="Change the contact's setting in the ledger, or the deal's tax method.",
    )


def _line_amounts(rows: tuple[Line, ...], policy: Invoices) -> tuple[LineAmounts, str]:
    wanted = policy.tax.amounts
    if wanted == "as_deal":
        return _as_deal(rows)
    if not policy.tax.overrule_crm and wanted != "no_tax":
        _refuse_other_method(rows, wanted)
    return wanted, f"prices are {wanted}, as invoices.tax.amounts says"


def _as_deal(rows: tuple[Line, ...]) -> tuple[LineAmounts, str]:
    methods = sorted({row.tax_method for row in rows if row.tax_method is not None})
    if len(methods) > 1:
        raise Held(
            "mixed_tax_methods",
            f"The deal's lines mix tax methods ({', '.join(methods)}); an invoice has one.",
            field="tax_method",
            next_step="Set one tax method for all lines of the deal.",
        )
    if not methods:
        raise Held(
            "tax_method_missing",
            "The deal does not say whether its prices include tax.",
            field="tax_method",
            next_step="Set the deal's tax method, or set invoices.tax.amounts.",
        )
    return methods[0], f"prices are {methods[0]}, as the deal says"


def _refuse_other_method(rows: tuple[Line, ...], wanted: LineAmounts) -> None:
    """Prices that include tax are never sent as if they did not, nor the other way round."""
    for row in rows:
        if _says_method(row) and row.tax_method != wanted:
            raise Held(
                "tax_method_differs",
                f"The {line_label(row)} has prices {row.tax_method} of tax in the CRM, but "
                f"invoices.tax.amounts says {wanted}.",
                field="tax_method",
                next_step="Change the deal's tax method, or set invoices.tax.amounts: as_deal.",
            )

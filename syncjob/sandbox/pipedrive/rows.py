"""What is attached to a deal: product rows, discounts on the whole, instalments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from syncjob.sandbox.pipedrive import amounts, deals
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import Refusal, invalid, not_found

MAX_RECURRING = 20
FREQUENCIES = ("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly")
_TAX_METHODS = ("inclusive", "exclusive", "none")
_RECURRING_PLANS = ("growth", "premium", "ultimate")


def open_deal(company: Company, deal_id: int) -> Record:
    deal = company.live("deals", deal_id)
    if deal is None:
        raise not_found("Deal")
    if deal["is_archived"]:
        raise Refusal(400, "Archived deals cannot be edited", "ERR_DEAL_ARCHIVED")
    return deal


def add_row(company: Company, deal_id: int, sent: Record, revalue: bool = True) -> Record:
    """Attaches a product; the row takes the deal's currency and, unless told, its tax method."""
    deal = open_deal(company, deal_id)
    product = company.live("products", sent["product_id"])
    if product is None or not product["is_linkable"]:
        raise Refusal(400, f"Product {sent['product_id']} not found", "ERR_VALIDATION")
    others = company.children("rows", deal_id)
    row = {
        "deal_id": deal_id,
        "name": product["name"],
        "product_variation_id": None,
        "order_nr": max((r["order_nr"] for r in others), default=0) + 1,
        "comments": "",
        "currency": deal["currency"],
        "discount": Decimal(0),
        "discount_type": "percentage",
        "tax": product["tax"] or Decimal(0),
        "tax_method": others[0]["tax_method"] if others else company.options.tax_method,
        "is_enabled": True,
        "billing_frequency": product["billing_frequency"],
        "billing_frequency_cycles": product["billing_frequency_cycles"],
        "billing_start_date": None,
        **sent,
    }
    _check_row(company, row, others)
    made = company.add("rows", _summed(company, row))
    _spread_tax_method(company, made, others)
    if revalue:
        deals.revalue(company, deal_id)
    return made


def edit_row(company: Company, deal_id: int, row_id: int, sent: Record) -> Record:
    open_deal(company, deal_id)
    row = _child(company, "rows", deal_id, row_id, "Deal product")
    others = [r for r in company.children("rows", deal_id) if r["id"] != row_id]
    wanted = {**row, **sent}
    if "product_id" in sent:
        product = company.live("products", sent["product_id"])
        if product is None:
            raise Refusal(400, f"Product {sent['product_id']} not found", "ERR_VALIDATION")
        wanted["name"] = product["name"]
    _check_row(company, wanted, others)
    made = company.change("rows", row_id, _summed(company, wanted))
    _spread_tax_method(company, made, others)
    deals.revalue(company, deal_id)
    return made


def remove_row(company: Company, deal_id: int, row_id: int) -> None:
    open_deal(company, deal_id)
    _child(company, "rows", deal_id, row_id, "Deal product")
    company.drop("rows", row_id)
    deals.revalue(company, deal_id)


def _summed(company: Company, row: Record) -> Record:
    options = company.options
    total = amounts.row_sum(row, options.amount_discount == "unit", options.value_includes_tax)
    return {**row, "sum": total}


def _check_row(company: Company, row: Record, others: list[Record]) -> None:
    if row["tax_method"] not in _TAX_METHODS:
        raise invalid("tax_method", f"Invalid tax method '{row['tax_method']}'")
    if row["discount_type"] not in ("percentage", "amount"):
        raise invalid("discount_type", f"Invalid discount type '{row['discount_type']}'")
    if row["billing_frequency"] not in FREQUENCIES:
        raise invalid(
            "billing_frequency", f"Invalid billing frequency '{row['billing_frequency']}'"
        )
    if row["billing_frequency"] == "one-time":
        return
    _plan_allows(company)
    if company.children("installments", row["deal_id"]):
        raise Refusal(
            400, "A deal with installments cannot have recurring products", "ERR_VALIDATION"
        )
    if sum(r["billing_frequency"] != "one-time" for r in others) >= MAX_RECURRING:
        raise Refusal(
            400, f"A deal has at most {MAX_RECURRING} recurring products", "ERR_VALIDATION"
        )


def _plan_allows(company: Company) -> None:
    if company.options.plan not in _RECURRING_PLANS:
        raise Refusal(403, "Feature is not available in this plan", "feature_capping_recurring")


def _spread_tax_method(company: Company, row: Record, others: list[Record]) -> None:
    """One setting for the whole deal: changing it in one row changes the rest."""
    for other in others:
        if other["tax_method"] != row["tax_method"]:
            changed = _summed(company, {**other, "tax_method": row["tax_method"]})
            company.change("rows", other["id"], changed)


def _child(company: Company, kind: str, deal_id: int, key: Any, what: str) -> Record:
    found = company.get(kind, key)
    if found is None or found["deal_id"] != deal_id:
        raise not_found(what)
    return found


def add_discount(company: Company, deal_id: int, sent: Record, user_id: int) -> Record:
    open_deal(company, deal_id)
    if sent["type"] not in ("percentage", "amount"):
        raise invalid("type", f"Invalid discount type '{sent['type']}'")
    by: Record = {"created_by": user_id, "updated_by": user_id, "deal_id": deal_id}
    made = company.add("discounts", {**sent, **by}, company.entropy.uuid())
    deals.revalue(company, deal_id)
    return made


def edit_discount(company: Company, deal_id: int, key: str, sent: Record, user_id: int) -> Record:
    open_deal(company, deal_id)
    _child(company, "discounts", deal_id, key, "Discount")
    made = company.change("discounts", key, {**sent, "updated_by": user_id})
    deals.revalue(company, deal_id)
    return made


def remove_discount(company: Company, deal_id: int, key: str) -> None:
    open_deal(company, deal_id)
    _child(company, "discounts", deal_id, key, "Discount")
    company.drop("discounts", key)
    deals.revalue(company, deal_id)


def add_installment(company: Company, deal_id: int, sent: Record) -> Record:
    """Only on deals with a one-time product and without a recurring one, on Growth and above."""
    open_deal(company, deal_id)
    _plan_allows(company)
    frequencies = {r["billing_frequency"] for r in company.children("rows", deal_id)}
    if frequencies != {"one-time"}:
        raise Refusal(
            400, "Installments need one-time products, and no recurring ones", "ERR_VALIDATION"
        )
    return company.add("installments", {**sent, "deal_id": deal_id})


def edit_installment(company: Company, deal_id: int, key: int, sent: Record) -> Record:
    open_deal(company, deal_id)
    _child(company, "installments", deal_id, key, "Installment")
    return company.change("installments", key, sent)


def remove_installment(company: Company, deal_id: int, key: int) -> None:
    open_deal(company, deal_id)
    _child(company, "installments", deal_id, key, "Installment")
    company.drop("installments", key)

"""Reads both servers after a batch and says what is wrong with one deal."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from tests.engine.cents_model import Expected, Firm, exact, expect


class Judge:
    """What both servers hold after a batch, and what the model says of it."""

    def __init__(self, firm: Firm, crm: dict[str, Any], books: dict[str, Any]) -> None:
        self.firm, self.crm = firm, crm
        self.fields = crm["fields"]["deals"]
        self.invoices: dict[int, list[dict[str, Any]]] = {}
        for invoice in books["invoices"]:
            deal = int(invoice["url"].partition("/deal/")[2].partition("?")[0])
            self.invoices.setdefault(deal, []).append(invoice)

    def _of(self, kind: str, deal: int) -> list[Any]:
        return [row for row in self.crm[kind].values() if row["deal_id"] == deal]

    def expect(self, deal: int) -> Expected:
        row = self.crm["deals"][str(deal)]
        customer = self.crm["organizations"][str(row["org_id"])]["name"]
        rows, discounts = self._of("rows", deal), self._of("discounts", deal)
        return expect(self.firm, row, customer, rows, discounts)

    def wrong(self, deal: int, issues: list[Any]) -> list[str]:
        """What is not as it must be, in words; nothing if all is well."""
        expected, invoices = self.expect(deal), self.invoices.get(deal, [])
        if expected.holds:
            return [*self._held(deal, expected, issues), *(["invoiced"] if invoices else [])]
        if len(invoices) != 1:
            return [f"{len(invoices)} invoices, issues {[(i.code, i.what) for i in issues]}"]
        one = invoices[0]
        told = self._told(deal, one)
        return [*self._sums(deal, expected, one), *self._issue(expected, one, issues), *told]

    def _held(self, deal: int, expected: Expected, issues: list[Any]) -> list[str]:
        found = [
            f"{i.code} is no true reason: {i.what}" for i in issues if i.code not in expected.holds
        ]
        told = self._fields(deal)
        if len(issues) != 1:
            found.append(f"{len(issues)} issues")
        if told.get("Invoice status") != "held" or not told.get("Invoice note"):
            found.append(f"the deal does not say why it is held: {told}")
        return found

    def _sums(self, deal: int, expected: Expected, invoice: dict[str, Any]) -> list[str]:
        found = []
        for name in ("subtotal", "total"):
            wanted = expected.sub_total if name == "subtotal" else expected.total
            if Fraction(invoice[name]) != wanted:
                found.append(f"{name} is {invoice[name]}, not {float(wanted)}")
        if [Fraction(line["line_amount"]) for line in invoice["lines"]] != expected.lines:
            found.append(f"lines {[line['line_amount'] for line in invoice['lines']]}")
        if invoice["currency"] != self.crm["deals"][str(deal)]["currency"]:
            found.append(f"currency {invoice['currency']}")
        return found

    def _issue(self, expected: Expected, invoice: dict[str, Any], issues: list[Any]) -> list[str]:
        wanted = "AUTHORISED" if self.firm.full and not expected.doubt else "DRAFT"
        found = [] if invoice["status"] == wanted else [f"is {invoice['status']}, not {wanted}"]
        codes = [issue.code for issue in issues]
        if codes != (["totals_differ"] if expected.doubt else []):
            found.append(f"issues {[(i.code, i.what) for i in issues]}")
        if expected.doubt and codes:
            sums = (expected.sub_total, expected.total)
            if not any(f"the invoice {float(s):,.2f}" in issues[0].what for s in sums):
                found.append(f"does not show both sums: {issues[0].what}")
        return found

    def _told(self, deal: int, invoice: dict[str, Any]) -> list[str]:
        told, raw = self._fields(deal), self._raw(deal)
        word = "awaiting payment" if invoice["status"] == "AUTHORISED" else "draft"
        found = [] if told.get("Invoice status") == word else [f"the deal says {told}"]
        for name in ("Invoice total", "Invoice due"):
            if told.get(name) is None or exact(told[name]) != Fraction(invoice["total"]):
                found.append(f"the deal's {name} is {told.get(name)}, not {invoice['total']}")
            if raw[name].get("currency") != invoice["currency"]:
                found.append(f"the deal's {name} is {raw[name]}")
        return found

    def _raw(self, deal: int) -> dict[str, Any]:
        custom = self.crm["deals"][str(deal)]["custom_fields"]
        return {self.fields[code]["field_name"]: value for code, value in custom.items()}

    def _fields(self, deal: int) -> dict[str, Any]:
        made = {}
        for code, value in self.crm["deals"][str(deal)]["custom_fields"].items():
            options = {o["id"]: o["label"] for o in self.fields[code].get("options") or ()}
            value = value["value"] if isinstance(value, dict) and "value" in value else value
            made[self.fields[code]["field_name"]] = options.get(value, value) if options else value
        return made

    def shown(self, deal: int) -> str:
        """The deal as a failure shows it."""
        keys = ("item_price", "quantity", "discount", "discount_type", "tax", "tax_method", "sum",
                "is_enabled", "billing_frequency")  # fmt: skip
        row = self.crm["deals"][str(deal)]
        rows = [{k: r[k] for k in keys} for r in self._of("rows", deal)]
        off = [(d["type"], d["amount"]) for d in self._of("discounts", deal)]
        return json.dumps([row["currency"], row["value"], rows, off])

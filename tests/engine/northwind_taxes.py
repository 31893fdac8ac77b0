"""830 real orders under four kinds of tax, each invoice judged to the cent, in fractions.

Issue 5, "What it must show", 3: British prices with 20% inside, Australian ones with 10% on top,
American rates as the firm lists them by state and customer, and exports at zero beside sales at
home. The judge reads the ledger's HTTP face and the orders' own files; of syncjob it knows nothing.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import structlog

from syncjob.sandbox.pipedrive.load import load_directory
from tests.engine import northwind
from tests.engine.world import World
from tests.worked.face import Face

Row = dict[str, str]

ORDERS = 830
#: What the American firm lists, by the state's postal code; all other states are exempt.
STATES = {"WA": "6.5", "CA": "7.25", "NM": "5.125", "ID": "6", "WY": "4"}
#: A reseller, wherever it is.
RESELLER = "Save-a-lot Markets"


@dataclass(frozen=True)
class Firm:
    """A seller of these goods: where it is, what its config says, and its tax on a customer."""

    name: str
    region: str
    currency: str
    amounts: str
    tax: Callable[[Row], tuple[str, str]]  # of a customer: the rate's name and its percentage
    rules: list[Any] = field(default_factory=list)
    rates: list[Any] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        invoices = {"tax": {"amounts": self.amounts, "rules": self.rules}, **self.more}
        return {
            "region": self.region,
            "crm": {"currency": self.currency},
            "config": {"invoices": invoices, "guard": {"times_largest": "1000000"}},
        }


def _britain(_customer: Row) -> tuple[str, str]:
    return "20% (VAT on Income)", "20"


def _australia(_customer: Row) -> tuple[str, str]:
    return "GST on Income", "10"


def _america(customer: Row) -> tuple[str, str]:
    state = customer["Region"] if customer["Country"] == "USA" else ""
    if customer["CompanyName"] == RESELLER or state not in STATES:
        return "Tax Exempt", "0"
    return f"Sales Tax {state}", STATES[state]


def _exporter(customer: Row) -> tuple[str, str]:
    home = customer["Country"] == "UK"
    return ("20% (VAT on Income)", "20") if home else ("Zero Rated Income", "0")


def _rule(name: str, rate: str, **when: Any) -> dict[str, Any]:
    return {"name": name, "rate": rate, "when": when}


FIRMS = (
    Firm("uk-inclusive", "UK", "GBP", "inclusive", _britain),
    Firm("au-exclusive", "AU", "AUD", "exclusive", _australia),
    Firm(
        "us-listed", "US", "USD", "exclusive", _america,
        rules=[
            _rule("resellers", "Tax Exempt", customers=[RESELLER]),
            *[_rule(s, f"Sales Tax {s}", countries=["US"], regions=[s]) for s in STATES],
            _rule("states without", "Tax Exempt", countries=["US"], regions=["OR", "AK", "MT"]),
            _rule("abroad", "Tax Exempt", outside=["US"]),
        ],
        rates=[{"name": f"Sales Tax {s}", "percent": p} for s, p in STATES.items()],
        more={"country": "US"},
    ),
    Firm(
        "uk-exports", "UK", "GBP", "exclusive", _exporter,
        rules=[
            _rule("exports", "Zero Rated Income", outside=["home"]),
            _rule("at home", "20% (VAT on Income)"),
        ],
    ),
)  # fmt: skip


def play(firm: Firm, folder: Path, share: int = 0) -> list[str]:
    """Sells the orders (`share`: the first so many), runs a batch; what is wrong in the books."""
    w = World(folder, **firm.options())
    try:
        for rate in firm.rates:
            w.books("add_tax_rate", **rate)
        csv = northwind.write_csv(folder / "csv", currency=firm.currency, share=share)
        load_directory(w.pipedrive, csv)
        w.init()
        report = w.run()
        face = Face(w.base)
        try:
            found = face.invoices()
        finally:
            face.close()
        orders = {int(d["id"]): d["title"].split()[1] for d in w.crm_state()["deals"].values()}
        wrong = [f"{i.subject}: {i.code}: {i.what}" for i in report.issues]
        return wrong + judge(firm, {orders[deal]: rows for deal, rows in found.items()}, share)
    finally:
        w.close()


def judge(firm: Firm, found: dict[str, list[dict[str, Any]]], share: int = 0) -> list[str]:
    """What of the invoices, by their order's number, is not as the orders' own files say."""
    customers = {c["CustomerID"]: c for c in northwind.rows("Customers.csv")}
    lines: dict[str, list[Row]] = {}
    for row in northwind.rows("OrderDetails.csv"):
        lines.setdefault(row["OrderID"], []).append(row)
    wrong = []
    orders = northwind.rows("Orders.csv")[: share or None]
    for order in orders:
        number, customer = order["OrderID"], customers[order["CustomerID"]]
        made = found.get(number, [])
        if len(made) != 1:
            wrong.append(f"order {number} has {len(made)} invoices")
            continue
        wrong += [f"order {number}: {w}" for w in _one(firm, customer, lines[number], made[0])]
    strangers = set(found) - {order["OrderID"] for order in orders}
    return wrong + [f"an invoice of {number}, which nobody ordered" for number in strangers]


def _one(firm: Firm, customer: Row, rows: list[Row], invoice: dict[str, Any]) -> list[str]:
    """The differences of one invoice, line by line and in its sums."""
    rate, percent = firm.tax(customer)
    inside = firm.amounts == "inclusive"
    expected = []
    for row in rows:
        exact = Fraction(row["UnitPrice"]) * Fraction(row["Quantity"])
        amount = _cents(exact * (1 - Fraction(row["Discount"])))
        base = 100 + Fraction(percent) if inside else Fraction(100)
        expected.append((amount, _cents(amount * Fraction(percent) / base), rate))
    lines = sorted((line["amount"], line["of_tax"], line["tax"]) for line in invoice["lines"])
    wrong = [] if lines == sorted(expected) else [f"lines {lines}, not {sorted(expected)}"]
    amounts, tax = sum(a for a, _, _ in expected), sum(t for _, t, _ in expected)
    sums = {"sub_total": amounts - (tax if inside else 0), "total_tax": tax}
    sums["total"] = sums["sub_total"] + tax
    wrong += [f"{n} is {invoice[n]}, not {s}" for n, s in sums.items() if invoice[n] != s]
    name = " ".join(customer["CompanyName"].split())  # Xero keeps no runs of spaces
    if invoice["customer"] != name:
        wrong.append(f"it is {invoice['customer']}'s, not {name}'s")
    return wrong


def _cents(exact: Fraction) -> Fraction:
    return Fraction(int(exact * 100 + Fraction(1, 2)), 100)


def main() -> int:
    """`make northwind-taxes`: all orders of all four firms."""
    if not northwind.DATA.is_dir():
        print("skipped: ../shared/data/northwind is not at hand (it is not part of the project)")
        return 0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    failed = False
    for firm in FIRMS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            wrong = play(firm, Path(folder))
        failed = failed or bool(wrong)
        words = "\n".join(wrong[:10]) or f"{ORDERS} invoices, every line and total to the cent"
        print(f"{firm.name}: {words} ({time.monotonic() - began:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

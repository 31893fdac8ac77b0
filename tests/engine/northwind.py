"""Northwind (89 customers, 830 orders) as CSV for the sandbox's CRM, its sums in fractions.

The data is not part of the project; tests that need it are skipped where it is not at hand.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "northwind"


def require_data() -> None:
    if not DATA.is_dir():
        pytest.skip("../shared/data/northwind is not at hand (it is not part of the project)")


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(
    folder: Path, won: str = "2026-11-20 09:00:00", currency: str = "AUD", share: int = 0
) -> Path:
    """The orders as won deals of the customers that ordered; returns the folder.

    `share`: only the first so many orders.
    """
    orders, details = rows("Orders.csv")[: share or None], rows("OrderDetails.csv")
    wanted = {order["OrderID"] for order in orders}
    details = [d for d in details if d["OrderID"] in wanted]
    buyers = {order["CustomerID"] for order in orders}
    customers = [c for c in rows("Customers.csv") if c["CustomerID"] in buyers]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "organizations.csv", [
        {"id": c["CustomerID"], "name": c["CompanyName"], "address_route": c["Address"],
         "address_locality": c["City"], "address_postal_code": c["PostalCode"],
         "address_admin_area_level_1": c["Region"],
         "address_country": c["Country"]}
        for c in customers
    ])  # fmt: skip
    _write(folder / "persons.csv", [
        {"id": f"P-{c['CustomerID']}", "name": c["ContactName"], "org": c["CustomerID"],
         "phones": c["Phone"]}
        for c in customers
    ])  # fmt: skip
    _write(folder / "products.csv", [
        {"id": p["ProductID"], "name": p["ProductName"], "code": f"NW{p['ProductID']}"}
        for p in rows("Products.csv")
    ])  # fmt: skip
    _write(folder / "deals.csv", [
        {"id": o["OrderID"], "title": f"Order {o['OrderID']}", "org": o["CustomerID"],
         "person": f"P-{o['CustomerID']}", "currency": currency, "status": "won", "won_time": won}
        for o in orders
    ])  # fmt: skip
    _write(folder / "lines.csv", [
        {"deal": d["OrderID"], "product": d["ProductID"], "price": d["UnitPrice"],
         "quantity": d["Quantity"], "discount": _percent(d["Discount"]),
         "discount_type": "percentage", "tax": "0"}
        for d in details
    ])  # fmt: skip
    return folder


def _percent(share: str) -> str:
    percent = Fraction(share) * 100
    return str(percent.numerator if percent.denominator == 1 else float(percent))


def order_totals() -> dict[str, Fraction]:
    """Each order's total: the sum of its lines, each rounded half up to the cent."""
    totals: dict[str, Fraction] = {}
    for d in rows("OrderDetails.csv"):
        exact = Fraction(d["UnitPrice"]) * Fraction(d["Quantity"]) * (1 - Fraction(d["Discount"]))
        cents = int(exact * 100 + Fraction(1, 2))
        totals[d["OrderID"]] = totals.get(d["OrderID"], Fraction(0)) + Fraction(cents, 100)
    return totals


def _write(path: Path, table: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)

"""A made-up business as CSV files for the sandbox's CRM: the same from the same seed."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

SEED = 20260801
#: The size of the first load: that of the Northwind sample, so that both rows can be compared.
DEALS, CUSTOMERS, LINES = 830, 89, 2155
PRODUCTS = 77
_NAMES = ("Harbour", "Zürich", "Émile", "Kestrel", "Ōtautahi", "Blue Gum", "Şahin", "Norfolk")
_TRADES = ("Coffee", "Cycles", "Print", "Joinery", "Foods", "Travel", "Optics")

Row = dict[str, str]


def write_csv(folder: Path, *, won: str, deals: int, customers: int, lines: int) -> Path:
    """Write `deals` won deals with `lines` lines in all; returns the folder.

    Each deal has at least one line; amounts, discounts (0 to 25 percent) and quantities differ.
    """
    chance = Random(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    names = [_name(number) for number in range(customers)]
    _write(folder / "organizations.csv", [
        {"id": f"C{n}", "name": name, "address_locality": "Sydney", "address_country": "Australia"}
        for n, name in enumerate(names)
    ])  # fmt: skip
    _write(folder / "persons.csv", [
        {"id": f"P{n}", "name": f"Person {n}", "org": f"C{n}", "emails": f"p{n}@example.com"}
        for n in range(customers)
    ])  # fmt: skip
    _write(folder / "products.csv", [
        {"id": f"A{n}", "name": f"Article {n}", "code": f"A-{n}"} for n in range(PRODUCTS)
    ])  # fmt: skip
    _write(folder / "deals.csv", [
        {"id": str(n + 1), "title": f"Order {n + 1}", "org": f"C{n % customers}",
         "person": f"P{n % customers}", "currency": "AUD", "status": "won", "won_time": won}
        for n in range(deals)
    ])  # fmt: skip
    owners = [*range(deals), *(chance.randrange(deals) for _ in range(lines - deals))]
    _write(folder / "lines.csv", [_line(chance, deal + 1) for deal in owners])
    return folder


def _name(number: int) -> str:
    return f"{_NAMES[number % len(_NAMES)]} {_TRADES[number % len(_TRADES)]} {number} Pty"


def _line(chance: Random, deal: int) -> Row:
    cents = chance.randrange(100, 50_000)
    return {
        "deal": str(deal), "product": f"A{chance.randrange(PRODUCTS)}",
        "price": f"{cents // 100}.{cents % 100:02d}", "quantity": str(chance.randrange(1, 40)),
        "discount": str(chance.choice((0, 0, 0, 5, 10, 15, 25))),
        "discount_type": "percentage", "tax": "0",
    }  # fmt: skip


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

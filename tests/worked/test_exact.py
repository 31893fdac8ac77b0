"""Issue 5, "What it must show", 2: no amount is ever a float, on its way from CRM to ledger."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from syncjob.core import records
from syncjob.core.actions import InvoiceDraft
from syncjob.core.rules import arithmetic
from tests.engine.scenes import sell
from tests.engine.world import World
from tests.worked.face import Face

SOURCE = Path(__file__).parents[2] / "syncjob"
#: Where amounts are computed, read from the vendors' JSON and written to it.
MONEY = sorted(
    [
        *(SOURCE / "core" / "rules").glob("*.py"),
        *(SOURCE / "connectors").glob("*/codec*.py"),
        SOURCE / "core" / "money.py",
        SOURCE / "connectors" / "xero" / "sdk.py",
        SOURCE / "connectors" / "xero" / "values.py",
    ]
)


def test_the_places_are_there() -> None:
    assert len(MONEY) >= 15


@pytest.mark.parametrize("path", MONEY, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_code_that_handles_amounts_knows_no_float(path: Path) -> None:
    """Neither a literal such as 0.1 nor a call or a type `float`, except to refuse one."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{node.lineno}: {node.value}")
        if isinstance(node, ast.Name) and node.id == "float" and not _refused(path, node):
            found.append(f"{node.lineno}: float")
    assert not found


def _refused(path: Path, node: ast.Name) -> bool:
    """Whether the line asks whether something is a float, to refuse it."""
    line = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1]
    return "isinstance(" in line and "not " in line


@pytest.mark.parametrize(
    "struct", [records.Line, records.InvoiceLine, records.Invoice, records.Deal, records.Payment,
               records.Discount, records.Instalment, records.TaxRate, InvoiceDraft,
               arithmetic.Prediction, arithmetic.LineSum],
)  # fmt: skip
def test_no_record_has_a_field_for_a_float(struct: type[msgspec.Struct]) -> None:
    for field in msgspec.inspect.type_info(struct).fields:  # type: ignore[attr-defined]
        assert "Float" not in repr(field.type), field.name


#: More digits than a float of 15 or 16 holds for certain, and tenths that no float holds.
PRICES = ("99999999.9999", "0.1", "12345678.1234", "0.0001", "1.005")
QUANTITIES = ("1.0001", "3", "0.3333", "1234.5678", "2.675")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, config={"invoices": {"tax": {"amounts": "no_tax"}}})
    made.init()
    yield made
    made.close()


def test_every_digit_arrives(world: World) -> None:
    """From Pipedrive's JSON over our state to the bytes sent to Xero and what it then shows."""
    w = world
    lines = [
        {"name": f"Part {n}", "price": float(p), "quantity": float(q)}
        for n, (p, q) in enumerate(zip(PRICES, QUANTITIES, strict=True))
    ]
    deal, mark = sell(w, lines=lines), w.mark()
    w.run()
    [sent] = [c for c in w.since(mark) if c["method"] == "PUT" and "Invoices" in c["path"]]
    for price, quantity in zip(PRICES, QUANTITIES, strict=True):
        assert f'"UnitAmount":{price}' in sent["body"], sent["body"]
        assert f'"Quantity":{quantity}' in sent["body"], sent["body"]
    face = Face(w.base)
    [invoice] = face.invoices()[deal]
    face.close()
    found = [(line["price"], line["quantity"]) for line in invoice["lines"]]
    assert found == [(Decimal(p), Decimal(q)) for p, q in zip(PRICES, QUANTITIES, strict=True)]
    _nothing_real(w.folder)


def _nothing_real(folder: Path) -> None:
    """No value in our state's files is a REAL."""
    for path in folder.rglob("*.db"):
        base = sqlite3.connect(path)
        tables = base.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (table,) in tables:
            for column in base.execute(f'pragma table_info("{table}")').fetchall():
                kinds = base.execute(f'select distinct typeof("{column[1]}") from "{table}"')
                assert ("real",) not in kinds.fetchall(), (path.name, table, column[1])
        base.close()

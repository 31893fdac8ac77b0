"""The YAML of docs/after-the-invoice.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.scenes import awaiting, codes, invoice_of, minutes, number_of, sell
from tests.engine.world import World

PAGE = Path(__file__).parents[2] / "docs" / "after-the-invoice.md"
PIECES: dict[str, dict[str, Any]] = {
    found[1]: yaml.safe_load(found[2])
    for found in re.finditer(r"```yaml\n# (\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
}


@pytest.fixture
def world(tmp_path):
    """A world with one piece of the page as its config."""
    made = []

    def build(name: str) -> World:
        w = World(tmp_path, config=PIECES[name])
        made.append(w)
        w.init()
        return w

    yield build
    for w in made:
        w.close()


def test_every_piece_is_played():
    assert set(PIECES) == {"recurring", "email", "page", "early"}
    assert PAGE.read_text("utf-8").count("```yaml") == len(PIECES)


def test_recurring(world):
    w = world("recurring")
    support = {"name": "Support", "price": 40, "quantity": 1, "tax": 10}
    deal = sell(w, lines=[support | {"billing_frequency": "monthly"}])
    assert codes(w.run()) == ["template_to_approve"]
    assert invoice_of(w, deal)["total"] == "44.00"
    assert len(w.organisation()["templates"]) == 1


def test_email(world):
    w = world("email")
    w.crm("create_org", name="Trial Ltd")
    w.crm("create_person", name="Pat", org="Trial Ltd", emails=["pat@example.com"])
    sell(w, "Trial Ltd", person="Pat")
    sell(w)
    w.run()
    assert [mail["To"] for mail in w.organisation()["emails"]] == ["pat@example.com"]


def test_page(world):
    w = world("page")
    deal = awaiting(w)
    assert w.deal_fields(deal)["Customer page"].startswith("https://in.xero.com/")


def test_early(world):
    w = world("early")
    deal = awaiting(w)
    w.books("pay", invoice=number_of(w, deal), amount="107.80")
    minutes(w, 5)
    assert codes(w.run()) == ["early_payment_taken"]

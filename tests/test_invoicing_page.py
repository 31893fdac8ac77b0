"""docs/invoicing.md cannot rot: each example is loaded by the real loader and played over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncjob.core.policy_rules import InvoiceWhen, PostedWhen
from tests.engine.conftest import make_world  # noqa: F401  the fixture
from tests.engine.scenes import codes, invoice_of, sell
from tests.engine.world import World

PAGE = Path(__file__).parent.parent / "docs" / "invoicing.md"
TEXT = PAGE.read_text(encoding="utf-8")
CURRENCIES = {"AU": "AUD", "UK": "GBP", "US": "USD", "NZ": "NZD"}
_FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.M | re.S)


def examples() -> list[Any]:
    """(rules, what is played with them) by the heading that both stand under."""
    found = []
    for section in re.split(r"^#+ ", TEXT, flags=re.M)[1:]:
        blocks = [yaml.load(b, yaml.BaseLoader) for b in _FENCED.findall(section)]
        if blocks:
            rules, played = blocks
            found.append(pytest.param(rules, played, id=section.partition("\n")[0]))
    return found


def test_every_condition_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.M))
    assert explained == {*PostedWhen.model_fields, *InvoiceWhen.model_fields}


def test_each_kind_of_rule_is_shown() -> None:
    shown = {key for example in examples() for key in example.values[0].get("invoices", {})}
    assert shown >= {
        "account_rules", "tracking_rules", "extra_lines", "texts", "value_is", "deal_discount",
        "terms", "currency_rates", "status_rules", "branding_rules", "rounding", "tax", "supply",
    }  # fmt: skip


@pytest.mark.parametrize(("rules", "played"), examples())
def test_the_example_says_what_happens(make_world: Any, rules: Any, played: Any) -> None:  # noqa: F811
    region = played.get("region", "AU")
    world: World = make_world(region=region, crm={"currency": CURRENCIES[region]})
    themes = _set_up(world, played)
    world.overrides = {**rules, "guard": {"times_largest": 1000}}
    given = dict(played["deal"])
    address = given.pop("address", None)
    world.crm("create_org", name="Acme", **({"address": address} if address else {}))
    lines = [{"quantity": 1, "tax": 0, **_numbers(line)} for line in given.pop("lines", [])]
    discounts = [_numbers(discount) for discount in given.pop("discounts", [])]
    given = {"currency": CURRENCIES[region], **_numbers(given)}
    value = given.pop("value", None)
    deal = sell(world, "Acme", lines=lines, discounts=discounts, **given)
    if value is not None:
        world.crm("edit_deal", deal=deal, value=value)
    report = world.run()
    assert codes(report) == ([played["held"]] if "held" in played else [])
    if "invoice" in played:
        _compare(invoice_of(world, deal), played["invoice"], themes)
    else:
        assert world.invoices() == []


def _set_up(world: World, played: Any) -> dict[str, str]:
    """What the example takes for granted in both accounts; the ids of its themes by name."""
    for name, kind in played.get("fields", {}).items():
        world.crm("create_field", name=name, type=kind)
    for name, options in played.get("tracking", {}).items():
        world.books("add_tracking", name=name, options=options)
    for name, percent in played.get("rates", {}).items():
        world.books("add_tax_rate", name=name, percent=percent)
    made = {name: world.books("add_theme", name=name) for name in played.get("themes", [])}
    return {name: theme["done"]["BrandingThemeID"] for name, theme in made.items()}


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """The amounts of a deal as numbers, as people type them; other texts stay."""
    plain = {"price", "quantity", "amount", "value", "tax", "discount"}
    made = {k: float(v) if k in plain else v for k, v in row.items()}
    if "enabled" in made:
        made["enabled"] = made["enabled"] == "true"
    if isinstance(made.get("fields"), dict) and "Freight" in made["fields"]:
        made["fields"] = {"Freight": float(made["fields"]["Freight"])}
    return made


def _compare(found: dict[str, Any], wanted: dict[str, Any], themes: dict[str, str]) -> None:
    for key, value in wanted.items():
        if key == "theme":
            assert found["theme_id"] == themes[value]
        elif key != "lines":
            assert found[key] == value, key
    assert len(found["lines"]) == len(wanted["lines"])
    for line, said in zip(found["lines"], wanted["lines"], strict=True):
        for key, value in said.items():
            shown = line[key]
            if key == "tracking":
                shown = [text for t in shown for text in (t["Name"], t["Option"])]
            assert (shown or "~") == value, key

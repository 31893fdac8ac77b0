"""docs/hubspot.md cannot rot: its configs are loaded and tried, its words are the program's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncjob.config import load_config
from syncjob.connectors.hubspot.options import INIT_SCOPES, SCOPES
from syncjob.connectors.registry import register_all
from syncjob.core.relink import Refused, RelinkReport
from syncjob.reports.relink import relink_lines
from syncjob.reports.relink_csv import read_map
from tests.engine.conftest import make_world  # noqa: F401  the fixture
from tests.engine.scenes import billed
from tests.engine.world import World

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "hubspot.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.M | re.S)
CONFIGS = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml"]
KEYS = {"HUBSPOT_ACCESS_TOKEN": "t", "HUBSPOT_CLIENT_ID": "i", "HUBSPOT_CLIENT_SECRET": "s"}


@pytest.mark.parametrize("part", CONFIGS, ids=lambda part: ",".join(part["crm"]))
def test_each_config_loads(part: dict[str, Any], tmp_path: Path) -> None:
    register_all()
    whole = yaml.safe_load((ROOT / "config.hubspot.example.yaml").read_text(encoding="utf-8"))
    whole["connection"] |= part.get("connection", {})
    whole["invoices"] |= part.get("invoices", {})
    whole["crm"] = {"type": "hubspot", **part["crm"]}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    assert load_config(path, env=KEYS).crm.type == "hubspot"


def test_the_first_config_is_sound_on_the_sandbox(make_world: Any) -> None:  # noqa: F811
    crm = {k: v for k, v in CONFIGS[0]["crm"].items() if k != "access_token"}
    world: World = make_world(init=False, crm="hubspot", config={"crm": crm})
    world.crm("add_stage", pipeline="default", name="Paid")
    world.crm("edit_stage", stage="Paid", probability="1.0")
    world.init()
    billed(world)


def test_every_scope_is_named_and_no_other() -> None:
    rows = "\n".join(re.findall(r"^\| `(?:crm\.|tax_rates).*$", TEXT, re.M))
    assert set(re.findall(r"`((?:crm\.|tax_rates)[\w.]+)`", rows)) == {*SCOPES, *INIT_SCOPES}


def test_the_map_that_is_shown_can_be_read() -> None:
    shown = next(text for _, text in BLOCKS if text.startswith("kind,old"))
    rows, refused = read_map(shown.encode(), "map.csv", vendor="hubspot")
    assert [row.kind for row in rows] == ["deals", "contacts", "deals"] and not refused


def test_what_relink_says_is_what_it_says() -> None:
    report = RelinkReport(
        connection="test", account="HubSpot account 26543210", old_code="SJ", code="SK",
        first=True, deals=5, invoiced=3, contacts=1, linked=1, without_count=1,
        without=("deal 5: INV-0005, 110.00 AUD, due 110.00",),
        refused=(Refused(7, "the new CRM shows no person 999", missing=True),),
    )  # fmt: skip
    assert "\n".join(relink_lines(report)[:7]) in TEXT


def test_every_property_of_a_deal_is_told_of(make_world: Any) -> None:  # noqa: F811
    world: World = make_world(crm="hubspot")
    shown = TEXT[TEXT.index("## Properties") : TEXT.index("## How a deal")]
    made = [f for f in world.crm_state()["fields"]["deals"].values()
            if f["field_code"].startswith("syncjob_")]  # fmt: skip
    assert len(made) == 13
    for field in made:
        assert field["field_name"].split()[-1] in shown

"""The CSV files and the sample firm, as HubSpot has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncjob.sandbox.csvcells import LoadError
from syncjob.sandbox.hubspot import sample
from syncjob.sandbox.hubspot.load import load_directory
from syncjob.sandbox.kernel import Clock, Entropy
from syncjob.sandbox.pipedrive import PipedriveServer
from syncjob.sandbox.pipedrive import sample as pipedrive_sample
from tests.sandbox.hubspot_support import NOON, Hub

ORGS = "id,name,address_route,address_locality,address_country\nA1,Acme,High St,Perth,Australia\n"
DEALS = (
    "id,title,org,owner,currency,status,won_time,pipeline,stage,field:PO:varchar,add_time\n"
    "1042,Spring,A1,Ann,GBP,won,2026-11-02T09:00:00Z,Projects,Quoted,PO-1,2026-10-01\n"
    "X7,Autumn,A1,Ann,GBP,open,,Projects,Agreed,,\n"
)
LINES = (
    "deal,code,name,price,quantity,discount,tax\n"
    "1042,W,Widget,99.50,2,10,20\n1042,S,Service,50,1,,20\nX7,W,Widget,10,1,,\n"
)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_files_become_records_with_their_ids_times_and_values(tmp_path: Path) -> None:
    hub = Hub(index_lag_max_s=20)
    counts = load_directory(
        hub.server, write(tmp_path, organizations=ORGS, deals=DEALS, lines=LINES)
    )
    assert counts == {"organizations.csv": 1, "deals.csv": 2, "lines.csv": 3}
    state = hub.server.dump()
    deal = state["deals"]["1042"]
    assert (deal["title"], deal["status"], deal["value"]) == ("Spring", "won", 229.1)
    assert deal["custom_fields"] == {"po": "PO-1"}
    assert deal["properties"]["createdate"] == "2026-10-01T00:00:00.000Z"
    assert deal["properties"]["closedate"] == "2026-11-02T09:00:00.000Z"
    assert deal["properties"]["hs_lastmodifieddate"] == "2026-11-02T09:00:00.000Z"
    org = state["organizations"][str(deal["org_id"])]
    assert org["address"]["city"] == "Perth" and org["name"] == "Acme"
    names = [state["users"][str(deal["owner_id"])]["name"], state["stages"][deal["stage_id"]]]
    assert names[0] == "Ann" and names[1]["name"] == "Closed won"
    other = state["deals"][str(state["external_ids"]["deals"]["X7"])]
    assert state["stages"][other["stage_id"]]["name"] == "Agreed"
    assert len(state["products"]) == 2
    assert len(hub.found("deals")) == 2  # nothing loaded is late


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    deals = "id,title,value,is_archived,nothing\n1,A,ten,,\n2,,1,,\n3,C,1,true,\n3,D,1,,\n"
    lines = "deal,name,price,tax_method\n9,W,1,\n1,W,1,inclusive\n4,W,1\n"
    with pytest.raises(LoadError) as caught:
        load_directory(Hub().server, write(tmp_path, deals=deals, lines=lines))
    told = "\n".join(caught.value.problems)
    for words in (
        "deals.csv:1: unknown column 'nothing'",
        "deals.csv:2: value",
        "deals.csv:3: title",
        "deals.csv:4: is_archived",
        "lines.csv:2:",
        "lines.csv:4: wrong number",
    ):
        assert words in told, told


def test_without_deals_there_is_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"no deals\.csv"):
        load_directory(Hub().server, tmp_path)


def test_the_sample_firm_is_the_same_in_both_crms() -> None:
    hub = Hub()
    sample.fill(hub.server)
    other = PipedriveServer(Clock(NOON), Entropy(1))
    pipedrive_sample.fill(other)
    ours, theirs = hub.server.dump(), other.dump()

    def told(state: dict[str, dict[str, dict[str, object]]]) -> list[tuple[object, ...]]:
        names = {k: o["name"] for k, o in state["organizations"].items()}
        return [(d["title"], d["status"], d["currency"], d["won_time"],
                 names.get(str(d["org_id"])))
                for d in state["deals"].values()]  # fmt: skip

    assert told(ours) == told(theirs)
    nets = {d["title"]: d["value"] for d in ours["deals"].values()}
    assert nets["Filters for the roastery"] == 2958

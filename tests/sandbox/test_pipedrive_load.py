"""A directory of CSV files becomes a company: ids, links, values, fields; and what is said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from syncjob.sandbox.pipedrive.load import LoadError, load_directory

from .test_pipedrive import World

FILES = {
    "users.csv": "id,name,email\n7,Tom,tom@x.example\n",
    "organizations.csv": "id,name,address,address_country,owner,field:VAT\n"
    "ACME,Acme,1 High St,UK,7,GB1\n22,Café Émile,,,,\n",
    "persons.csv": "id,name,org,emails,phones\np1,Ann Lee,ACME,a@x.example;b@x.example,+44 1\n",
    "products.csv": "id,name,code,price,tax\n11,Chai,CH,18,0\n",
    "deals.csv": "id,title,org,person,owner,value,currency,won_time,pipeline,stage,field:PO,"
    "field:Budget:monetary\n"
    "10248,First,ACME,p1,7,1,EUR,2026-01-05T10:00:00Z,Sales,Won,PO-1,99.50\n"
    "X-2,Second,22,,,250.10,gbp,,Sales,Lead,,\n",
    "lines.csv": "deal,product,price,quantity,discount\n10248,11,14,12,5\n10248,Tea,2.50,1,\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
    return tmp_path


def test_everything_arrives_with_its_links_and_times(folder: Path) -> None:
    world = World()
    counts = load_directory(world.server, folder)
    assert counts["deals.csv"] == 2 and counts["lines.csv"] == 2
    first, second = sorted(world.data("GET", "deals"), key=lambda d: d["title"])
    assert (first["id"], first["status"], first["value"]) == (10248, "won", 162.1)
    assert first["won_time"][:19] == first["update_time"][:19] == "2026-01-05T10:00:00"
    assert first["owner_id"] == 7 and first["pipeline_id"] == second["pipeline_id"] != 1
    assert (second["org_id"], second["value"], second["currency"]) == (22, 250.1, "GBP")
    codes = {f["field_name"]: f["field_code"] for f in world.data("GET", "dealFields")}
    assert first["custom_fields"][codes["PO"]] == "PO-1"
    assert first["custom_fields"][codes["Budget"]] == {"value": 99.5, "currency": "GBP"}
    person = world.data("GET", f"persons/{first['person_id']}")
    assert [e["value"] for e in person["emails"]] == ["a@x.example", "b@x.example"]
    assert world.act("win", deal="X-2")["status"] == "won"
    assert world.data("GET", "organizations/search", term="emil")["items"] == []
    assert len(world.data("GET", "organizations/search", term="émil")["items"]) == 1


def test_deals_alone_are_enough(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("title,org,owner,value\nA,Acme,Tom,10\nB,Acme,Tom,20\n")
    world = World()
    load_directory(world.server, tmp_path)
    assert len(world.data("GET", "organizations")) == 1 and world.ids("deals") == [1, 2]


def test_all_that_is_wrong_is_said_with_file_and_line(folder: Path) -> None:
    (folder / "deals.csv").write_text(
        "id,title,org,value,status,won_time,colour\n"
        "1,A,Nobody,1,,,\n2,,ACME,1,,,\n3,C,ACME,1.000,50,,\n4,D,ACME,x,,,\n"
        "5,E,ACME,1,sold,,\n6,F,ACME,1,open,2026-01-01,\n1,G,ACME,1,,soon,\n7,H\n"
    )
    (folder / "lines.csv").write_text("deal,product,price\n99,11,1\n")
    with pytest.raises(LoadError) as caught:
        load_directory(World().server, folder)
    said = "\n".join(caught.value.problems)
    for part in (
        "deals.csv:1: unknown column 'colour'",
        "deals.csv:2: no organization 'Nobody'",
        "deals.csv:3: title: must not be empty",
        "deals.csv:5: value: 'x': not a number",
        "deals.csv:6: status: Invalid status 'sold'",
        "deals.csv:7: won_time: won_time can only be set if deal status is won",
        "deals.csv:8: won_time: 'soon': not a time",
        "deals.csv:9: wrong number of columns",
        "lines.csv:2: no deal '99'",
    ):
        assert part in said, said


def test_no_deals_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"no deals\.csv"):
        load_directory(World().server, tmp_path)


def test_ten_thousand_deals_load_in_seconds(tmp_path: Path) -> None:
    orgs = "".join(f"{n},Firm {n}\n" for n in range(1, 2001))
    (tmp_path / "organizations.csv").write_text("id,name\n" + orgs)
    when = "2026-02-01T00:00:00Z"
    deals = "".join(f"{n},Deal {n},Firm {n % 2000 + 1},{when}\n" for n in range(1, 10_001))
    (tmp_path / "deals.csv").write_text("id,title,org,won_time\n" + deals)
    lines = "".join(f"{n % 10_000 + 1},P{n % 70},9.99,2,20\n" for n in range(20_000))
    (tmp_path / "lines.csv").write_text("deal,product,price,quantity,tax\n" + lines)
    world, start = World(), time.perf_counter()
    load_directory(world.server, tmp_path)
    assert time.perf_counter() - start < 10
    start = time.perf_counter()
    assert len(world.walk("deals", status="won", limit=500)) == 10_000
    assert time.perf_counter() - start < 10


def test_the_example_in_the_docs_says_what_happens(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "sandbox-csv.md"
    example = page.read_text(encoding="utf-8").split("## A small example")[1]
    for name in ("deals.csv", "lines.csv"):
        block = example.split(f"`{name}`")[1].split("\n\n")[1]
        (tmp_path / name).write_text("\n".join(line.strip() for line in block.splitlines()))
    world = World()
    load_directory(world.server, tmp_path)
    (deal,) = world.data("GET", "deals")
    assert f"{deal['value']}.00" in example
    assert [r["sum"] for r in world.data("GET", "deals/products", deal_ids=1)] == [2678.4, 561.6]

"""How the sandbox Pipedrive takes changes of organizations and persons."""

from __future__ import annotations

import pytest

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive import Options

from .test_pipedrive import QUIET, World


@pytest.fixture
def world() -> World:
    return World()


def test_names_come_whole_or_in_two_parts(world: World) -> None:
    key = world.data("POST", "persons", {"first_name": "Ann", "last_name": "Lee"})["id"]
    row = world.data("PATCH", f"persons/{key}", {"first_name": "Mary Ann", "last_name": "Lee"})
    assert (row["name"], row["first_name"], row["last_name"]) == ("Mary Ann Lee", "Mary Ann", "Lee")
    row = world.data("PATCH", f"persons/{key}", {"name": "Cher"})
    assert (row["name"], row["first_name"], row["last_name"]) == ("Cher", "Cher", None)


def test_an_emptied_list_and_a_blank_address_are_empty(world: World) -> None:
    emails = [{"value": "a@x.test", "label": "home"}, {"value": "b@x.test"}]
    key = world.data("POST", "persons", {"name": "A", "emails": emails})["id"]
    assert world.data("PATCH", f"persons/{key}", {"emails": []})["emails"] in ([], None)
    org = world.data("POST", "organizations", {"name": "O", "address": {"value": "York"}})["id"]
    row = world.data("PATCH", f"organizations/{org}", {"address": {"value": ""}})
    assert not any((row["address"] or {}).values())


def test_a_field_of_ours_finds_both_kinds_by_search_and_in_lists(world: World) -> None:
    for kind, path in (("organizations", "organizationFields"), ("persons", "personFields")):
        sent = {"field_name": "syncjob key", "field_type": "varchar"}
        code = world.data("POST", path, sent)["field_code"]
        mine = {"name": "Mine", "custom_fields": {code: "NW-L1"}}
        key = world.data("POST", kind, mine)["id"]
        world.data("POST", kind, {"name": "NW-L1 by name"})
        hits = world.data("GET", f"{kind}/search", term="nw-l1", fields="custom_fields",
                          exact_match="true")["items"]  # fmt: skip
        assert [hit["item"]["id"] for hit in hits] == [key]
        listed = world.data("GET", kind, custom_fields=code)
        assert [r["id"] for r in listed if r["custom_fields"][code] == "NW-L1"] == [key]


def test_a_deleted_record_can_be_brought_back_for_thirty_days(world: World) -> None:
    key = world.act("create_org", name="O")["id"]
    with pytest.raises(ActError):
        world.act("restore_org", org=key)
    world.act("delete_org", org=key)
    assert world.data("GET", f"organizations/{key}")["is_deleted"] is True
    assert world.ids("organizations") == []
    world.act("restore_org", org=key)
    assert world.ids("organizations") == [key]
    world.act("delete_org", org=key)
    world.clock.advance(31 * 86_400)
    assert world.call("GET", f"organizations/{key}").status == 404
    with pytest.raises(ActError):
        world.act("restore_org", org=key)


def test_a_merged_loser_is_deleted_and_its_key_goes_to_a_winner_that_has_none(
    world: World,
) -> None:
    code = world.act("create_field", kind="organizations", name="syncjob key")["field_code"]
    ours, other = (world.act("create_org", name=n)["id"] for n in ("Ours", "Other"))
    world.data("PATCH", f"organizations/{ours}", {"custom_fields": {code: "NW-O1"}})
    world.act("merge_orgs", loser="Ours", winner="Other")
    assert world.data("GET", f"organizations/{other}")["custom_fields"][code] == "NW-O1"
    assert world.data("GET", f"organizations/{ours}")["is_deleted"] is True


@pytest.mark.parametrize("on", [True, False])
def test_persons_have_an_address_only_with_contact_sync(on: bool) -> None:
    world = World(Options(**{**QUIET, "contact_sync": on}))
    names = {f["field_code"] for f in world.data("GET", "personFields")}
    assert ("postal_address" in names) is on
    sent = {"name": "A", "postal_address": {"value": "1 High St, York"}}
    shown = world.data("POST", "persons", sent)["postal_address"]
    assert shown is None if not on else shown["value"] == "1 High St, York"

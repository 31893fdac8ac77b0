"""`syncjob init` creates the CRM's own fields through the journal: each once, whatever is lost."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from syncjob.errors import OutcomeUnknown, Paused, RetryLater
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import minutes
from tests.engine.test_pause import pause, resume
from tests.engine.world import World

PATHS = {"pipedrive": r"/dealFields$", "hubspot": r"/properties/[^/]+/deals$"}
CRMS = pytest.mark.parametrize("crm", ["pipedrive", "hubspot"])


def made(world: World) -> Counter[str]:
    """How often each deal field of ours stands in the CRM, by its name."""
    if world.vendor.name == "pipedrive":
        fields: list[Any] = list(world.crm_state()["fields"]["deals"].values())
        return Counter(f["field_name"] for f in fields if f["field_name"].startswith("Invoice "))
    known = world.hubspot.store.definitions["deals"].values()
    return Counter(p["label"] for p in known if p["label"].startswith("Invoice "))


def create(world: World) -> tuple[str, ...]:
    with world.connection() as handle:
        return handle.init_fields(create=True).created


def asked(world: World) -> list[str]:
    """The names of the fields that were asked for, in order."""
    bodies = [json.loads(call["body"]) for call in world.writes()]
    return [str(body.get("field_name") or body.get("label")) for body in bodies]


@CRMS
def test_a_field_whose_answer_is_lost_is_not_asked_for_twice(
    make_world: MakeWorld, crm: str
) -> None:
    """It arrived minutes later, and Pipedrive made a second one of the same name."""
    world = make_world(init=False, crm=crm)
    world.fault(kind="late", method="POST", path=PATHS[crm], delay_s=200)
    with pytest.raises(OutcomeUnknown):
        create(world)
    sent = asked(world)
    with pytest.raises(RetryLater, match="is not known yet") as waits:
        create(world)
    assert asked(world) == sent
    assert waits.value.resume_at is not None
    with world.connection() as handle:  # what is missing is shown all the same
        assert handle.init_fields(create=False).wanted
    minutes(world, 16)
    assert create(world)
    assert set(made(world).values()) == {1}
    assert asked(world).count("Invoice status") == 1
    assert create(world) == ()


@CRMS
def test_a_field_whose_request_never_arrived_is_asked_for_again(
    make_world: MakeWorld, crm: str
) -> None:
    world = make_world(init=False, crm=crm)
    world.fault(kind="refuse", method="POST", path=PATHS[crm])
    with pytest.raises(OutcomeUnknown):
        create(world)
    minutes(world, 16)
    assert create(world)
    assert set(made(world).values()) == {1}
    assert asked(world).count("Invoice status") == 2


@CRMS
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "status"), [("status", 504), ("status", 408), ("html", 200), ("html", 302)]
)
def test_an_answer_that_does_not_say_whether_the_field_was_made_is_a_lost_one(
    make_world: MakeWorld, crm: str, kind: str, status: int, when: str
) -> None:
    """A gateway's, whose server may make the field later: it counted as refused, and was asked for
    again at once."""
    world = make_world(init=False, crm=crm)
    world.fault(method="POST", path=PATHS[crm], kind=kind, status=status, when=when)
    with pytest.raises(OutcomeUnknown, match="is not known"):
        create(world)
    sent = asked(world)
    with pytest.raises(RetryLater, match="is not known yet"):
        create(world)
    assert asked(world) == sent
    minutes(world, 16)
    assert create(world)
    assert set(made(world).values()) == {1}


@CRMS
def test_what_is_stopped_at_the_door_holds_up_nothing(make_world: MakeWorld, crm: str) -> None:
    world = make_world(init=False, crm=crm)
    pause(world, "all")
    with pytest.raises(Paused):
        create(world)
    assert world.writes() == []
    resume(world)
    assert create(world)
    assert set(made(world).values()) == {1}
    with world.connection() as handle:
        assert handle.state.journal.open_without_intents("crm") == []


@CRMS
def test_what_the_crm_takes_too_many_of_is_asked_for_at_once_again(
    make_world: MakeWorld, crm: str
) -> None:
    world = make_world(init=False, crm=crm)
    wait = {"Retry-After": "400", "x-ratelimit-reset": "400"}
    world.fault(kind="status", status=429, method="POST", path=PATHS[crm], headers=wait, times=3)
    with pytest.raises(RetryLater, match=r"^(?!.*is not known yet)"):
        create(world)
    world.faults.clear()
    minutes(world, 7)
    assert create(world)
    assert set(made(world).values()) == {1}

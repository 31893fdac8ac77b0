"""Ten batches of random edits by people on both sides: nothing doubled, no edit lost, then quiet.

The judge knows what people typed, on which side and before which batch, and reads the servers.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.engine.contacts.kit import at_rest, batch, edit, listed, phone, plain, world
from tests.engine.world import World

CUSTOMERS = 6
BATCHES = 10
EDITS = 5
OWNER = {"email": "ledger", "last": "crm"}


class People:
    """Who edits what, and the memory of it."""

    def __init__(self, w: World, seed: int) -> None:
        self.w, self.rng, self.batch = w, Random(seed), 0
        self.typed: dict[tuple[int, str, str], tuple[int, str]] = {}
        self.phones: dict[int, set[str]] = {}
        for number in range(1, CUSTOMERS + 1):
            w.crm("create_org", name=f"Firm {number}", id=number)
            w.crm("create_person", id=number, org=number, name=f"Pat Lee{number}",
                  email=f"pat@firm{number}.example", phone=f"02 9000 000{number}")  # fmt: skip
            self.phones[number] = {f"02 9000 000{number}"}

    def edit(self) -> None:
        number = self.rng.randint(1, CUSTOMERS)
        act = self.rng.choice([self._email, self._last, self._phone])
        act(number, self.rng.choice(["crm", "ledger"]))

    def _email(self, number: int, side: str) -> None:
        value = f"mail{self.rng.randint(1, 10**6)}@firm{number}.example"
        if side == "crm":
            self.w.crm("edit_person", person=number, email=value)
        else:
            edit(self.w, f"Firm {number}", EmailAddress=value)
        self.typed[number, "email", side] = (self.batch, value)

    def _last(self, number: int, side: str) -> None:
        value = f"Name{self.rng.randint(1, 10**6)}"
        if side == "crm":
            self.w.crm("edit_person", person=number, name=f"Pat {value}")
        else:
            edit(self.w, f"Firm {number}", LastName=value)
        self.typed[number, "last", side] = (self.batch, value)

    def _phone(self, number: int, side: str) -> None:
        if len(self.phones[number]) >= 3:
            return
        value = f"04{self.rng.randint(10**7, 10**8 - 1)}"
        if side == "crm":
            row = self.w.crm_state()["persons"][str(number)]
            self.w.crm("edit_person", person=number, phones=[*listed(row, "phones"), value])
        else:
            rows = [c for c in self.w.contacts() if c["name"] == f"Firm {number}"]
            used = {p["PhoneType"] for p in rows[0]["phones"] if p["PhoneNumber"]}
            free = next(k for k in ("MOBILE", "DDI", "DEFAULT") if k not in used)
            edit(self.w, f"Firm {number}", Phones=phone(free, value))
        self.phones[number].add(value)


def stands(w: World, number: int) -> dict[str, dict[str, Any]]:
    """What the two servers hold of a customer: one record on each side."""
    rows = [c for c in w.contacts() if c["number"] == f"SJ-O{number}"]
    assert len(rows) == 1
    ledger, row = plain(rows[0]), w.crm_state()["persons"][str(number)]
    emails = listed(row, "emails")
    crm = {
        "email": emails[0] if emails else None, "last": row["name"].partition(" ")[2],
        "phones": sorted(listed(row, "phones")),
    }  # fmt: skip
    return {"crm": crm, "ledger": ledger}


def judge(w: World, people: People) -> None:
    """What the owner typed last is on both sides; what the other typed stands where it was typed,
    unless the owner's own edit came before the same batch, or later."""
    for number in range(1, CUSTOMERS + 1):
        held = stands(w, number)
        for field, owner in OWNER.items():
            other = "crm" if owner == "ledger" else "ledger"
            mine = people.typed.get((number, field, owner), (-1, ""))
            theirs = people.typed.get((number, field, other), (-1, ""))
            if mine[0] >= 0:
                assert held[owner][field] == mine[1]
            if mine[0] >= 0 and mine[0] >= theirs[0]:
                assert held[other][field] == mine[1]
            elif theirs[0] >= 0:
                assert held[other][field] == theirs[1]
        assert held["crm"]["phones"] == held["ledger"]["phones"] == sorted(people.phones[number])
    assert len([c for c in w.contacts() if c["status"] == "ACTIVE"]) == CUSTOMERS
    assert len(w.crm_state()["organizations"]) == len(w.crm_state()["persons"]) == CUSTOMERS


@pytest.mark.parametrize("seed", range(3))
def test_ten_batches_of_edits_on_both_sides(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        people = People(w, seed)
        assert batch(w).exit_code == 0
        for people.batch in range(BATCHES):
            for _ in range(EDITS):
                people.edit()
            batch(w)
        at_rest(w)
        judge(w, people)

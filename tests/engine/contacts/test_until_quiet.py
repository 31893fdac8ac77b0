"""Random edits of customers on both sides, with answers lost: in the end quiet, nothing doubled."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ..world import World

OWN = {
    "organization": {
        "tax_number": "VAT number", "currency": "Billing currency", "terms": "Terms",
        "street": "Delivery", "email": "Billing e-mail", "phones": "Phones",
    },
    "person": {"tax_number": "VAT number"},
}  # fmt: skip
PHONES = ("+61 2 9374 4000", "(02) 9374 4001", "0412 345 678", "+44 20 7946 0123", "9374 4002")
PLACES = ("1 High St, York, YO1", "Obere Str. 57, 12209 Berlin, Germany", "Dock 3", "")
OWNERS = ("crm", "ledger", "ask")
FIELDS = ("name", "first_name", "last_name", "email", "phones", "postal", "street", "tax_number",
          "currency", "terms")  # fmt: skip
#: What no edit of ours may touch.
BANK = "12-3456-7890123-00"
#: Longer than any patience, so that each batch can settle what the one before left open.
BETWEEN = timedelta(minutes=20)


class Edits:
    """People who change customers, by one seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.rng, self.number = world, Random(seed), 0

    def some(self, **choices: tuple[Any, ...]) -> dict[str, Any]:
        """Some of these fields, each with one of its values."""
        return {k: self.rng.choice(v) for k, v in choices.items() if self.rng.random() < 0.35}

    def name(self, who: str) -> str:
        self.number += 1
        return f"{who} {self.number} {self.rng.choice(('A', 'B C', ''))}".strip()

    def in_books(self) -> dict[str, Any]:
        kind = self.rng.choice(("DEFAULT", "MOBILE", "DDI"))
        number = self.rng.choice(("", *PHONES))
        place = {"AddressLine1": self.rng.choice(("", "2 Low St")), "Country": "Germany"}
        return self.some(
            Name=(self.name("Books"),),
            EmailAddress=("", f"b{self.number}@x.test"),
            FirstName=("", "Zed", "Mary Ann"),
            LastName=("", "Lee"),
            TaxNumber=("", "GB 1", "DE 2"),
            DefaultCurrency=("EUR", "AUD"),
            Phones=([{"PhoneType": kind, "PhoneNumber": number}],),
            Addresses=tuple([{"AddressType": t, **place}] for t in ("POBOX", "STREET")),
            PaymentTerms=({"Sales": {"Day": 9, "Type": "DAYSAFTERBILLDATE"}},),
        )

    def of_org(self) -> dict[str, Any]:
        own = self.some(**{
            "VAT number": ("GB 1", "X"), "Billing currency": ("EUR", "AUD"),
            "Terms": ("days_after_bill:9", "net 30"), "Delivery": PLACES[:3],
            "Phones": (", ".join(self.rng.sample(PHONES, 2)),),
            "Billing e-mail": (f"o{self.number}@x.test",),
        })  # fmt: skip
        told = self.some(name=(self.name("Org"),), address=tuple({"value": p} for p in PLACES))
        return told | ({"fields": own} if own else {})

    def of_person(self) -> dict[str, Any]:
        phones = self.rng.sample(PHONES, self.rng.randint(0, 4))
        return self.some(
            name=(self.name("Ann"),),
            emails=([], [f"p{self.number}@x.test"], [f"q{self.number}@x.test", "r@x.test"]),
            phones=([{"value": p, "label": "mobile"} for p in phones],),
        )

    def begin(self) -> None:
        orgs = [self.world.crm("create_org", name=self.name("Org"))["id"] for _ in range(3)]
        for n in range(4):
            told = {"name": self.name("Ann"), "org_id": orgs[n] if n < 3 else None}
            self.world.crm("create_person", **{k: v for k, v in told.items() if v})
        for _ in range(3):
            fields = {**self.in_books(), "Name": self.name("Books"), "BankAccountDetails": BANK,
                      "Phones": [{"PhoneType": "FAX", "PhoneNumber": "999"}]}  # fmt: skip
            self.world.books("create_contact", fields=fields)

    def edit(self) -> None:
        chosen = self.rng.random()
        if chosen < 0.4:
            wanted = self.rng.choice([c["id"] for c in self.world.contacts()])
            self.world.books("edit_contact", contact=wanted, fields=self.in_books())
            return
        kind, act = ("organizations", "org") if chosen < 0.7 else ("persons", "person")
        wanted = self.rng.choice([int(i) for i in self.world.crm_state()[kind]])
        told = self.of_org() if act == "org" else self.of_person()
        self.world.crm(f"edit_{act}", **{act: wanted, **told})

    def fault(self) -> None:
        kind = self.rng.choice(("lost", "late", "truncate", "refuse"))
        method = self.rng.choice(("POST", "PUT", "PATCH"))
        self.world.fault(kind=kind, method=method, path="/(Contacts|persons|organizations)",
                         delay_s=30.0, times=self.rng.randint(1, 2))  # fmt: skip


@pytest.mark.parametrize(("seed", "faults"), [(1, False), (2, True)])
def test_after_any_edits_it_comes_to_rest_and_nothing_is_doubled(
    tmp_path: Path, seed: int, faults: bool
) -> None:
    owners = {f: Random(f"{seed}{f}").choice(OWNERS) for f in FIELDS}
    contacts = {"update": "owners", "which": "all", "create_in_crm": True,
                "further_persons": True, "owners": owners}  # fmt: skip
    config = {"crm": {"contact_fields": OWN}, "contacts": contacts}
    world = World(tmp_path, config=config, ledger={"parts_kept": faults})
    try:
        world.init()
        edits = Edits(world, seed)
        edits.begin()
        for _ in range(6):
            if faults:
                edits.fault()
            world.run()
            world.advance(BETWEEN)
            for _ in range(4):
                edits.edit()
        world.faults.clear()
        counts = []
        for _ in range(5):
            mark = world.mark()
            world.run()
            world.advance(BETWEEN)
            counts.append(len(world.writes(mark)))
        assert counts[-2:] == [0, 0], counts
        _judge(world)
    finally:
        world.close()


def _judge(world: World) -> None:
    books, crm = world.contacts(), world.crm_state()
    numbers = Counter(c["number"] for c in books if c["number"])
    assert numbers and set(numbers.values()) == {1}
    marks = Counter(
        value
        for kind in ("organizations", "persons")
        for row in crm[kind].values()
        for value in row["custom_fields"].values()
        if isinstance(value, str) and value.startswith("SJ-")
    )
    assert marks and set(marks.values()) == {1}
    theirs = [c for c in books if c["fields"].get("BankAccountDetails")]
    assert [c["fields"]["BankAccountDetails"] for c in theirs] == [BANK] * 3
    for contact in theirs:
        fax = [p["PhoneNumber"] for p in contact["phones"] if p["PhoneType"] == "FAX"]
        assert fax == ["999"]
    assert not any(BANK in repr(c) for c in world.calls() if c["method"] != "GET"
                   and "/control/" not in c["path"])  # fmt: skip

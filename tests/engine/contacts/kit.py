"""Customers on both servers, edited by people on either side, and read from the servers alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from syncjob.core.reports import BatchReport
from tests.engine.scenes import minutes, only, sell
from tests.engine.world import World

ANN = {"name": "Ann Smith", "email": "ann@acme.example", "phone": "(02) 9999 1111"}
ADDRESS = "1 Main Street, Sydney NSW 2000, Australia"


@contextmanager
def world(folder: Path, **contacts: Any) -> Iterator[World]:
    """Both servers with contact sync as the config's `contacts` says, owners confirmed; `crm` are
    options of its sandbox."""
    extra, crm = contacts.pop("config", {}), contacts.pop("crm", {})
    config = {"contacts": {"update": "owners", **contacts}, **extra}
    folder.mkdir(exist_ok=True)
    made = World(folder, config=config, crm=crm)
    try:
        made.init()
        yield made
    finally:
        made.close()


def acme(w: World, **person: Any) -> None:
    """Acme with Ann, invoiced once: linked, and at rest."""
    w.crm("create_org", name="Acme Pty", address=ADDRESS)
    w.crm("create_person", org="Acme Pty", **{**ANN, **person})
    sell(w, "Acme Pty", person="Ann Smith")
    assert batch(w).exit_code == 0


def batch(w: World, after: int = 6) -> BatchReport:
    """A batch some minutes later, by when every list shows what people did."""
    minutes(w, after)
    return w.run()


def at_rest(w: World) -> BatchReport:
    """The next batch writes nothing to anyone."""
    mark = w.mark()
    report = batch(w)
    assert [(c["method"], c["path"], c["body"]) for c in w.writes(mark)] == []
    return report


def names(count: int) -> list[str]:
    """Names that nobody takes for each other."""
    rng = Random(count)
    words = ["".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(4))
             for _ in range(2 * count)]  # fmt: skip
    return [f"{a} {b}".title() for a, b in zip(words[::2], words[1::2], strict=True)]


def day(w: World) -> None:
    """A day later, by when what no list shows has been read by id."""
    w.advance(timedelta(hours=25))


def contact(w: World, name: str = "Acme Pty") -> dict[str, Any]:
    """The ledger's active contact of this name, its parts as plain values."""
    row = only([c for c in w.contacts() if c["name"] == name and c["status"] == "ACTIVE"])
    return plain(row)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    fields = row["fields"]
    address = next((a for a in row["addresses"] if a["AddressType"] == "POBOX"), {})
    return {
        "name": row["name"],
        "first": fields.get("FirstName") or None,
        "last": fields.get("LastName") or None,
        "email": fields.get("EmailAddress") or None,
        "tax": fields.get("TaxNumber") or None,
        "phones": sorted(p["PhoneNumber"] for p in row["phones"] if p["PhoneNumber"]),
        "line": address.get("AddressLine1") or None,
        "city": address.get("City") or None,
        "status": row["status"],
        "number": row["number"],
    }


def org(w: World, name: str = "Acme Pty") -> dict[str, Any]:
    rows = w.crm_state()["organizations"].values()
    return only([r for r in rows if r["name"] == name and not r["is_deleted"]])


def person(w: World, name: str = "Ann Smith") -> dict[str, Any]:
    """The CRM's person of this name, lists as plain values, the primary one first."""
    rows = w.crm_state()["persons"].values()
    row = only([r for r in rows if r["name"] == name and not r["is_deleted"]])
    return {**row, "emails": listed(row, "emails"), "phones": listed(row, "phones")}


def listed(row: dict[str, Any], key: str) -> list[str]:
    entries = sorted(row.get(key) or [], key=lambda e: not e.get("primary"))
    return [entry["value"] for entry in entries if entry["value"]]


def edit(w: World, name: str = "Acme Pty", **fields: Any) -> None:
    """What a bookkeeper types into a contact."""
    w.books("edit_contact", contact=name, fields=fields)


def phone(kind: str, number: str) -> list[dict[str, str]]:
    return [{"PhoneType": kind, "PhoneNumber": number}]


def take(w: World, side: str, key: str = "org:1", field: str | None = None) -> None:
    """A person settles what differs."""
    kind = f"take:{side}:{field}" if field else f"take:{side}"
    with w.connection() as handle:
        handle.answer(kind=kind, subject=f"contact:{key}", who="Zoe", reason="a test")


def forget(w: World, key: str) -> None:
    with w.connection() as handle:
        handle.answer(kind="forget", subject=f"contact:{key}", who="Zoe", reason="asked to")

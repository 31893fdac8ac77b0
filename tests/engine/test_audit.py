"""Every write that a server took has its rows in the audit: what, from which value, by which rule,
for which reason, in the batch that sent it. The judge begins with the servers' own call log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from syncjob.core.actions import KINDS, Action, DealChange, InvoiceChange, Wave
from syncjob.core.rules.credit import Wish
from syncjob.core.rulings import rule_of
from syncjob.engine.undoing import Asked
from syncjob.state.audit import AuditRow
from tests.engine.conftest import MakeWorld
from tests.engine.contacts.kit import ADDRESS, ANN, edit
from tests.engine.scenes import WIDGET, billed, invoice_of, minutes, number_of, quiet, sell
from tests.engine.world import World

MONTHLY = {
    "name": "Support", "price": 40, "quantity": 2, "tax": 10, "billing_frequency": "monthly",
}  # fmt: skip
LARGE = {"name": "Machine", "price": 900, "quantity": 1, "tax": 10}
CONFIG: dict[str, Any] = {
    "mode": "full",
    "invoices": {
        "recurring": "template", "email": {"enabled": True},
        "status_rules": [{"name": "large", "when": {"total_from": 500}, "status": "authorised"}],
    },
    "contacts": {"update": "owners", "which": "all", "create_in_crm": True,
                 "owners": {"email": "ledger"}},
    "crm": {"timeline": ["created", "approved", "paid"],
            "moves": [{"when": "awaiting payment", "stage": "Invoiced"}]},
    "notices": {"steps": [1]},
    "guard": {"times_largest": 1000},
}  # fmt: skip


def busy(make_world: MakeWorld) -> World:
    """Everything that we write, at least once, with some answers lost on the way."""
    w = make_world(config=CONFIG, init=False)
    w.crm("create_pipeline", name="Work", stages=["Offer", "Invoiced", "Paid"])
    w.init()
    w.crm("create_org", name="Acme Pty", address=ADDRESS)
    w.crm("create_person", org="Acme Pty", **ANN)
    w.books("create_contact", fields={"Name": "Books Only", "EmailAddress": "b@only.example"})
    large = sell(w, person="Ann Smith", lines=[LARGE, MONTHLY], pipeline="Work", stage="Offer")
    small = sell(w, person="Ann Smith", lines=[WIDGET])
    lost = sell(w, person="Ann Smith", lines=[WIDGET, WIDGET])
    gone = sell(w, person="Ann Smith", lines=[{**WIDGET, "price": 77}])
    for path in ("/Invoices", "/Invoices", "/Contacts", "/Contacts"):
        w.fault(kind="lost", method="PUT", path=path)
    w.fault(kind="lost", method="PATCH", path="/deals")
    batches(w, 4)
    w.crm("edit_line", line=_line_of(w, small), price=150)
    w.crm("lose", deal=lost)
    w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
    edit(w, EmailAddress="accounts@acme.example")
    w.fault(kind="lost", method="PATCH", path="/persons")
    batches(w, 3)
    with w.connection() as handle:
        handle.cancel(str(gone), reason="ordered twice", write=True, who="Ann")
        handle.credit(str(large), Wish(how="full", reason="came back"), part=None, write=True,
                      who="Ann", expect=None)  # fmt: skip
        changed = [
            r.batch for r in handle.state.audit.rows_of() if r.field == "phones" and r.before
        ]
        handle.undo(Asked(batch=changed[-1]), write=True, who="Ann")
    w.advance(timedelta(days=32))
    batches(w, 2)
    w.books("pay", invoice=number_of(w, large))
    batches(w, 2)
    return w


def batches(w: World, count: int) -> None:
    for _ in range(count):
        minutes(w, 17)
        w.run()


def _line_of(w: World, deal: int) -> int:
    rows = w.crm_state()["rows"]
    return int(next(r["id"] for r in rows.values() if r["deal_id"] == deal))


# --- what the call log says was written -----------------------------------------------------------

Expected = tuple[str, str]  # (side, target)


def written(w: World) -> Iterator[tuple[Expected, set[str]]]:
    """The record that each written element of each call is, and fields that must have a row."""
    seen: set[str] = set()
    for call in w.writes():
        if call["effect"] != "applied":
            continue
        key = {k.lower(): v for k, v in call["headers"].items()}.get("idempotency-key")
        if key in seen:
            continue  # a lost answer, asked for again with its key
        if key:
            seen.add(key)
        side = "ledger" if "/xero/" in call["path"] else "crm"
        yield from _ledger(w, call) if side == "ledger" else _crm(w, call)


def _ledger(w: World, call: dict[str, Any]) -> Iterator[tuple[Expected, set[str]]]:
    path, put = call["path"], call["method"] == "PUT"
    if path.endswith("/Email"):
        yield ("ledger", f"mail:{_marker(w, path.split('/')[-2])}"), {"sent"}
        return
    ((plural, rows),) = json.loads(call["body"]).items()
    for row in rows:
        if plural == "Contacts" and put:
            yield ("ledger", f"contact:{row['ContactNumber']}"), {"marker", "name"}
        elif plural == "Contacts":
            mark = set(row) <= {"ContactID", "ContactNumber"}
            yield ("ledger", f"{'mark' if mark else 'contact'}:{row['ContactID']}"), set()
        elif plural == "Invoices":
            marker = _of_url(row["Url"]) if put else _marker(w, row["InvoiceID"])
            yield ("ledger", f"invoice:{marker}"), {"status"} if put else set()
        elif plural == "RepeatingInvoices":
            yield ("ledger", f"template:{row['Reference'].split()[-1]}"), {"schedule"}
        else:
            assert plural == "CreditNotes"
            yield ("ledger", f"credit:{row['Reference'].split()[-1]}"), {"total"}


def _of_url(url: str) -> str:
    return parse_qs(urlsplit(url).query)["syncjob"][0].partition(".")[0]


def _marker(w: World, invoice: str) -> str:
    return _of_url(next(i["url"] for i in w.invoices() if i["id"] == invoice))


def _crm(w: World, call: dict[str, Any]) -> Iterator[tuple[Expected, set[str]]]:
    body, last = json.loads(call["body"]), call["path"].rsplit("/", 1)[-1]
    if last.endswith("Fields"):
        yield ("crm", f"field:{last.removesuffix('Fields')}:{body['field_name']}"), {"field"}
    elif "/deals/" in call["path"]:
        names = {c: f["field_name"] for c, f in w.crm_state()["fields"]["deals"].items()}
        fields = {names[code] for code in body.get("custom_fields") or {}}
        yield ("crm", f"deal:{last}"), fields | ({"stage"} if "stage_id" in body else set())
    elif call["method"] == "PATCH":
        kind = "org" if "/organizations/" in call["path"] else "person"
        yield ("crm", f"contact:{kind}:{last}"), set()
    else:
        assert last in ("notes", "activities", "organizations", "persons"), call["path"]
        yield ("crm", f"new {last}"), set()


# --- the judge ------------------------------------------------------------------------------------


def test_every_write_in_the_servers_logs_has_its_rows(make_world: MakeWorld) -> None:
    w = busy(make_world)
    rows = _rows(w)
    by_target: dict[Expected, list[AuditRow]] = {}
    for row in rows:
        by_target.setdefault((row.side, row.target), []).append(row)
    counts: Counter[Expected] = Counter()
    for expected, fields in written(w):
        counts[expected] += 1
        if not expected[1].startswith("new "):
            assert fields <= {row.field for row in by_target.get(expected, [])}, expected
    for expected, count in counts.items():
        if not expected[1].startswith("new "):
            intents = {row.intent for row in by_target.get(expected, ())}
            assert len(intents) >= count, (expected, count, by_target.get(expected))
    targets = {row.target for row in rows if row.intent is not None}
    made = Counter(target.partition(":")[0] for target in targets)
    assert made["note"] == counts["crm", "new notes"] > 0
    assert made["task"] == counts["crm", "new activities"] > 0
    contacts = {r.target for r in rows if r.side == "crm" and r.field == "marker"}
    new = counts["crm", "new organizations"] + counts["crm", "new persons"]
    assert len(contacts) == new > 0
    _each_row_is_whole(w, rows)
    _values_hang_together(rows)
    _all_kinds_were_played(w)


def _rows(w: World) -> list[AuditRow]:
    with w.connection() as handle:
        return handle.state.audit.rows_of()


def _each_row_is_whole(w: World, rows: list[AuditRow]) -> None:
    with w.connection() as handle:
        db = handle.state.db
        sent = dict(db.execute("SELECT i.id, c.batch FROM intent i JOIN call c ON c.id = i.call"))
    writes = [row for row in rows if row.intent is not None]
    assert all(row.reason and row.rule for row in writes)
    assert all(row.batch == sent[row.intent] for row in writes)
    assert all(row.before != row.after for row in writes if row.before is None)


def _values_hang_together(rows: list[AuditRow]) -> None:
    """Where only we write, each row begins where the one before it ended."""
    last: dict[tuple[str, str], str | None] = {}
    for row in rows:
        if row.intent is None or not row.target.startswith(("deal:", "invoice:")):
            continue
        key = (row.target, row.field)
        if row.field != "stage":  # where people had put the deal
            assert _same(row.before, last.get(key)), row
        last[key] = row.after


def _same(one: str | None, other: str | None) -> bool:
    try:
        return one == other or Decimal(one or "") == Decimal(other or "")
    except InvalidOperation:
        return False


def _all_kinds_were_played(w: World) -> None:
    """A kind of write that this world does not play is not judged: messages leave elsewhere, and
    a key on a contact is written where people made both sides."""
    with w.connection() as handle:
        done = {r[0] for r in handle.state.db.execute("SELECT kind FROM intent WHERE state='done'")}
    assert done >= {*KINDS.values(), "invoice.approve", "invoice.delete"} - {
        "message.send", "contact.mark", "template.delete",
    }  # fmt: skip


def test_a_lost_state_tells_what_it_adopted(world: World) -> None:
    deal = billed(world)
    with world.connection() as handle:
        state = handle.path
    for path in state.parent.glob(f"{state.name}*"):
        path.unlink()
    batches(world, 3)
    rows = [r for r in _rows(world) if r.target == f"invoice:SJ-{deal}-A1"]
    said = {row.field: row.after for row in rows}
    assert said["link"] == invoice_of(world, deal)["id"]
    assert (said["status"], said["total"]) == ("draft", "110.00")
    assert {row.rule for row in rows} == {"marker"}
    quiet(world)


def test_each_kind_of_write_names_a_rule() -> None:
    payloads = [kind for kind in KINDS if kind is not DealChange]
    for kind in {*(KINDS[p] for p in payloads), "invoice.approve", "invoice.delete"}:
        assert rule_of(cast(Action, SimpleNamespace(kind=kind, rules={})), "any")


def test_a_rule_of_a_field_stands_above_that_of_the_write() -> None:
    change = InvoiceChange(invoice_id="i", status="authorised")
    action = Action(
        side="ledger", wave=Wave.APPROVALS, subject="deal:1", target="invoice:x", payload=change,
        reason="so", rules={"": "all", "date": "its own"},
    )  # fmt: skip
    assert (rule_of(action, "date"), rule_of(action, "status")) == ("its own", "all")

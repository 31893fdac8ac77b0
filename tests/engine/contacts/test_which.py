"""Which customers cross, under which names, and what is left alone."""

from __future__ import annotations

from pathlib import Path

from tests.engine.contacts.kit import (
    ADDRESS,
    ANN,
    acme,
    at_rest,
    batch,
    contact,
    day,
    edit,
    forget,
    names,
    org,
    person,
    phone,
    take,
    world,
)
from tests.engine.scenes import codes, minutes, only, sell
from tests.engine.world import World

LEDGER = {"Name": "Acme Pty", "EmailAddress": ANN["email"], "LastName": "Smythe"}


def both(w: World) -> None:
    """Acme on both sides before the first batch, with a name that differs."""
    w.crm("create_org", name="Acme Pty", address=ADDRESS)
    w.crm("create_person", org="Acme Pty", **ANN)
    w.books("create_contact", fields=LEDGER)


def test_the_first_run_links_fills_blanks_and_lists_what_differs(tmp_path: Path) -> None:
    with world(tmp_path, update="blanks") as w:
        both(w)
        report = batch(w)
        made = contact(w)
        assert (made["line"], made["first"], made["phones"]) == (ADDRESS, "Ann", [ANN["phone"]])
        assert made["last"] == "Smythe"
        assert codes(report) == ["contact_differs"]
        assert "last name: CRM 'Smith', ledger 'Smythe'" in report.issues[0].what
        assert "contacts.update: owners" in report.issues[0].next_step
        at_rest(w)


def test_confirmed_owners_settle_what_was_listed_once_a_person_accepts(tmp_path: Path) -> None:
    with world(tmp_path, update="blanks") as w:
        both(w)
        batch(w)
        w.overrides["contacts"]["update"] = "owners"
        stopped = batch(w)
        assert stopped.result == "guard"
        assert contact(w)["last"] == "Smythe"
        w.run(accept=stopped.plan_hash)
        assert contact(w)["last"] == "Smith"
        at_rest(w)


def test_switched_off_nothing_is_read_or_written(tmp_path: Path) -> None:
    with world(tmp_path, update="off") as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        mark = w.mark()
        batch(w)
        assert not [c for c in w.since(mark) if "/organizations" in c["path"]]
        assert not [c for c in w.since(mark) if "/persons" in c["path"]]
        assert w.writes(mark) == []


def test_at_rest_a_batch_is_one_poll_a_stream(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        at_rest(w)
        mark = w.mark()
        batch(w)
        names = [c["path"].rpartition("/")[2] for c in w.since(mark)]
        paths = sorted(set(names) - {"token", "Organisation"})  # once a token
        assert len(names) == len(set(names))
        assert paths == ["Contacts", "Invoices", "deals", "organizations", "persons"]


def test_ledger_contacts_are_changed_fifty_a_call(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        for number, name in enumerate(names(60)):
            w.crm("create_person", name=name, phone=f"02 9999 {1000 + number}")
        batch(w)
        assert len(w.contacts()) == 60
        for number, name in enumerate(names(60)):
            w.crm("edit_person", person=name, phones=[f"02 8888 {1000 + number}"])
        mark = w.mark()
        batch(w)
        assert [c["method"] for c in w.writes(mark)] == ["POST", "POST"]
        reads = [c for c in w.since(mark) if c["method"] == "GET" and "/Contacts" in c["path"]]
        assert len(reads) <= 6  # a poll, and 60 by id in bulk: for the plan, and just before
        at_rest(w)


def test_a_name_that_is_taken_gets_the_suffix(tmp_path: Path) -> None:
    """Two customers of one name: the second is told apart, the first keeps its name."""
    with world(tmp_path, which="all", name_suffix="{name} no. {id}") as w:
        w.crm("create_org", name="Acme Pty")
        w.crm("create_person", org=1, **ANN)
        batch(w)
        w.crm("create_org", name="Acme Pty", id=7)
        w.crm("create_person", org=7, name="Bob Best", email="bob@other.example")
        batch(w)
        assert sorted(c["name"] for c in w.contacts()) == ["Acme Pty", "Acme Pty no. 7"]
        at_rest(w)


def test_suppliers_are_left_alone_and_mixed_ones_are_held(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        bill(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        report = batch(w)
        assert codes(report) == ["contact_is_supplier"]
        assert contact(w)["phones"] == [ANN["phone"]]
        edit(w, EmailAddress="accounts@acme.example")
        batch(w)
        assert person(w)["emails"] == ["accounts@acme.example"]
        at_rest(w)


def bill(w: World, name: str = "Acme Pty") -> None:
    w.books("create_invoice", fields={
        "Type": "ACCPAY", "Contact": {"Name": name}, "Status": "AUTHORISED", "Date": "2026-11-20",
        "DueDate": "2026-12-20", "InvoiceNumber": "B-1",
        "LineItems": [{"Description": "Paper", "Quantity": 1, "UnitAmount": 10,
                       "AccountCode": "429"}],
    })  # fmt: skip


def test_staff_never_crosses_unless_asked(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.crm("create_user", name="Sue Sales", email="sue@ours.example")
        w.crm("create_person", name="Sue Sales", email="sue@ours.example")
        day(w)  # users are read once a day
        batch(w)
        assert w.contacts() == []
    with world(tmp_path / "asked", which="all", staff=True) as w:
        w.crm("create_user", name="Sue Sales", email="sue@ours.example")
        w.crm("create_person", name="Sue Sales", email="sue@ours.example")
        day(w)
        batch(w)
        batch(w, after=17)
        assert [c["name"] for c in w.contacts()] == ["Sue Sales"]


def test_each_person_is_a_customer_where_the_config_says_so(tmp_path: Path) -> None:
    with world(tmp_path, which="all", unit="person") as w:
        w.crm("create_person", name="Ann Smith", email="ann@x.example")
        w.crm("create_person", name="Bob Best", email="bob@x.example")
        batch(w)
        assert sorted(c["name"] for c in w.contacts()) == ["Ann Smith", "Bob Best"]
        edit(w, "Bob Best", EmailAddress="b.best@x.example")
        batch(w)
        assert person(w, "Bob Best")["emails"] == ["b.best@x.example"]
        at_rest(w)


def test_further_persons_go_one_way(tmp_path: Path) -> None:
    with world(tmp_path, further_persons=True) as w:
        acme(w)
        w.crm("create_person", org="Acme Pty", name="Bob Best", email="bob@acme.example")
        batch(w)
        row = only(w.contacts())
        assert [p["EmailAddress"] for p in row["persons"]] == ["bob@acme.example"]
        at_rest(w)
        w.books("set_contact_persons", contact="Acme Pty", persons=[
            {"FirstName": "Bob", "LastName": "Best", "EmailAddress": "bob@acme.example"},
            {"FirstName": "Cy", "LastName": "Clerk", "EmailAddress": "cy@acme.example"},
        ])  # fmt: skip
        at_rest(w)
        assert len(w.crm_state()["persons"]) == 2


def test_a_tax_number_crosses_where_the_crm_has_a_field_for_it(tmp_path: Path) -> None:
    config = {"crm": {"contact_fields": {"organization": {"tax_number": "ABN"}}}}
    with world(tmp_path, config=config) as w:
        acme(w)
        edit(w, TaxNumber="53 004 085 616")
        batch(w)
        assert "53 004 085 616" in str(org(w)["custom_fields"])
        at_rest(w)


def test_contacts_can_be_paused_alone(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        with w.connection() as handle:
            handle.pause(only="contacts", until=None, reason="audit", who="Ann")
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        mark = w.mark()
        assert batch(w).result == "paused"
        assert w.writes(mark) == []
        with w.connection() as handle:
            handle.resume(only="all", who="Ann")
        batch(w)
        assert contact(w)["phones"] == ["(02) 9999 2222"]
        at_rest(w)


def test_one_field_blanked_everywhere_trips_the_guard(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        for number, name in enumerate(names(12)):
            w.crm("create_person", name=name, phone=f"02 9999 {1000 + number}")
        batch(w)
        for name in names(12):
            w.crm("edit_person", person=name, phones=[])
        mark = w.mark()
        report = batch(w)
        assert report.result == "guard"
        assert "'phones' would be emptied on 12 records" in report.stopped_by
        assert w.writes(mark) == []


def test_read_only_writes_nothing(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.overrides["mode"] = "read_only"
        both(w)
        mark = w.mark()
        batch(w)
        assert w.writes(mark) == []


def test_a_trial_of_one_deal_touches_no_other_customer(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.crm("create_org", name="Other Pty")
        made = sell(w, "Acme Pty")
        w.run(deal=str(made))
        assert [c["name"] for c in w.contacts()] == ["Acme Pty"]


def test_a_lost_state_finds_its_links_again(tmp_path: Path) -> None:
    with world(tmp_path, which="all", create_in_crm=True) as w:
        both(w)
        w.books("create_contact", fields={"Name": "Foreign Pty", "ContactNumber": "X-77"})
        w.run(accept=batch(w).plan_hash)
        at_rest(w)
        (tmp_path / "state" / "syncjob.db").unlink()
        batch(w)
        batch(w, after=17)
        at_rest(w)
        assert len(w.contacts()) == len(w.crm_state()["organizations"]) == 2


def test_the_plan_says_what_would_cross_in_words(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        minutes(w, 6)
        plan = w.plan()
        action = only([{"a": a} for a in plan.actions])["a"]
        assert (action.kind, action.subject) == ("contact.update", "contact:org:1")
        assert plan.titles["contact:org:1"] == "Acme Pty"
        row = batch(w).rows[0]
        assert (row.deal_id, row.title, row.what) == ("org:1", "Acme Pty", "ledger: phones changed")


def test_a_forgotten_customer_leaves_no_personal_value(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ask"}) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", email="secret@acme.example")
        edit(w, EmailAddress="books@acme.example", Phones=phone("MOBILE", "0412 345 678"))
        assert codes(batch(w)) == ["contact_conflict"]
        take(w, "ledger")
        batch(w)
        forget(w, "org:1")
        batch(w)
        batch(w)
        held = dump(tmp_path / "state" / "syncjob.db")
        for text in ("Ann", "Smith", "Acme", "acme.example", "9999 1111", "0412 345 678", "Main"):
            assert text not in held, text
        assert "SJ-1-A1" in held
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        edit(w, EmailAddress="later@acme.example")
        at_rest(w)


def test_a_name_with_accents_and_quotes_is_forgotten_wherever_it_stands(tmp_path: Path) -> None:
    """JSON within JSON writes the quotes in a form of its own, and accents in either."""
    name, street = 'Zoë "Zet" Ødegård', 'Villa "Ærø" 7'
    with world(tmp_path, which="all") as w:
        w.crm("create_org", name=name, address=f"{street}, Sydney NSW 2000, Australia")
        w.crm("create_person", org=name, **{**ANN, "name": name})
        sell(w, name)
        batch(w)
        edit(w, name, EmailAddress="zet@acme.example")
        batch(w)
        assert "Zet" in dump(tmp_path / "state" / "syncjob.db")
        forget(w, "org:1")
        batch(w)
        held = dump(tmp_path / "state" / "syncjob.db")
        for text in ("Zet", "degård", "deg\\u00e5rd", "Villa"):
            assert text not in held, text


def test_a_request_to_erase_in_the_ledger_is_obeyed_whether_or_not_contacts_are_synced(
    tmp_path: Path,
) -> None:
    with world(tmp_path, update="off") as w:
        acme(w)
        w.books("forget_contact", contact="Acme Pty")
        batch(w)
        held = dump(tmp_path / "state" / "syncjob.db")
        for text in ("Ann", "Smith", "Acme", "acme.example", "9999 1111"):
            assert text not in held, text
        sell(w, "Acme Pty", title="Autumn order")
        report = batch(w)
        assert "contact_forgotten" in codes(report)
        assert len(w.contacts()) == 1


def dump(path: Path) -> str:
    """Every text and blob of the state, as text."""
    import base64
    import re
    import sqlite3

    db = sqlite3.connect(path)
    tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    texts = []
    for table in tables:
        for row in db.execute(f"SELECT * FROM {table}"):
            for value in row:
                text = value.decode() if isinstance(value, bytes) else str(value)
                texts.append(text)
                for body in re.findall(r'"body":"([A-Za-z0-9+/=]+)"', text):
                    texts.append(base64.b64decode(body).decode(errors="replace"))
    db.close()
    return "\n".join(texts)


def test_what_changed_while_it_was_switched_off_crosses_later(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        w.overrides["contacts"]["update"] = "off"
        edit(w, EmailAddress="accounts@acme.example")
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        batch(w)
        w.overrides["contacts"]["update"] = "owners"
        stopped = batch(w)
        w.run(accept=stopped.plan_hash)
        assert person(w)["emails"] == ["accounts@acme.example"]
        assert contact(w)["phones"] == ["(02) 9999 2222"]
        at_rest(w)


def test_a_person_who_is_a_customer_stays_one_in_an_organization(tmp_path: Path) -> None:
    with world(tmp_path, which="all") as w:
        w.crm("create_person", **ANN)
        w.crm("create_org", name="Acme Pty")
        batch(w)
        w.crm("edit_person", person="Ann Smith", org="Acme Pty")
        batch(w)
        assert contact(w)["first"] is None
        assert contact(w, "Ann Smith")["email"] == ANN["email"]
        at_rest(w)

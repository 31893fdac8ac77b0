"""A batch of contact edits taken back: both servers say again what they said, but for what somebody
touched since. The judge reads the servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syncjob.core.undoing import UndoReport
from syncjob.engine.rounds import Came, Rounds
from syncjob.engine.undoing import Asked
from syncjob.errors import GuardTripped, Park, Paused
from tests.engine.contacts.kit import (
    acme,
    at_rest,
    batch,
    contact,
    edit,
    person,
    phone,
    take,
    world,
)
from tests.engine.scenes import codes, minutes
from tests.engine.world import World


def edited(w: World) -> int:
    """Both sides changed by people, and the batch that carried each over; its number."""
    w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"], name="Anna Smith")
    edit(w, EmailAddress="accounts@acme.example")
    return int(batch(w).batch)


def undo(w: World, number: int, *, write: bool = True, **asked: Any) -> UndoReport:
    with w.connection() as handle:
        given = {"reason": "it was a mistake", **asked}
        return handle.undo(Asked(batch=number, **given), write=write, who="Ann")


def fates(report: UndoReport) -> dict[str, str]:
    """By side and field, what became of each value."""
    return {f"{i.side} {i.field}": i.fate for i in report.items if i.field}


def settled(w: World) -> None:
    """So much later that whatever was lost has been found or given up, and at rest."""
    for _ in range(3):
        minutes(w, 20)
        w.run()
    at_rest(w)


def test_both_sides_say_again_what_they_said(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ledger"}) as w:
        acme(w)
        before = contact(w), person(w)
        number = edited(w)
        assert contact(w)["phones"] == ["(02) 9999 2222"]
        assert person(w, "Anna Smith")["emails"] == ["accounts@acme.example"]
        shown = undo(w, number, write=False)
        mark = w.mark()
        report = undo(w, number, expect=shown.hash)
        assert fates(report) == fates(shown)
        assert set(fates(report).values()) == {"undo"}
        assert contact(w)["phones"] == before[0]["phones"]
        assert contact(w)["first"] == before[0]["first"]
        assert person(w, "Anna Smith")["emails"] == before[1]["emails"]
        assert len(w.writes(mark)) == 2  # one a record
        at_rest(w)
        at_rest(w)
        again = undo(w, number)
        assert set(fates(again).values()) == {"done"}
        assert not again.written
        at_rest(w)


def test_what_somebody_touched_since_stays_and_the_rest_goes_back(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ledger"}) as w:
        acme(w)
        first, number = contact(w)["first"], edited(w)
        edit(w, Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "1234567"}])
        w.crm("edit_person", person="Anna Smith", email="new@acme.example")
        report = undo(w, number)
        assert fates(report)["ledger phones"] == fates(report)["crm email"] == "touched"
        assert fates(report)["ledger first_name"] == "undo"
        assert "1234567" in contact(w)["phones"]
        assert contact(w)["first"] == first
        assert person(w, "Anna Smith")["emails"][0] == "new@acme.example"
        settled(w)


def test_an_edit_that_the_other_side_has_not_seen_yet_keeps_its_field(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        number = edited(w)
        w.crm("edit_person", person="Anna Smith", phones=["(02) 9999 3333"])
        report = undo(w, number)
        assert fates(report)["ledger phones"] == "touched"
        assert "other side" in next(i.why for i in report.items if i.field == "phones")
        settled(w)
        assert contact(w)["phones"] == ["(02) 9999 3333"]


def test_a_later_edit_on_a_side_goes_over_again(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        undo(w, edited(w))
        at_rest(w)
        w.crm("edit_person", person="Anna Smith", phones=["(02) 9999 4444"])
        settled(w)
        assert contact(w)["phones"] == ["(02) 9999 4444"]


def test_an_undo_is_undone_in_turn(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ledger"}) as w:
        acme(w)
        number = edited(w)
        after = contact(w), person(w, "Anna Smith")
        report = undo(w, number)
        at_rest(w)
        back = undo(w, report.batch)
        assert set(fates(back).values()) == {"undo"}
        assert contact(w) == after[0]
        assert person(w, "Anna Smith")["emails"] == after[1]["emails"]
        at_rest(w)
        assert set(fates(undo(w, report.batch)).values()) == {"done"}
        undo(w, number)
        assert contact(w)["phones"] != after[0]["phones"]
        at_rest(w)


def test_what_was_filled_is_emptied_and_what_was_emptied_filled(tmp_path: Path) -> None:
    with world(tmp_path, owners={"phones": "ledger", "email": "ledger"}) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", phones=[], email="")
        batch(w)
        edit(w, EmailAddress="accounts@acme.example")
        report = batch(w)
        number = int(report.batch)
        assert person(w)["emails"] == ["accounts@acme.example"]
        undone = undo(w, number)
        assert fates(undone)["crm email"] == "undo"
        at_rest(w)
        assert person(w)["emails"] == []


@pytest.mark.parametrize("kind", ["lost", pytest.param("late", marks=pytest.mark.slow)])
def test_a_lost_answer_in_the_middle(tmp_path: Path, kind: str) -> None:
    with world(tmp_path, owners={"email": "ledger"}) as w:
        acme(w)
        before = contact(w), person(w)
        number = edited(w)
        for _ in range(2):  # a lost answer is asked for once more with its key
            w.fault(kind=kind, method="POST", path="/Contacts", delay_s=150 * (kind == "late"))
        w.fault(kind=kind, method="PATCH", path="/persons", delay_s=150 * (kind == "late"))
        report = undo(w, number)
        assert {i.fate for i in report.items} == {"open"}
        minutes(w, 20)
        again = undo(w, number)  # finds what landed, and writes what certainly did not
        assert set(fates(again).values()) <= {"done", "undo"}
        assert contact(w)["phones"] == before[0]["phones"]
        assert person(w, "Anna Smith")["emails"] == before[1]["emails"]
        at_rest(w)
        assert set(fates(undo(w, number)).values()) == {"done"}


def test_killed_between_the_two_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, owners={"email": "ledger"}) as w:
        acme(w)
        before = contact(w), person(w)
        number, sent = edited(w), Rounds._kept

        def killed(rounds: Rounds, *_: Any) -> list[Came]:
            raise KeyboardInterrupt

        monkeypatch.setattr(Rounds, "_kept", killed)
        with pytest.raises(KeyboardInterrupt):
            undo(w, number)
        monkeypatch.setattr(Rounds, "_kept", sent)
        assert contact(w)["phones"] == before[0]["phones"]
        assert person(w, "Anna Smith")["emails"] == ["accounts@acme.example"]
        report = undo(w, number)
        assert fates(report)["ledger phones"] == "done"
        assert fates(report)["crm email"] == "undo"
        assert person(w, "Anna Smith")["emails"] == before[1]["emails"]
        at_rest(w)


def test_one_customer_of_a_batch(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ledger"}) as w:
        acme(w)
        number = edited(w)
        report = undo(w, number, subject=f"contact:{contact_id(w)}")
        assert set(fates(report).values()) == {"undo"}
        assert undo(w, number, subject="contact:org:99", write=False).items == ()


def contact_id(w: World) -> str:
    return str(next(c["id"] for c in w.contacts() if c["name"] == "Acme Pty"))


def test_who_undid_it_and_why_is_kept(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        number = edited(w)
        report = undo(w, number)
        with w.connection() as handle:
            rows = handle.state.audit.rows_of(batch=report.batch)
            (said,) = handle.state.decisions.in_batch(report.batch)
        assert {row.rule for row in rows} == {f"undo of batch {number}"}
        assert {row.reason for row in rows} == {"Ann: it was a mistake"}
        assert (said.who, said.kind, said.reason) == ("Ann", f"undo:{number}", "it was a mistake")


def test_a_large_undo_is_released_by_its_hash(tmp_path: Path) -> None:
    config = {"guard": {"updates": 0}}
    with world(tmp_path) as w:
        acme(w)
        number = edited(w)
        w.overrides |= config
        with w.connection() as handle:
            handle.state.db.execute("DELETE FROM part")
            handle.state.db.conn.commit()
        mark = w.mark()
        with pytest.raises(GuardTripped) as tripped:
            undo(w, number)
        assert w.writes(mark) == []
        seen = tripped.value.plan_hash
        assert seen is not None
        with pytest.raises(Park, match="not what was shown"):
            undo(w, number, accept="0" * 12)
        assert undo(w, number, accept=seen).written


def test_nothing_is_undone_while_paused_or_read_only(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        number = edited(w)
        mark = w.mark()
        with w.connection() as handle:
            handle.pause(only="contacts", until=None, reason="stop", who="Zoe")
        with pytest.raises(Paused):
            undo(w, number)
        with w.connection() as handle:
            handle.resume(only="all", who="Zoe")
        w.overrides |= {"mode": "read_only"}
        with pytest.raises(Park, match="read_only"):
            undo(w, number)
        with pytest.raises(Park, match="no batch 999"):
            undo(w, 999)
        assert w.writes(mark) == []
        assert undo(w, number, write=False).hash


def test_what_cannot_be_undone_says_what_a_person_can_do(tmp_path: Path) -> None:
    with world(tmp_path, create_in_crm=True, which="all") as w:
        w.crm("create_org", name="Acme Pty")
        w.books("create_contact", fields={"Name": "Beta Pty", "EmailAddress": "b@beta.example"})
        w.crm("create_org", name="Gamma Pty")
        w.books("create_contact", fields={"Name": "Gamma Pty"})
        number = int(batch(w).batch)
        mark = w.mark()
        report = undo(w, number)
        assert {i.fate for i in report.items} == {"cannot"}
        assert w.writes(mark) == []
        assert all(i.why and i.next_step for i in report.items)
        (link,) = [i for i in report.items if i.target.startswith("link:")]
        assert (link.title, "syncjob match decide org:2" in link.next_step) == ("Gamma Pty", True)
        assert codes(w.run()) == []


def test_a_list_that_both_sides_added_to_is_parted_again(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 1111", "(02) 9999 2222"])
        edit(w, Phones=[{"PhoneType": "DEFAULT", "PhoneNumber": "(02) 9999 1111"},
                        {"PhoneType": "MOBILE", "PhoneNumber": "0400 111 222"}])  # fmt: skip
        before = contact(w)["phones"], person(w)["phones"]
        number = int(batch(w).batch)
        assert len(contact(w)["phones"]) == len(person(w)["phones"]) == 3
        report = undo(w, number)
        assert fates(report) == {"ledger phones": "undo", "crm phones": "undo"}
        assert (contact(w)["phones"], person(w)["phones"]) == before
        at_rest(w)
        w.crm("edit_person", person="Ann Smith", phones=[*before[1], "(02) 9999 3333"])
        settled(w)
        assert "(02) 9999 3333" in contact(w)["phones"]
        assert "0400 111 222" not in person(w)["phones"]


def test_a_list_longer_than_the_ledger_has_room_for(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        many = [f"(02) 9999 {n}{n}{n}{n}" for n in range(1, 6)]
        w.crm("edit_person", person="Ann Smith", phones=many)
        number = int(batch(w).batch)
        assert len(contact(w)["phones"]) == 3
        undo(w, number)
        assert contact(w)["phones"] == ["(02) 9999 1111"]
        at_rest(w)
        assert person(w)["phones"] == many


def test_a_persons_word_is_undone_and_not_taken_again(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ask"}) as w:
        acme(w)
        edit(w, EmailAddress="accounts@acme.example")
        w.crm("edit_person", person="Ann Smith", email="ann@new.example")
        assert codes(batch(w)) == ["contact_conflict"]
        take(w, "ledger", field="email")
        number = int(batch(w).batch)
        assert person(w)["emails"] == ["accounts@acme.example"]
        undo(w, number)
        assert person(w)["emails"] == ["ann@new.example"]
        report = at_rest(w)
        assert codes(report) == []
        w.crm("edit_person", person="Ann Smith", email="ann@newer.example")
        settled(w)
        assert contact(w)["email"] == "ann@newer.example"


def test_contact_sync_that_is_switched_off_and_on_again_does_not_redo(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        before, number = contact(w), edited(w)
        w.overrides["contacts"]["update"] = "off"
        undo(w, number)
        at_rest(w)
        w.overrides["contacts"]["update"] = "owners"
        batch(w)
        assert contact(w)["phones"] == before["phones"]
        at_rest(w)


@pytest.mark.parametrize("owner", ["org:1", "org:2"])
def test_a_record_that_belongs_to_another_customer_since(tmp_path: Path, owner: str) -> None:
    """The link was moved by people: the old value reaches no customer whose it never was, and no
    pair rests on what a record that left it says."""
    with world(tmp_path) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        number = int(batch(w).batch)
        w.books("create_contact", fields={"Name": "Oak", "Phones": phone("DEFAULT", "777")})
        w.crm("create_org", name="Beta")
        batch(w)
        ids = {row["name"]: str(row["id"]) for row in w.contacts()}
        w.books("edit_contact", contact="Acme Pty", fields={"ContactNumber": ""})
        batch(w)
        with w.connection() as handle, handle.state.commit():
            links = handle.state.links
            links.unlink_contact("org:1")
            partner = ids["Acme Pty" if owner == "org:2" else "Oak"]
            links.link_contact(owner, partner, how="person", batch=number)
        before, mark = contact(w), w.mark()
        report = undo(w, number)
        if owner == "org:2":
            assert fates(report) == {"ledger phones": "cannot"}
            assert (contact(w), w.writes(mark)) == (before, [])
        else:
            assert contact(w)["phones"] == ["(02) 9999 1111"]
        with w.connection() as handle:
            base = handle.state.contacts.base("org:1")
        assert "phones" not in base or "1111" not in str(base["phones"])

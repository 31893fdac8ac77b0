"""What becomes of each value in an undo, of each paper in a cancellation: small and complete."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import KINDS
from syncjob.core.cancelling import judge_invoice, judge_template
from syncjob.core.contacts.fields import FIELDS
from syncjob.core.records import Contact, Invoice, Template
from syncjob.core.undoing import (
    Change,
    Seen,
    judge_link,
    judge_move,
    judge_value,
    judge_write,
    merged,
)

#: Those whose texts are plain: people and addresses are JSON.
PLAIN = sorted(set(FIELDS) - {"people", "postal", "street"})
VALUES = (None, "a", "b", "c")
CONTACT = Contact(id="c1", kind="contact", name="Acme")


def change(before: str | None, after: str | None, *, side: str = "ledger", **more: str) -> Change:
    given = {"field": "tax_number", "kind": "contact.update", **more}
    return Change(
        side=side, target="contact:c1", subject="contact:org:1", before=before, after=after,
        intent=1, **given,
    )  # fmt: skip


@pytest.mark.parametrize(("before", "after", "now"), list(product(VALUES, VALUES, VALUES)))
def test_every_combination_of_a_value(
    before: str | None, after: str | None, now: str | None
) -> None:
    """The table in three lines: as before, as we wrote it, or anything else."""
    item = judge_value(change(before, after), Seen(record=CONTACT, now=now, others=(None,)))
    wanted = "done" if now == before else "undo" if now == after else "touched"
    assert item.fate == wanted
    assert bool(item.why) == (wanted != "undo")


@given(
    field=st.sampled_from(PLAIN), before=st.sampled_from(VALUES), after=st.sampled_from(VALUES),
    now=st.sampled_from(VALUES), other=st.sampled_from(VALUES),
    others=st.sets(st.sampled_from(VALUES)),
    linked=st.booleans(), undone=st.booleans(), busy=st.booleans(), supplier=st.booleans(),
    archived=st.booleans(), deleted=st.booleans(), ended=st.booleans(),
)  # fmt: skip
def test_nothing_is_put_back_that_is_not_certainly_ours(
    field: str, before: str | None, after: str | None, now: str | None, other: str | None,
    others: set[str | None], linked: bool, undone: bool, busy: bool, supplier: bool,
    archived: bool, deleted: bool, ended: bool,
) -> None:  # fmt: skip
    record = msgspec.structs.replace(
        CONTACT, is_supplier=supplier, archived=archived, deleted=deleted
    )
    seen = Seen(
        record=record, now=now, other=other, others=tuple(others), linked=linked, undone=undone,
        busy=busy, ended="forgotten" if ended else None,
    )  # fmt: skip
    item = judge_value(change(before, after, field=field), seen)
    if item.fate != "undo":
        assert item.why
        return
    assert not (undone or busy or supplier or archived or deleted or ended)
    assert item.now != item.before
    assert not linked or other in others or _alike(field, other, others)


def _alike(field: str, other: str | None, others: set[str | None]) -> bool:
    from syncjob.core.contacts.fields import same

    return any(same(field, other, known) for known in others)


def test_what_the_ledger_cannot_be_without_is_not_emptied() -> None:
    seen = Seen(record=CONTACT, now="AUD", others=(None,))
    item = judge_value(change(None, "AUD", field="currency"), seen)
    assert (item.fate, item.next_step) == ("cannot", "Change it by hand.")


@pytest.mark.parametrize(
    ("now", "back", "alive", "fate"),
    [("2", "1", True, "undo"), ("1", "1", True, "done"), ("3", "1", True, "touched"),
     ("2", None, True, "cannot"), ("2", "1", False, "cannot")],
)  # fmt: skip
def test_a_move(now: str, back: str | None, alive: bool, fate: str) -> None:
    moved = change("Offer", "Paid", side="crm", field="stage", kind="deal.update")
    item = judge_move(moved, stage="Paid", now=now, moved_to="2", moved_from=back, alive=alive,
                      undone=False, busy=False)  # fmt: skip
    assert item.fate == fate


@pytest.mark.parametrize(
    "kind", sorted({*KINDS.values(), "invoice.approve", "invoice.delete", "field.create"}
                   - {"contact.update"})
)  # fmt: skip
def test_each_kind_of_write_says_what_a_person_can_do(kind: str) -> None:
    item = judge_write(msgspec.structs.replace(change(None, "x", kind=kind), subject="deal:7"))
    assert item.fate == "cannot"
    assert item.why
    assert item.next_step
    assert "{" not in item.next_step


@pytest.mark.parametrize(
    ("status", "step"),
    [("draft", "syncjob cancel 7"), ("submitted", "syncjob cancel 7"),
     ("authorised", "syncjob credit 7"), ("paid", "syncjob credit 7"), ("voided", "Nothing")],
)  # fmt: skip
def test_an_invoice_by_how_far_it_has_come(status: str, step: str) -> None:
    made = msgspec.structs.replace(change(None, "x", kind="invoice.create"), subject="deal:7")
    assert step in judge_write(made, invoice(status=status)).next_step


def test_a_link_is_a_persons_to_part() -> None:
    tied = change(None, "c1", side="us", field="link", kind="link")
    assert judge_link(tied, linked="c1", parted=False, command="X").fate == "cannot"
    assert judge_link(tied, linked="c2", parted=False, command="X").fate == "done"
    bill = msgspec.structs.replace(tied, target="invoice:NW-1-A1", subject="deal:1")
    item = judge_link(bill, linked="c1", parted=False, command="X")
    assert (item.fate, "syncjob reissue 1" in item.next_step) == ("cannot", True)


def test_several_writes_of_one_value_are_one() -> None:
    (one,) = merged([change("a", "b"), change("b", "c")])
    assert (one.before, one.after) == ("a", "c")


# --- cancelling -----------------------------------------------------------------------------------

BASE = {"status": "draft", "reference": "NW-7-A1"}


def invoice(**fields: object) -> Invoice:
    plain: dict[str, object] = {
        "id": "i1", "kind": "sale", "contact_id": "c1", "status": "draft", "currency": "AUD",
        "marker": "NW-7-A1", "date": date(2026, 11, 23), "total": Decimal(110),
    }  # fmt: skip
    return msgspec.convert({**plain, **fields}, Invoice)


@pytest.mark.parametrize(
    ("fields", "now", "base", "fate"),
    [
        ({}, {}, BASE, "delete"),
        ({"status": "submitted"}, {"status": "submitted"}, BASE, "delete"),
        ({"status": "submitted"}, {"status": "submitted", "reference": "x"}, BASE, "stays"),
        ({}, {"reference": "x"}, BASE, "stays"),
        ({}, {}, {}, "stays"),
        ({"marker": None}, {}, BASE, "stays"),
        ({"sent": True}, {}, BASE, "stays"),
        ({"status": "authorised"}, {}, BASE, "stays"),
        ({"status": "paid"}, {}, BASE, "stays"),
        ({"status": "voided"}, {}, BASE, "gone"),
        ({"status": "deleted"}, {}, BASE, "gone"),
        ({"date": date(2026, 10, 31)}, {}, BASE, "stays"),
    ],
)
def test_which_invoices_go(
    fields: dict[str, object], now: dict[str, str], base: dict[str, str], fate: str
) -> None:
    paper = judge_invoice("7", invoice(**fields), "NW-7-A1", base, {**BASE, **now},
                          date(2026, 10, 31), fresh=True)  # fmt: skip
    assert paper.fate == fate
    assert bool(paper.why) == (fate != "delete")


def test_what_the_ledger_does_not_show_now_stays() -> None:
    paper = judge_invoice("7", invoice(), "NW-7-A1", BASE, BASE, None, fresh=False)
    assert paper.fate == "stays"


@pytest.mark.parametrize(
    ("status", "now", "known", "fate"),
    [("draft", "a", True, "delete"), ("draft", "b", True, "stays"), ("draft", "a", False, "stays"),
     ("authorised", "a", True, "stays"), ("deleted", "a", True, "gone")],
)  # fmt: skip
def test_which_repeating_invoices_go(status: str, now: str, known: bool, fate: str) -> None:
    plain = {"id": "t1", "currency": "AUD", "contact_id": "c1", "unit": "monthly", "period": 1}
    template = msgspec.convert({**plain, "status": status}, Template)
    paper = judge_template(template, "NW-7-r1", {"lines": "a"}, {"lines": now}, known=known)
    assert paper.fate == fate

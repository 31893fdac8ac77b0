"""What was credited of a deal's parts, net of tax."""

from __future__ import annotations

from decimal import Decimal

from syncjob.core.case import PartCase
from syncjob.core.credited import net_credited
from syncjob.core.records import CreditNote, Invoice, Settlement


def part(name: str, *notes: CreditNote, applied: dict[str, str] | None = None) -> PartCase:
    """A part of 100 net at 10% and 100 without tax."""
    invoice = Invoice(
        id=name, kind="sale", status="authorised", currency="AUD", contact_id="c", number=name,
        sub_total=Decimal(200), total_tax=Decimal(10), total=Decimal(210), due=Decimal(210),
        settlements=tuple(
            Settlement(id=note, kind="credit_note", amount=Decimal(amount))
            for note, amount in (applied or {}).items()
        ),
    )  # fmt: skip
    return PartCase(name=name, key=name, invoice=invoice, credit_notes=notes)


def note(id: str, total: str, net: str | None, *, refunded: str = "0", of: str = "") -> CreditNote:
    return CreditNote(
        id=id, number=id, kind="sale", status="authorised", contact_id="c", currency="AUD",
        total=Decimal(total), remaining=Decimal(0), refunded=Decimal(refunded),
        sub_total=Decimal(net) if net else None, reference=of,
    )  # fmt: skip


def test_it_is_net_as_the_credit_note_is() -> None:
    assert net_credited([]) == 0
    assert net_credited([part("A"), PartCase()]) == 0
    taxed = note("n", "55", "50")
    assert net_credited([part("A", taxed, applied={"n": "55"})]) == 50
    assert net_credited([part("A", taxed, applied={"n": "33"}), part("B", taxed)]) == 30


def test_it_is_net_as_the_invoice_is_where_the_note_does_not_say() -> None:
    assert net_credited([part("A", applied={"n": "21"})]) == 20
    assert net_credited([part("A", note("n", "21", None), applied={"n": "21"})]) == 20


def test_what_was_paid_back_counts_once_and_only_of_what_the_note_names() -> None:
    both = note("n", "110", "100", refunded="55", of="A B")
    assert net_credited([part("A", both), part("B", both)]) == 50
    assert net_credited([part("A", both, applied={"n": "55"}), part("B", both)]) == 100
    other = note("n", "110", "100", refunded="55", of="Z")
    assert net_credited([part("A", other, applied={"n": "55"})]) == 50

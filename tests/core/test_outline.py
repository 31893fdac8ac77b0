"""A schedule over the invoices that a deal has: names never shift, and the whole is right."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncjob.core.case import Case, Context, PartCase
from syncjob.core.outline import Outline, outline_of
from syncjob.core.policy import DealFields, DealInputs, Overdue
from syncjob.core.policy_schedules import Deposit
from syncjob.core.records import Contact, Deal, Instalment, Invoice, InvoiceLine
from syncjob.core.rules.changes import Past
from syncjob.core.rules.matching import Candidates
from tests.core.make import LONDON, TODAY, D, crm, customer, deal, held, ledger, line, policy
from tests.core.make import context as asked_of

CUSTOMER = customer()
ORG = Contact(id="org:12", kind="organization", name="Acme Ltd")


def context(**changes: object) -> Context:
    base = Context(
        code="NW", mode="full", policy=policy(value_is="net"), inputs=DealInputs(),
        fields=DealFields(), overdue=Overdue(), crm=crm(), ledger=ledger(), zone=LONDON,
        today=TODAY, stamp="", locked_through=None,
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def sold(*instalments: tuple[int, int, int], **changes: object) -> Deal:
    """A deal of as much as its instalments (id, amount, day of the year) come to."""
    value = D(sum(amount for _, amount, _ in instalments))
    lines = (line(quantity=D(1), unit_price=value),)
    made = tuple(
        Instalment(id=str(id), amount=D(amount), due=date(2026, 1, 1) + timedelta(days=day))
        for id, amount, day in instalments
    )
    return deal(**{"value": value, "lines": lines, "instalments": made, **changes})


def case(of: Deal, *parts: PartCase) -> Case:
    return Case(
        deal=of, complete=True, busy=False, party=ORG, parts=parts,
        candidates=Candidates(linked=CUSTOMER),
    )  # fmt: skip


def outlined(of: Deal, *parts: PartCase, **changes: object) -> Outline:
    found = outline_of(case(of, *parts), context(**changes))
    assert found is not None
    return found


def made(outline: Outline, key: str) -> PartCase:
    """A part as it stands once its invoice was made as foreseen."""
    place = next(place for place in outline.places if place.slot.key == key)
    nets = outline.nets_of(place.slot)
    lines = tuple(
        InvoiceLine(
            description="x", quantity=D(1), unit_price=net, amount=net, tax=D(0), tax_code=code
        )
        for code, net in nets.items()
    )
    total = sum(nets.values(), Decimal(0))
    invoice = Invoice(
        id=f"i-{place.part.name}", kind="sale", status="authorised", currency="GBP",
        contact_id="c1", lines=lines, sub_total=total, total=total, due=total,
    )  # fmt: skip
    return msgspec.structs.replace(
        place.part, invoice=invoice, contact=CUSTOMER, history=(Past(1, "authorised", False),)
    )


@st.composite
def lists(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    ids = draw(st.lists(st.integers(1, 9), unique=True, min_size=1, max_size=6))
    return [(id, draw(st.integers(1, 5000)), draw(st.integers(0, 300))) for id in ids]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lists(), min_size=1, max_size=4), st.data())
def test_adding_removing_and_moving_instalments_never_renames_a_part(
    versions: list[list[tuple[int, int, int]]], data: st.DataObject
) -> None:
    """However the list changes between two invoices, a part that was invoiced keeps its name, and
    no two parts share one."""
    known: dict[str, PartCase] = {}
    for version in versions:
        found = outlined(sold(*version), *known.values())
        names = {place.slot.key: place.part.name for place in found.places}
        assert {key: names[key] for key in names if key in known} == {
            key: known[key].name for key in names if key in known
        }
        taken = [part.name for part in known.values()]
        new = [names[key] for key in names if key not in known]
        assert len({*taken, *new}) == len(taken) + len(new)
        assert "A" not in new
        assert {part.key for part in found.strays} == set(known) - set(names)
        if found.still_to_make and not found.strays:
            key = data.draw(st.sampled_from([place.slot.key for place in found.still_to_make]))
            known[key] = made(found, key)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lists(), st.integers(1, 3), st.data())
def test_whatever_the_order_of_making_the_whole_is_right(
    version: list[tuple[int, int, int]], cents: int, data: st.DataObject
) -> None:
    """Parts made in any order, the deal growing by a few cents on the way."""
    known: dict[str, PartCase] = {}
    of = sold(*version)
    while True:
        found = outlined(of, *known.values())
        if not found.still_to_make:
            break
        key = data.draw(st.sampled_from([place.slot.key for place in found.still_to_make]))
        known[key] = made(found, key)
        grown = line(quantity=D(1), unit_price=of.value + D(cents) / 100)
        of = msgspec.structs.replace(of, lines=(grown,)) if len(known) == 1 else of
    total = sum((p.invoice.sub_total for p in known.values() if p.invoice), Decimal(0))
    rounding = Decimal("0.01") * cents if len(version) == 1 else Decimal(0)
    assert abs(total - found.content.lines[0].unit_price) <= rounding


def test_a_person_edited_an_earlier_part_and_the_last_makes_up_for_it() -> None:
    of = sold((1, 300, 1), (2, 700, 40))
    first = made(outlined(of), "crm.1")
    assert first.invoice is not None
    edited = InvoiceLine(
        description="x",
        quantity=D(1),
        unit_price=D(350),
        amount=D(350),
        tax=D(0),
        tax_code="OUTPUT2",
    )
    invoice = msgspec.structs.replace(first.invoice, lines=(edited,), sub_total=D(350))
    found = outlined(of, msgspec.structs.replace(first, invoice=invoice))
    assert found.nets_of(found.places[1].slot) == {"OUTPUT2": D("650.00")}


def test_a_part_in_another_currency_is_held() -> None:
    of = sold((1, 300, 1), (2, 700, 40))
    first = made(outlined(of), "crm.1")
    with held("currency_changed", "EUR", "GBP"):
        outlined(msgspec.structs.replace(of, currency="EUR"), first)


def test_the_account_of_deposits_must_be_one() -> None:
    deposits = context(policy=policy(value_is="net", deposit=Deposit(account="Deposits")))
    of = sold((1, 300, 1), (2, 700, 40))
    found = outline_of(case(of), deposits)
    assert found is not None
    asked = asked_of(policy=deposits.policy, marker="NW-1042-B1")
    with held("account_missing", "Deposits"):
        found.write(found.places[0].slot, CUSTOMER, asked)
    last, _, _ = found.write(found.places[1].slot, CUSTOMER, asked)
    assert {part.account for part in last.lines} == {"200"}
    assert last.due_date >= last.date

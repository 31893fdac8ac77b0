"""Short histories with a cut at each message, a kill, a restored or lost state: at most once.

Several owners and invoices; every message of a history is cut at each moment in turn. Judged from
what people have: nobody twice for one step, nobody left out of what certainly never left, and what
may be missing is named in the next message to that person.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from tests.notices.firm import CURRENCY, TAX, Firm, Wishes
from tests.notices.post import CUTS, KNOWN, Letter
from tests.sim.watch import Violation

DAY = timedelta(days=1)
SELLERS = ("Ann Lee", "Ann Lee", "Bob Kay")
WISHES = Wishes(steps=(1, 3), ways=("email",))
#: Due thirty days after it was made.
TERMS = timedelta(days=30)


def firm_with_debts(wishes: Wishes = WISHES) -> Firm:
    """Three invoices of two sellers, due tomorrow's eve: the next day is the first step's."""
    firm = Firm(wishes)
    for number, seller in enumerate(SELLERS):
        org = firm.crm("create_org", name=f"Customer {number}", owner=seller)["id"]
        line = {"name": "Work", "price": 100, "quantity": 1, "tax": TAX[wishes.region]}
        made = firm.crm(
            "create_deal", title="An order", org=org, owner=seller,
            currency=CURRENCY[wishes.region], lines=[line],
        )  # fmt: skip
        firm.crm("win", deal=made["id"])
    firm.run()
    firm.advance(TERMS)
    firm.run()
    assert not firm.letters()
    return firm


def play(wishes: Wishes, cuts: dict[int, str]) -> Firm:
    """Two steps with these cuts; the batches of five days, some a few minutes apart."""
    firm = firm_with_debts(wishes)
    firm.post.cuts = dict(cuts)
    try:
        for _ in range(5):
            firm.advance(DAY)
            for _ in range(3):
                firm.run()
                firm.advance(timedelta(minutes=6))
    finally:
        firm.close()
    judge(firm)
    return firm


def judge(firm: Firm) -> None:
    """Raises Violation."""
    letters = firm.letters()
    doubled = [key for key, count in Counter(_about(letters, firm)).items() if count > 1]
    if doubled:
        raise Violation("twice", f"{doubled}")
    whole = _about(letters, firm)
    unsure = [cut for cut in firm.post.met if cut not in KNOWN]
    lost = [cut for cut in unsure if not CUTS[cut]]
    each = 2 if firm.wishes.digest else 1  # the first digest is of two invoices
    if len(whole) != 2 * len(SELLERS) - each * len(lost):
        raise Violation("left_out", f"lost {lost}, and there are {sorted(whole)}")
    named = doubts(letters)
    if len(named) != each * len(unsure):
        raise Violation("unnamed", f"{unsure}, and named are {named}")


def _about(letters: list[Letter], firm: Firm) -> list[tuple[str, str, str]]:
    """(reader, invoice, days late) of everything that was said, digests line by line."""
    from tests.notices.model import _LATE, _LINE

    found: list[tuple[str, str, str]] = []
    for letter in letters:
        late = _LATE.match(letter.subject)
        if firm.wishes.digest:
            text = letter.text.partition("\n\nThese earlier")[0]
            found += [(letter.to, number, days) for number, days, *_ in _LINE.findall(text)]
        elif late:
            found.append((letter.to, late[1], late[2]))
    return found


def doubts(letters: list[Letter]) -> set[str]:
    """What a later message said may not have arrived."""
    heard = (letter.text.partition("may not have reached you:\n")[2] for letter in letters)
    return {line for text in heard for line in text.splitlines()}


def with_way(way: str, *, digest: bool = False) -> Wishes:
    """The same firm, told by this way."""
    return replace(WISHES, ways=(way,), digest=digest)

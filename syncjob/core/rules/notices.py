"""Who is told of an overdue or a paid invoice, at which step, and on which day: pure rules.

One step is told once (invariant 9): a step is an invoice, the due date it had, and so many days
after it. A step that was missed while the machine was off is passed over for the latest one
(BOOKKEEPING, "What the deal says").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.policy_notices import Notices
from syncjob.core.records import Contact, Deal, User
from syncjob.core.rules.texts import one_line

#: The step of the notice that says the money is there.
PAID = 0
#: For so long it is news for somebody else, too: whoever takes the deal over later is not told.
PAID_IS_NEWS = timedelta(days=3)
#: Ways that lead to a place and not to a person: there a notice appears once, whomever it is for.
PLACES = frozenset({"slack", "teams", "other"})
_SATURDAY = 5


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One step that somebody was told of in one way; `sure` False: nobody knows whether it came."""

    marker: str
    due: date
    step: int
    person: str
    way: str
    sure: bool = True
    at: datetime | None = None


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer was credited or paid ahead in an invoice's currency and nobody has applied:
    all of it, and what is `here` for this invoice once older debts have had theirs."""

    left: Decimal
    here: Decimal


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to tell: a user of the CRM. `key` names them in what we remember."""

    key: str
    name: str
    email: str | None = None


class Debt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a notice says of one invoice; amounts in `currency`, days the organisation's."""

    deal: str  # its subject: "deal:1042"
    deal_title: str
    marker: str
    invoice: str
    currency: str
    total: Decimal
    due: Decimal
    paid: Decimal
    credited: Decimal
    due_date: date
    days: int
    customer: str = ""
    owner: str = ""
    deal_page: str | None = None
    invoice_page: str | None = None
    phone: str | None = None
    expected_on: date | None = None
    last_paid_on: date | None = None
    last_paid: Decimal | None = None
    credit_left: Decimal = Decimal(0)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One person is to be told of one invoice at one step (`PAID` or days late), in one way."""

    person: Person
    way: str
    step: int
    debt: Debt

    @property
    def kind(self) -> Literal["overdue", "paid"]:
        return "paid" if self.step == PAID else "overdue"


def due_step(
    days_overdue: int, due: date, today: date, policy: Notices, told: Iterable[Told], began: date
) -> int | None:
    """The latest step that has come and was not told for this due date; None if there is none.

    `told` is what one person was told of this invoice in one way. Nothing is told of a step whose
    own day lies before `began`, the day from which this state remembers notices.
    """
    if policy.weekdays_only and today.weekday() >= _SATURDAY:
        return None
    reached = max((step for step in policy.steps if step <= days_overdue), default=None)
    last = max((t.step for t in told if t.due == due), default=0)
    if reached is None or reached <= last or due + timedelta(days=reached) < began:
        return None
    return reached


def paid_step(told: Iterable[Told], others: Iterable[Told], now: date) -> int | None:
    """`PAID` unless this person was told of it (`told`), or others were and it is no news."""
    if any(t.step == PAID for t in told):
        return None
    heard = (t.at.date() for t in others if t.step == PAID and t.at is not None)
    return None if any(now - day > PAID_IS_NEWS for day in heard) else PAID


def next_step_day(due: date, today: date, policy: Notices) -> date | None:
    """The first day after today on which another step comes, weekends passed over if wanted.

    On a weekend that is passed over it is Monday: what should have been told may be older.
    """
    if policy.weekdays_only and _weekday(today) != today:
        return _weekday(today)
    days = (due + timedelta(days=step) for step in policy.steps if step)
    moved = (_weekday(day) if policy.weekdays_only else day for day in days)
    return min((day for day in moved if day > today), default=None)


def _weekday(day: date) -> date:
    late = day.weekday() - _SATURDAY
    return day + timedelta(days=2 - late) if late >= 0 else day


def people(
    deal: Deal, party: Contact | None, users: Sequence[User], policy: Notices
) -> tuple[tuple[Person, ...], str | None]:
    """Who is told, each once, and in words why nobody can be (None if somebody can).

    An owner who is missing or has left is replaced by the config's fallback.
    """
    wanted = {
        "deal_owner": [deal.owner_id],
        "account_owner": [party.owner_id if party else None],
        "both": [deal.owner_id, party.owner_id if party else None],
    }[policy.to]
    found = [_active(owner, users) for owner in wanted]
    known = [user for user in found if user is not None]
    fallback = user_named(policy.fallback, users) if policy.fallback else None
    if not known and fallback is not None:
        known = [fallback]
    if known:
        return tuple({u.id: _person(u) for u in known}.values()), None
    owner = policy.to.replace("_", " ").replace("both", "deal owner and its account owner")
    named = f'; notices.fallback names "{policy.fallback}", which is no active user'
    return (), f"Its {owner} is missing or has left" + (named if policy.fallback else "") + "."


def user_named(wanted: str, users: Sequence[User]) -> User | None:
    """The active user of this name or e-mail address, without regard to case."""
    return next((user for user in users if user.active and _is(user, wanted)), None)


def _active(owner: str | None, users: Sequence[User]) -> User | None:
    return next((user for user in users if user.id == owner and user.active), None)


def _is(user: User, wanted: str) -> bool:
    key = one_line(wanted).casefold()
    return key in (one_line(user.name).casefold(), (user.email or "").casefold())


def _person(user: User) -> Person:
    return Person(key=user.id, name=one_line(user.name), email=user.email)


def covered(due: Decimal, credit: Credit | None) -> bool:
    """Whether the customer's unallocated credit pays the debt: then nobody is reminded of it."""
    return credit is not None and credit.here > 0 and credit.here >= due

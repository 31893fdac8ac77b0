"""Who should have been told of what, and what deals should say: a plain model of its own.

It reads what the servers hold, what people did, and the firm's wishes; days are reckoned by
tests/notices/days. It knows nothing of the program's tables, and shares no rule with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from syncjob.sandbox.xero.models import Document
from tests.notices.days import day_of
from tests.notices.firm import MUTE, Firm
from tests.sim.truth import cash_and_credit, fields_for, word

_MARKER = re.compile(r"syncjob=SJ-(\d+)-A(\d+)$")
PAID = 0
#: News of a payment is news for somebody who takes over for so long.
PAID_IS_NEWS = timedelta(days=3)


class Said(NamedTuple):
    """One notice as its reader sees it: by which way, to whom, of which invoice, how late (0: it
    is paid), and the sum."""

    way: str
    to: str
    number: str
    days: int
    amount: str


class Step(NamedTuple):
    """What a notice is about, for ever."""

    invoice: str
    due: date
    step: int
    person: str
    way: str


@dataclass
class Model:
    """What was told so far, as it should be."""

    firm: Firm
    #: The first day of whose steps anybody is told.
    began: date
    told: dict[Step, date] = field(default_factory=dict)
    #: Until when deals are muted by command (date.max: for good).
    mutes: dict[int, date] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The organisation's day."""
        return day_of(self.firm.region, self.firm.now())

    def due_now(self) -> list[tuple[Step, Said]]:
        """The notices that this moment asks for; `note` them once they were sent."""
        return [pair for deal, invoice in self.debts() for pair in self._of(deal, invoice)]

    def optional(self, steps: list[Step]) -> set[Step]:
        """What somebody else has heard: news of a payment, and where account owners are told each
        step (the program learns of a new one only when it reads the customer)."""
        accounts = self.firm.wishes.to != "deal_owner"
        had = {t[:3] + t[4:] for t in self.told if accounts or t.step == PAID}
        return {s for s in steps if s[:3] + s[4:] in had}

    def note(self, steps: list[Step]) -> None:
        """These were told."""
        self.told.update(dict.fromkeys(steps, self.today))

    # --- which invoices -------------------------------------------------------------------------

    def debts(self) -> Iterator[tuple[dict[str, Any], Document]]:
        """Every live invoice of a deal."""
        company = self.firm.pipedrive.company
        for invoice in self.firm.xero.organisation.invoices:
            marker = _MARKER.search(invoice.url or "")
            if marker and invoice.status not in ("VOIDED", "DELETED"):
                yield company.get("deals", int(marker[1])), invoice

    def _of(self, deal: dict[str, Any], invoice: Document) -> Iterator[tuple[Step, Said]]:
        wishes = self.firm.wishes
        for person, way in self.recipients(deal, self.firm.known_owners):
            step = self._step(deal, invoice, person, way)
            if step is not None:
                due = invoice.due_day or self.today
                days = (self.today - due).days if step != PAID else 0
                amount = invoice.due if step != PAID else self._cash(invoice)
                yield (
                    Step(invoice.id, due, step, person, way),
                    Said(way, person, invoice.number, days, f"{float(amount):,.2f}"),
                )
        assert wishes.steps == tuple(sorted(wishes.steps))

    def _cash(self, invoice: Document) -> Fraction:
        return cash_and_credit(self.firm.xero.organisation, invoice)[0]

    def _step(self, deal: dict[str, Any], invoice: Document, person: str, way: str) -> int | None:
        wishes, today = self.firm.wishes, self.today
        if self.overdue(invoice):
            if self._muted(deal) or self._covered(invoice):
                return None
            if wishes.weekdays_only and today.weekday() in (5, 6):
                return None
            assert invoice.due_day is not None
            late = (today - invoice.due_day).days
            come = [step for step in wishes.steps if step <= late]
            if not come or invoice.due_day + timedelta(days=come[-1]) < self.began:
                return None
            had = [
                t.step for t in self.told
                if (t.invoice, t.due, t.person, t.way) == (invoice.id, invoice.due_day, person, way)
            ]  # fmt: skip
            return come[-1] if come[-1] > max(had, default=0) else None
        return self._paid(invoice, person, way) if wishes.paid else None

    def _paid(self, invoice: Document, person: str, way: str) -> int | None:
        org = self.firm.xero.organisation
        if word(org, invoice) != "paid":
            return None
        days = [a.day for a in invoice.applied if self._is_money(a)]
        if not days or max(days) < self.began:
            return None
        heard = {
            told.person: on
            for told, on in self.told.items()
            if (told.invoice, told.step, told.way) == (invoice.id, PAID, way)
        }
        old = any(self.today - on > PAID_IS_NEWS for on in heard.values())
        return None if person in heard or old else PAID

    def _is_money(self, applied: Any) -> bool:
        source = self.firm.xero.organisation.credits.get(applied.source_id)
        return applied.kind == "payment" or source.type != "ACCRECCREDIT"

    def overdue(self, invoice: Document) -> bool:
        """Approved, enough due, and its day, the days of grace and the promised day are over."""
        wishes = self.firm.wishes
        if invoice.status != "AUTHORISED" or invoice.due_day is None:
            return False
        if invoice.due <= 0 or invoice.due < wishes.ignore_due_below:
            return False
        last = invoice.due_day + timedelta(days=wishes.grace_days)
        return self.today > max(last, invoice.expected_day or last)

    def _muted(self, deal: dict[str, Any]) -> bool:
        if self.mutes.get(deal["id"], date.min) > self.today:
            return True
        return bool(self._fields(deal).get(MUTE) not in (None, "", "no"))

    def _covered(self, invoice: Document) -> bool:
        """Whether the customer's credit that nobody has applied pays this debt once it has paid
        the older ones."""
        org = self.firm.xero.organisation
        left = sum(
            (c.due for c in org.credits
             if c.contact_id == invoice.contact_id and c.status == "AUTHORISED"
             and c.type in ("ACCRECCREDIT", "ARPREPAYMENT", "AROVERPAYMENT",
                            "RECEIVE-PREPAYMENT", "RECEIVE-OVERPAYMENT")),
            Fraction(0),
        )  # fmt: skip
        mine, owed = (invoice.due_day, invoice.id), ("DRAFT", "SUBMITTED", "AUTHORISED")
        theirs = (o for o in org.invoices if o.contact_id == invoice.contact_id and o.due_day)
        older = (o for o in theirs if o.status in owed and (o.due_day, o.id) < mine)
        left -= sum((o.due for o in older), Fraction(0))
        return left > 0 and left >= invoice.due

    # --- whom -----------------------------------------------------------------------------------

    def recipients(
        self, deal: dict[str, Any], accounts: dict[int, int]
    ) -> Iterator[tuple[str, str]]:
        """Whom to tell, and how; `accounts` says who looks after which customer."""
        known = self.firm.known_users
        account = accounts.get(deal["org_id"])
        owners = {
            "deal_owner": [deal["owner_id"]],
            "account_owner": [account],
            "both": [deal["owner_id"], account],
        }[self.firm.wishes.to]
        people = {owner for owner in owners if owner in known}
        if not people and self.firm.wishes.fallback:
            people = {u for u, row in known.items() if row["name"] == "Fay Back"}
        for way in self.firm.wishes.ways:
            if way == "slack":  # a place: it hears once, whoever it concerns
                yield "", way
            else:
                yield from ((known[person]["email"], way) for person in sorted(people))

    # --- what deals say -------------------------------------------------------------------------

    def wrong_fields(self) -> list[str]:
        """What deals say of their newest invoice that is not so, in words."""
        org = self.firm.xero.organisation
        newest: dict[int, tuple[int, Document]] = {}
        for invoice in org.invoices:
            marker = _MARKER.search(invoice.url or "")
            if marker:
                made = (int(marker[2]), invoice)
                newest[int(marker[1])] = max(newest.get(int(marker[1]), made), made, key=_first)
        wrong: list[str] = []
        for number, (_, invoice) in newest.items():
            if invoice.id in self.firm.unseen:
                continue
            deal = self.firm.pipedrive.company.get("deals", number)
            said = self._fields(deal)
            late = self.overdue(invoice)
            flags = {
                "Invoice overdue": "yes" if late else "no",
                "Invoice overdue amount": invoice.due if late else None,
            }
            for name, value in (fields_for(org, invoice) | flags).items():
                if invoice.status == "DELETED":
                    continue
                if not _same(said.get(name), value):
                    wrong.append(f"deal {number} says {name} = {said.get(name)!r}, not {value!r}")
        return wrong

    def _fields(self, deal: dict[str, Any]) -> dict[str, Any]:
        known = self.firm.pipedrive.company.fields["deals"]
        found: dict[str, Any] = {}
        for code, value in (deal.get("custom_fields") or {}).items():
            options = {o["id"]: o["label"] for o in known[code].get("options") or []}
            plain = value["value"] if isinstance(value, dict) and "value" in value else value
            found[known[code]["field_name"]] = options.get(plain, plain) if options else plain
        return found


def _first(made: tuple[int, Document]) -> int:
    return made[0]


def _same(said: Any, value: Any) -> bool:
    if isinstance(value, Fraction):
        return said is not None and Fraction(str(said)) == value
    return (said or None) == value


# --- what people have -----------------------------------------------------------------------------

_LATE = re.compile(r"^(\S+) of .* is (\d+) days? overdue: ([\d,.]+) \w+$")
_DONE = re.compile(r"^(\S+) of .* is paid: ([\d,.]+) \w+$")
_LINE = re.compile(
    r"^- (\S+), .*: (?:(\d+) days? overdue: ([\d,.]+)|paid: ([\d,.]+)) \w+$", re.MULTILINE
)


def read(firm: Firm, tasks: int, letters: int) -> tuple[Counter[Said], list[str]]:
    """What arrived since there were so many tasks and letters; and whom each message was for."""
    found: Counter[Said] = Counter()
    who: list[str] = []
    users = {u["id"]: u["email"] for u in firm.pipedrive.company.all("users")}
    for task in firm.tasks()[tasks:]:
        found.update(_single("task", users[task["owner_id"]], task["subject"]))
    for letter in firm.letters()[letters:]:
        who.append(f"{letter.way} {letter.to}")
        if firm.wishes.digest:
            lines = letter.text.partition("\n\nThese earlier")[0]
            found.update(
                Said(letter.way, letter.to, n, int(days or 0), amount or paid)
                for n, days, amount, paid in _LINE.findall(lines)
            )
        else:
            found.update(_single(letter.way, letter.to, letter.subject))
    return found, who


def _single(way: str, to: str, subject: str) -> list[Said]:
    late, done = _LATE.match(subject), _DONE.match(subject)
    if late:
        return [Said(way, to, late[1], int(late[2]), late[3])]
    assert done, subject
    return [Said(way, to, done[1], PAID, done[2])]

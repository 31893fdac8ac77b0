"""One Xero organisation: its settings, its records and the small questions asked of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.sandbox.kernel import Clock, Entropy
from syncjob.sandbox.xero.models import (
    Account,
    Contact,
    Document,
    Item,
    Payment,
    TaxRate,
    Template,
)
from syncjob.sandbox.xero.options import Options
from syncjob.sandbox.xero.regions import CHART, REGIONS, day_rate
from syncjob.sandbox.xero.store import Table

DEAD = ("VOIDED", "DELETED")


class Invalid(Exception):
    """An element that Xero refuses; `messages` are the vendor's words."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def _number(row: Contact | Document) -> str | None:
    return row.number


def _active_name(contact: Contact) -> str | None:
    return contact.name.casefold() if contact.status == "ACTIVE" else None


class Organisation:
    """A tenant."""

    def __init__(
        self, clock: Clock, entropy: Entropy, options: Options, region: str, name: str
    ) -> None:
        self.clock, self.entropy, self.options = clock, entropy, options
        self.region = REGIONS[region]
        self.id, self.name, self.demo = entropy.uuid(), name, options.demo
        self.short_code = "!" + entropy.hex(5)
        self.theme_id, self.user_id = entropy.uuid(), entropy.uuid()
        self.themes = {self.theme_id: "Standard"}  # the first is the organisation's own
        self.created = clock.now().replace(microsecond=0)
        self.period_lock: date | None = None
        self.year_lock: date | None = None
        self.plan_cap = options.plan_cap
        self.tax_basis = self.region.tax_basis
        self.currencies = [self.region.currency]
        self.currencies += [c for c in options.extra_currencies if c != self.region.currency]
        self.tax_rates = list(self.region.rates)
        self.tracking: list[dict[str, Any]] = []
        self.emails: list[dict[str, str]] = []
        self.sequence = {"INV": 0, "CN": 0}
        lag = options.lag_max_s
        self.accounts: Table[Account] = Table(clock, entropy, 0)
        self.items: Table[Item] = Table(clock, entropy, lag)
        self.contacts: Table[Contact] = Table(clock, entropy, lag)
        self.invoices: Table[Document] = Table(clock, entropy, lag)
        self.credits: Table[Document] = Table(clock, entropy, lag)
        self.payments: Table[Payment] = Table(clock, entropy, lag)
        self.templates: Table[Template] = Table(clock, entropy, lag)
        self._open_chart()

    def _open_chart(self) -> None:
        taxes = {
            "sales": self.region.sales_tax,
            "input": self.region.input_tax,
            "none": self.region.none_tax,
        }
        for code, name, kind, klass, tax, system, payments in CHART:
            currency = self.region.currency if kind == "BANK" else None
            self.accounts.put(
                Account(
                    self.entropy.uuid(),
                    code,
                    name,
                    kind,
                    klass,
                    taxes[tax],
                    system,
                    payments=payments,
                    currency=currency,
                    updated=self.created,
                )
            )

    def stamp(self) -> datetime:
        """An UpdatedDateUTC: the true time, to the second."""
        return self.clock.now().replace(microsecond=0)

    def today(self) -> date:
        """The organisation's own calendar day."""
        return self.clock.now().astimezone(ZoneInfo(self.region.zone)).date()

    def next_number(self, series: str) -> str:
        while True:
            self.sequence[series] += 1
            number = f"{series}-{self.sequence[series]:04d}"
            if not any(t.keyed(_number, number) for t in (self.invoices, self.credits)):
                return number

    def account(self, code: str) -> Account | None:
        return self.accounts.first(lambda a: a.code == code)

    def tax_rate(self, tax_type: str) -> TaxRate | None:
        return next((t for t in self.tax_rates if t.tax_type == tax_type), None)

    def item(self, code: str) -> Item | None:
        return self.items.first(lambda i: i.code == code)

    def rate(self, currency: str) -> Fraction:
        return day_rate(self.region.currency, currency)

    def contact_named(self, name: str) -> Contact | None:
        return next(iter(self.contacts.keyed(_active_name, name.casefold())), None)

    def contact_numbered(self, number: str) -> Contact | None:
        return next(iter(self.contacts.keyed(_number, number)), None)

    def invoice_numbered(self, number: str, live_only: bool = True) -> Document | None:
        """The sales invoice of that number; voided and deleted ones freed it (facts: xero, 3)."""
        found = [d for d in self.invoices.keyed(_number, number) if d.type == "ACCREC"]
        live = [d for d in found if d.status not in DEAD]
        if live:
            return live[0]
        return None if live_only or not found else found[-1]

    def locked_until(self) -> date | None:
        days = [d for d in (self.period_lock, self.year_lock) if d is not None]
        return max(days) if days else None

    def refuse_locked(self, day: date) -> None:
        lock = self.locked_until()
        if lock is None or day > lock:
            return
        which = "end of year" if lock == self.year_lock else "period"
        raise Invalid(
            f"The document date cannot be before the {which} lock date, "
            f"currently set at {lock:%d/%m/%Y}"
        )

    def refuse_over_cap(self, document: Document) -> None:
        """Small plans cap the invoices approved with a date in one month (facts: xero, 3)."""
        if self.plan_cap is None:
            return
        month = (document.day.year, document.day.month)
        approved = [
            d
            for d in self.invoices
            if d.type == document.type
            and d.id != document.id
            and d.status in ("AUTHORISED", "PAID")
            and (d.day.year, d.day.month) == month
        ]
        if len(approved) >= self.plan_cap:
            raise Invalid("You have reached the limit of invoices you can approve")

    def mark_role(self, document: Document) -> None:
        """IsCustomer and IsSupplier follow documents; the stamp does not move (facts: xero, 4)."""
        contact, sales = self.contacts[document.contact_id], document.type == "ACCREC"
        marked = replace(contact, is_customer=True) if sales else replace(contact, is_supplier=True)
        if marked != contact:
            self.contacts.put(marked)

    def save(self) -> tuple[Any, ...]:
        return tuple(t.save() for t in self._tables()), dict(self.sequence)

    def restore(self, saved: tuple[Any, ...]) -> None:
        for table, state in zip(self._tables(), saved[0], strict=True):
            table.restore(state)
        self.sequence = dict(saved[1])

    def _tables(self) -> tuple[Table[Any], ...]:
        documents = (self.invoices, self.credits, self.payments, self.templates)
        return (self.items, self.contacts, *documents)

"""What contacts are made of: addresses, payment terms, further persons."""

from __future__ import annotations

from typing import Literal

import msgspec

TermsKind = Literal["days_after_bill", "days_after_month", "of_current_month", "of_following_month"]


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address; `text` is the whole as one line where the CRM has only that."""

    lines: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    text: str | None = None


class PaymentTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Payment terms with Xero's four kinds (facts: xero, 3)."""

    day: int
    kind: TermsKind


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A further person of a ledger contact (Xero: ContactPersons)."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None

    @property
    def full_name(self) -> str:
        return " ".join(name for name in (self.first_name, self.last_name) if name)

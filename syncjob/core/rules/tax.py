"""Which of the organisation's tax rates a line bears, and which rule said so."""

from __future__ import annotations

import msgspec

from syncjob.core.policy import Tax
from syncjob.core.records import Account, Contact, Line, TaxRate


class Choice(msgspec.Struct, frozen=True):
    """The rate chosen, and because of which rule (words for --why)."""

    rate: TaxRate
    because: str


def tax_for(
    line: Line,
    contact: Contact | None,
    policy: Tax,
    account: Account,
    rates: tuple[TaxRate, ...],
    registered: bool,
) -> Choice:
    """The line's rate. Raises Held."""
    raise NotImplementedError


def check_tax(policy: Tax, rates: tuple[TaxRate, ...]) -> list[str]:
    """One line for each rate that a rule names and the organisation cannot use."""
    raise NotImplementedError

"""What the firm has decided about what comes after an invoice: recurring lines, e-mail, the link.

Names are those of config.example.yaml.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from syncjob.core.policy_base import Strict

#: What is done with lines that are billed again and again: the deal is held; only their first
#: period is invoiced; or a repeating invoice begins at the second one, as a draft.
RecurringRule = Literal["hold", "first_period", "template"]


class Email(Strict):
    """E-mail by the ledger: off, and even then only approved invoices in the mode full."""

    enabled: bool = False
    #: The ledger has a daily limit of its own, which it does not publish (facts: xero, 3).
    daily_cap: int = Field(default=50, ge=1, le=1000)
    #: For trials: only customers all of whose addresses are in these domains; none: everybody.
    allow_domains: tuple[str, ...] = ()

    @field_validator("allow_domains")
    @classmethod
    def _domains(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for domain in given:
            if "@" in domain or "." not in domain.strip(".") or domain != domain.strip():
                raise ValueError(f"must be domains such as example.com, not {domain!r}")
        return tuple(domain.casefold() for domain in given)

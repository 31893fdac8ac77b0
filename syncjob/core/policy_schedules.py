"""What the firm has decided about invoicing a deal in parts: which parts, when, and how posted.

A deal's own instalments in the CRM come before these rules; of the rules the first match wins.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from syncjob.core.policy_base import Strict
from syncjob.core.policy_rules import InvoiceWhen, Rule

#: "+30 days", "+1 week", "+3 months": so long after the win.
_LATER = re.compile(r"^\+\s*(\d{1,4})\s*(day|week|month)s?$", re.IGNORECASE)
_FORMS = '`win`, `+30 days`, `+2 weeks`, `+1 month`, `end of month`, or {field: "Delivery date"}'
#: A name becomes part of a key that stands in the invoice's link.
NAME_LENGTH_MAX = 30
HUNDRED = Decimal(100)

Unit = Literal["day", "week", "month"]


class When(Strict):
    """The day a part is invoiced: so long after the win or after a day in a field of the deal, or
    the last day of that month."""

    field: str | None = None
    later: int = Field(default=0, ge=0, le=3650)
    unit: Unit = "day"
    end_of_month: bool = False


def _read_day(value: Any) -> Any:
    """`on` as people write it. Raises ValueError for what says no day."""
    if isinstance(value, dict):
        return value
    text = " ".join(str(value).split()).casefold()
    if text == "win":
        return {}
    if text == "end of month":
        return {"end_of_month": True}
    found = _LATER.match(text)
    if found is None:
        raise ValueError(f"must say when, such as {_FORMS}")
    return {"later": int(found[1]), "unit": found[2].lower()}


class PartRule(Strict):
    """One part: what share of the deal it is, and when it is invoiced."""

    name: str = Field(min_length=1, max_length=NAME_LENGTH_MAX)
    percent: Decimal | None = Field(default=None, gt=0, lt=100)
    #: In the deal's currency, net or gross as its value is.
    amount: Decimal | None = Field(default=None, gt=0)
    rest: bool = False
    on: Annotated[When, BeforeValidator(_read_day)]

    @model_validator(mode="after")
    def _one_share(self) -> Self:
        if [self.percent is not None, self.amount is not None, self.rest].count(True) != 1:
            raise ValueError("must have exactly one of percent, amount and rest: true")
        return self


class Deposit(Strict):
    """How what is invoiced before the last part is treated (BOOKKEEPING, "Money")."""

    #: The account of all parts but the last, by code or name; without one, that of the lines.
    account: str | None = None
    #: balance: the last part is what is left. full_less_deposit: it shows all lines, and what was
    #: invoiced before as negative ones.
    style: Literal["balance", "full_less_deposit"] = "balance"
    #: A refundable deposit is no sale: finance makes it.
    kind: Literal["part_payment", "refundable"] = "part_payment"
    #: Set by finance: the supply is progressive, so that Australian GST falls on each part.
    progressive: bool = False


class ScheduleRule(Rule):
    """The parts of a deal, in their order; the last takes the remainder."""

    name: str = Field(min_length=1, max_length=NAME_LENGTH_MAX)
    when: InvoiceWhen = InvoiceWhen()
    parts: tuple[PartRule, ...] = Field(min_length=2)
    #: Instead of `invoices.deposit`.
    deposit: Deposit | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({part.name.casefold() for part in self.parts}) < len(self.parts):
            raise ValueError("its parts must have different names")
        rests = [part for part in self.parts if part.rest]
        if rests and (len(rests) > 1 or not self.parts[-1].rest):
            raise ValueError("`rest: true` belongs to the last part alone")
        percents = sum((part.percent or Decimal(0) for part in self.parts), Decimal(0))
        if rests and percents >= HUNDRED:
            raise ValueError(f"its percentages come to {percents}, which leaves no rest")
        if not rests and (percents != HUNDRED or any(part.amount for part in self.parts)):
            raise ValueError("its percentages must come to 100, or its last part be `rest: true`")
        return self


def different_names(rules: tuple[ScheduleRule, ...]) -> tuple[ScheduleRule, ...]:
    """Refuse two schedules of one name: a part is known by both names."""
    if len({rule.name.casefold() for rule in rules}) < len(rules):
        raise ValueError("must have different names")
    return rules


#: The schedules of a config.
Schedules = tuple[ScheduleRule, ...]

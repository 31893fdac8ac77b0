"""How the ledger will add an invoice up, and whether that agrees with what the CRM says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.records import InvoiceLine, LineAmounts


class LineSum(msgspec.Struct, frozen=True):
    """One line's amount (after discount, as the ledger shows it) and its tax."""

    amount: Decimal
    tax: Decimal


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger will compute; sub_total is without tax whatever the line amounts are."""

    lines: tuple[LineSum, ...]
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The CRM's figure beside the ledger's, and what to think of it."""

    verdict: Literal["equal", "rounding", "differs"]
    words: str
    crm: Decimal
    ledger: Decimal


def predict(
    lines: Sequence[InvoiceLine], line_amounts: LineAmounts, rates: Mapping[str, Decimal]
) -> Prediction:
    """What the ledger will make of these lines; rates maps tax code to percent."""
    raise NotImplementedError


def tolerance(line_count: int) -> Decimal:
    """A cent a line, five at most."""
    raise NotImplementedError


def compare(
    crm_value: Decimal, value_is: Literal["net", "gross"], prediction: Prediction, line_count: int
) -> Comparison:
    """The CRM's value against the ledger's net or gross sum."""
    raise NotImplementedError

"""Payment terms as people write them: net 30, end of month + 10, 2/10 net 30, due on receipt.

What is not understood is None: no due date is guessed from a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import msgspec

from syncjob.core.records import EarlyOffer, PaymentTerms

#: Xero takes no more (facts: xero, 5: days of a month 1 to 31), and a year is no mistake yet.
DAYS_MAX = 366
MONTH_DAY_MAX = 31
PERCENT_MAX = Decimal(100)

#: How each kind may be written; shown where a text is refused.
KNOWN_FORMS = (
    '"net 30", "due on receipt", "end of month + 10", "day 20 of the following month", '
    '"day 28 of this month", each with "2/10" before it for 2% in 10 days'
)


class TermsSpec(msgspec.Struct, frozen=True):
    """When an invoice is due, and what early payment is worth."""

    terms: PaymentTerms
    early: EarlyOffer | None = None


#: 2/10, 2% in 10 days, 2% 10: what comes before the terms themselves.
_EARLY = re.compile(
    r"^(\d+(?:[.,]\d+)?)\s*(?:/|%\s*(?:within|in|/)?)\s*(\d+)(?:\s*days?)?[\s,;:/]*"
)


def _days(found: re.Match[str]) -> PaymentTerms | None:
    days = int(found["days"])
    return PaymentTerms(day=days, kind="days_after_bill") if days <= DAYS_MAX else None


def _after_month(found: re.Match[str]) -> PaymentTerms | None:
    days = int(found["days"] or 0)
    return PaymentTerms(day=days, kind="days_after_month") if days <= DAYS_MAX else None


def _after_month_of(found: re.Match[str]) -> PaymentTerms | None:
    days = int(found["days"] or found["days2"])
    return PaymentTerms(day=days, kind="days_after_month") if days <= DAYS_MAX else None


def _of_month(found: re.Match[str]) -> PaymentTerms | None:
    day = int(found["day"])
    if not 1 <= day <= MONTH_DAY_MAX:
        return None
    later = found["month"] in ("following", "next", None)  # mfi: month following the invoice
    return PaymentTerms(day=day, kind="of_following_month" if later else "of_current_month")


def _receipt(_found: re.Match[str]) -> PaymentTerms | None:
    return PaymentTerms(day=0, kind="days_after_bill")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], PaymentTerms | None]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"(?:due |payable )?(?:up)?on (?:receipt|invoice)|immediate(?:ly)?|cod", _receipt),
        (r"(?:net|n)\s*/?\s*(?P<days>\d{1,4})(?: days?)?", _days),
        (r"(?:within )?(?P<days>\d{1,4}) days?(?: net)?(?: (?:after|from|of) (?:the )?(?:invoice|"
         r"bill)(?: date)?)?", _days),
        (r"(?:net )?(?:end of (?:the )?month|eom)(?:\s*(?:\+|plus)\s*(?P<days>\d{1,4})"
         r"(?: days?)?)?", _after_month),
        (r"eom (?:net )?(?P<days>\d{1,4})", _after_month),
        (r"(?P<days>\d{1,4}) days? (?:after|from) (?:the )?(?:end of (?:the )?month|eom)"
         r"|(?:net )?(?P<days2>\d{1,4})(?: days?)? eom", _after_month_of),
        (r"(?:on )?(?:the )?(?:day )?(?P<day>\d{1,2})(?:st|nd|rd|th)?(?: day)? of (?:the )?"
         r"(?P<month>following|next|this|current) month", _of_month),
        (r"(?:on )?(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:of (?:the )?month "
         r"(?P<month>following)|(?P<mfi>mfi))", _of_month),
    )
)  # fmt: skip


def parse_terms(text: str) -> TermsSpec | None:
    """The terms that the text states in one of the known forms; None if it states none.

    `net 30`, `30 days`, `end of month + 10`, `net 30 eom`, `day 20 of the following month`,
    `20th of the month following`, `15 mfi`, `day 28 of this month`, `due on receipt`; `2/10 net
    30` offers 2% off for payment within 10 days.
    """
    words = " ".join(text.casefold().rstrip(" .").split())
    found = _EARLY.match(words)
    if found is None:
        terms = _plain(words)
        return TermsSpec(terms) if terms else None
    if "eom" in words:  # by custom the days of the discount run from the month's end, too
        return None
    percent, days = Decimal(found[1].replace(",", ".")), int(found[2])
    terms = _plain(words[found.end() :])
    if terms is None or not 0 < percent < PERCENT_MAX or days > DAYS_MAX:
        return None
    return TermsSpec(terms, EarlyOffer(percent=percent, days=days))


def _plain(words: str) -> PaymentTerms | None:
    for pattern, make in _FORMS:
        found = pattern.fullmatch(words)
        if found:
            return make(found)
    return None

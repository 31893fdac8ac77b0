"""The day an invoice bears, and the days on which the books are closed (BOOKKEEPING, "Dates")."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from syncjob.core.rules.texts import one_line
from syncjob.errors import Held

#: A date set by hand may lie this many days back; an older one is held (BOOKKEEPING, "Dates").
BACKDATED_DAYS_MAX = 14

#: How an instant stands in the texts that connectors make of a CRM's fields.
INSTANT_FORMAT = "%Y-%m-%d %H:%M UTC"


def is_locked(day: date, locked_through: date | None) -> bool:
    """Whether the books are closed on `day`: on or before the latest of the lock dates."""
    return locked_through is not None and day <= locked_through


def invoice_day(
    given: str | None, field: str, today: date, locked_through: date | None, zone: ZoneInfo
) -> date:
    """Today, or the day that the deal's own field `field` gives.

    `given` is that field's text, which `day_said` reads. Raises Held: "invoice_date_invalid",
    "invoice_date_future", "invoice_date_old", "period_locked".
    """
    text = one_line(given)
    day = _read(text, field, zone) if text else today
    if day > today:
        raise _wrong("future", field, day, "is in the future")
    if (today - day).days > BACKDATED_DAYS_MAX:
        raise _wrong("old", field, day, f"is more than {BACKDATED_DAYS_MAX} days ago")
    if is_locked(day, locked_through):
        raise Held(
            "period_locked",
            f"The invoice would be dated {day}, but the books are closed through {locked_through}.",
            field="date",
            next_step="Wait until the day after, or have the lock date moved in the ledger "
            "(or ledger.books_closed_through in the config).",
        )
    return day


def day_said(text: str, zone: ZoneInfo) -> date | None:
    """The day that a field's text says: a date, or an instant with its offset or as our own texts
    say it, whose day in `zone` counts; None for anything else."""
    try:
        if text.endswith(" UTC"):
            instant = datetime.strptime(text, INSTANT_FORMAT).replace(tzinfo=UTC)
        else:
            instant = datetime.fromisoformat(text)
        return (instant.astimezone(zone) if instant.tzinfo else instant).date()
    except (ValueError, OverflowError):  # no date, or one whose day in the zone nobody can say
        return None


def _read(text: str, field: str, zone: ZoneInfo) -> date:
    day = day_said(text, zone)
    if day is None:
        raise Held(
            "invoice_date_invalid",
            f'The field "{field}" says "{text}", which is not a date.',
            field=field,
            next_step=f'Write the date as YYYY-MM-DD in "{field}", or empty it.',
        )
    return day


def _wrong(kind: str, field: str, day: date, why: str) -> Held:
    return Held(
        f"invoice_date_{kind}",
        f'The field "{field}" sets the invoice date {day}, which {why}.',
        field=field,
        next_step=f'Correct "{field}", or empty it to use the day on which the invoice is made.',
    )

"""All that is overdue, by owner, as one e-mail for somebody who manages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from syncjob.core.actions import Action, Message, Tell, Wave
from syncjob.core.aging import Overdue, OverdueReport, ages

#: The name of the summary among what people were told.
SUMMARY = "summary"


def period_of(today: date, every: Literal["day", "week"]) -> date:
    """The first day of the period that a summary is for: the day itself, or the week's Monday."""
    return today if every == "day" else today - timedelta(days=today.weekday())


def summaries(report: OverdueReport, to: Sequence[str], period: date) -> list[Action]:
    """One e-mail to each address; none where nothing is overdue."""
    if not report.rows:
        return []
    text, totals = _text(report), _totals(report)
    return [_action(who, f"{len(report.rows)} overdue: {totals}", text, period) for who in to]


def _action(who: str, subject: str, text: str, period: date) -> Action:
    marker = f"{SUMMARY}.{period:%y%m%d}.{who}"
    tell = Tell(marker=SUMMARY, due=period, step=0, person=who, way="email")
    message = Message(
        marker=marker, way="email", to=who, person=who, subject=subject, text=text, tells=(tell,)
    )
    return Action(
        side="people", wave=Wave.NOTICES, subject="way:email", target=f"message:{marker}",
        payload=message, reason=f"the summary of {period}",
    )  # fmt: skip


def _totals(report: OverdueReport) -> str:
    sums: dict[str, list[Overdue]] = {}
    for row in report.rows:
        sums.setdefault(row.currency, []).append(row)
    return " + ".join(f"{sum(r.due for r in rows):,.2f} {c}" for c, rows in sorted(sums.items()))


def _text(report: OverdueReport) -> str:
    lines = [f"Overdue on {report.today}, as of the last batch.", ""]
    for age in report.owners:
        sums = zip(ages(), age.due, strict=True)
        parts = ", ".join(f"{days} days {due:,.2f}" for days, due in sums if due)
        lines.append(f"{age.owner}: {age.total:,.2f} {age.currency} ({parts})")
        rows = (r for r in report.rows if (r.owner, r.currency) == (age.owner, age.currency))
        lines += [_line(row) for row in rows]
        lines.append("")
    return "\n".join(lines).rstrip()


def _line(row: Overdue) -> str:
    note = " (muted)" if row.muted else ""
    link = f"\n  {row.invoice_page}" if row.invoice_page else ""
    return (
        f"- {row.number}, {row.customer}: {row.due:,.2f} {row.currency}, "
        f"{row.days} day{'s' if row.days != 1 else ''}{note}{link}"
    )

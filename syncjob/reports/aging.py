"""What is overdue as a table for the terminal and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from syncjob.core.aging import OverdueReport, ages
from syncjob.reports.tables import Fitting

#: A cell that begins so is a formula to a spreadsheet; names come from strangers.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "invoice", "customer", "owner", "title", "deal", "due_date", "days", "due", "total", "currency",
    "muted", "invoice_link", "deal_link",
)  # fmt: skip


def show_overdue(out: Console, report: OverdueReport) -> None:
    """The invoices, oldest first, then the sums by owner and age."""
    if not report.rows:
        out.print(f"Nothing is overdue on {report.today}.")
        return
    rows = Table(box=None, pad_edge=False)
    for name in ("Invoice", "Customer", "Owner", "Due since"):
        rows.add_column(name, overflow="fold")
    rows.add_column("Days", justify="right")
    rows.add_column("Due", justify="right")
    for row in report.rows:
        number = f"{row.number} (muted)" if row.muted else row.number
        rows.add_row(
            escape(number), escape(row.customer), escape(row.owner), str(row.due_date),
            str(row.days), f"{row.due:,.2f} {row.currency}",
        )  # fmt: skip
    out.print(Fitting(rows))
    out.print()
    out.print(Fitting(_owners(report)))


def _owners(report: OverdueReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Owner", overflow="fold")
    for name in ("Invoices", *(f"{age} days" for age in ages()), "Total"):
        table.add_column(name, justify="right")
    for age in report.owners:
        table.add_row(
            escape(age.owner), str(age.invoices), *(f"{due:,.2f}" for due in age.due),
            f"{age.total:,.2f} {age.currency}",
        )  # fmt: skip
    return table


def overdue_csv(report: OverdueReport) -> str:
    """One line an invoice; amounts plain, so that a spreadsheet can add them up."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in report.rows:
        texts = (_cell(text) for text in (row.number, row.customer, row.owner, row.title))
        writer.writerow(
            (
                *texts, row.deal_id, row.due_date, row.days, f"{row.due:.2f}", f"{row.total:.2f}",
                row.currency, "yes" if row.muted else "", row.invoice_page, row.deal_page,
            )
        )  # fmt: skip
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text

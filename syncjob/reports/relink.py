"""A change of the CRM in words: what the map comes to, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.core.relink import NAMED_MAX, Refused, RelinkReport


def relink_lines(report: RelinkReport) -> list[str]:
    """What was found, or done, line by line."""
    return list(_lines(report))


def _lines(report: RelinkReport) -> Iterator[str]:
    if report.done:
        yield from _done(report)
        return
    if report.first:
        yield (
            f"{report.connection} would leave the CRM of its markers {report.old_code} for "
            f"{report.account} (new markers: {report.code})."
        )
    else:
        yield f"{report.connection} belongs to {report.account} already; this adds to its map."
    yield f"  deals: {report.deals}, {report.invoiced} of them with an invoice"
    yield f"  customers: {report.contacts}, {report.linked} of them in the ledger"
    if report.already:
        yield f"  rows that were taken before: {report.already}"
    yield f"  invoices of deals that no row names: {report.without_count}"
    yield from (f"    {one}" for one in report.without)
    yield from _more(report.without_count - len(report.without))
    yield (
        f"  refused rows: {len(report.refused)}, {report.missing} of them because the new CRM does "
        "not show the record"
    )
    yield from _refused(report.refused)
    if report.without_count:
        yield (
            "Invoices without a deal stay as they are; their payments are shown on no deal. A deal "
            "in the new CRM of the same customer and total is held as a possible double."
        )


def _done(report: RelinkReport) -> Iterator[str]:
    yield (
        f"{report.connection} belongs to {report.account} now. Came over: deals: "
        f"{report.deals}, {report.invoiced} with an invoice; customers: {report.contacts}, "
        f"{report.linked} in the ledger."
    )
    yield f"The state before: {report.backup}"
    yield f"The map is kept: {report.kept}"
    if report.refused:
        yield f"Refused rows: {len(report.refused)}; mend them and repeat the command."
    yield (
        "Next: `syncjob init` makes the fields. Then `syncjob check`, and `syncjob plan`, which "
        "shows what the next batch writes; a person releases that with `syncjob run --accept`."
    )


def _refused(rows: tuple[Refused, ...]) -> Iterator[str]:
    for row in rows[:NAMED_MAX]:
        yield f"    line {row.line}: {row.why}"
    yield from _more(len(rows) - NAMED_MAX)


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"    and {count} more (--json names the refused ones)"

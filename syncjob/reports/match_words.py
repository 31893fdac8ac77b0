"""What a match found, and what became of a review that came back, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from syncjob.core.review import ApplyReport, Kind, MatchReport

#: How many rows that were not taken are named on a terminal; the rest is counted.
REFUSALS_MAX = 30
_WHAT: dict[Kind, tuple[str, str]] = {
    "pair": ("pair of a CRM customer and a ledger contact", "pairs of CRM and ledger contacts"),
    "invoice": ("pair of a deal and an invoice", "pairs of deals and invoices"),
    "crm_double": ("double in the CRM", "doubles in the CRM"),
    "ledger_double": ("double in the ledger", "doubles in the ledger"),
}


def match_lines(report: MatchReport, csv_file: str, page: str) -> Iterator[str]:
    """What was compared and linked, what a person must look at, and where."""
    if report.what == "contacts":
        yield (
            f"{report.first:,} customers of the CRM and {report.second:,} contacts of the ledger "
            f"compared; {report.known:,} were linked before."
        )
    else:
        yield (
            f"{report.first:,} won deals without an invoice and {report.second:,} invoices "
            "without a deal compared."
        )
    if report.linked:
        yield f"Linked now, since they are certain: {len(report.linked):,}."
    older = report.waiting - len(report.rows)
    if older:
        yield f"{older:,} more wait in earlier reviews (--all writes them again)."
    if not report.rows:
        yield "Nothing new to look at."
        return
    yield f"To look at: {', '.join(_counts(report))}."
    yield f"Side by side: {page}"
    yield f"To answer:    {csv_file} (same, different or leave in the first column)"
    command = "match" if report.what == "contacts" else "match invoices"
    yield f"Next: `syncjob {command} --apply {csv_file}`."


def _counts(report: MatchReport) -> Iterator[str]:
    kinds = Counter(row.proposal.kind for row in report.rows)
    certain = sum(row.proposal.band == "certain" for row in report.rows)
    for kind, number in kinds.items():
        yield f"{number:,} {_WHAT[kind][number > 1]}"
    if certain:
        yield f"{certain:,} of them certain"


def apply_lines(report: ApplyReport) -> Iterator[str]:
    """What was taken, what was refused and why, and what a person does by hand."""
    parts = [
        f"{number:,} {words}"
        for number, words in (
            (report.same, "same"),
            (report.different, "different"),
            (report.known, "known before"),
            (report.open, "left open"),
            (len(report.refused), "refused"),
        )
        if number
    ]
    yield f"{report.file}: {', '.join(parts) or 'no row'}."
    for refusal in report.refused[:REFUSALS_MAX]:
        yield f"  line {refusal.line}: {refusal.why}."
    if len(report.refused) > REFUSALS_MAX:
        yield f"  ... and {len(report.refused) - REFUSALS_MAX:,} more"
    if report.merges:
        yield "Merged by people, where they stand:"
        yield from (f"  {advice}" for advice in report.merges)
    if report.same or report.different:
        yield "Noted; the next batch applies it (`syncjob plan` shows what follows)."

"""A match, its review and its answers, as the tests of matching use them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

from syncjob.core.review import ApplyReport, MatchOptions, MatchReport, Proposal
from syncjob.reports.match_csv import read_review, write_review
from tests.engine.world import World

#: A CRM customer and a ledger contact that may be one, though only their names say so.
NEAR = ("Meridian Harbour Foods", "Meridian Harbor Foods Pty Ltd")


def match(w: World, **options: Any) -> MatchReport:
    with w.connection() as handle:
        return handle.match(MatchOptions(who="Ann", **options))


def match_invoices(w: World, **options: Any) -> MatchReport:
    with w.connection() as handle:
        return handle.match_invoices(MatchOptions(who="Ann", **options))


def proposed(report: MatchReport, kind: str = "pair") -> dict[tuple[str, str], Proposal]:
    """The proposals of a review by their two ids."""
    rows = (row.proposal for row in report.rows if row.proposal.kind == kind)
    return {(p.first, p.second): p for p in rows}


def table(report: MatchReport) -> list[dict[str, str]]:
    """The review's CSV as rows."""
    text = write_review(report.rows).lstrip("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def written(rows: Iterable[dict[str, str]], delimiter: str = ",") -> bytes:
    """Rows as the CSV of a spreadsheet."""
    made = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(made[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(made)
    return out.getvalue().encode()


def answered(report: MatchReport, say: Callable[[Proposal], str]) -> bytes:
    """The review with a decision in each row."""
    said = {row.proposal.key: say(row.proposal) for row in report.rows}
    return written({**row, "decision": said[row["key"]]} for row in table(report))


def apply(w: World, data: bytes, name: str = "review.csv") -> ApplyReport:
    answers, refused = read_review(data, name)
    with w.connection() as handle:
        return handle.apply_review(answers, refused, file=name, who="Ann", reason="")


def decide(w: World, crm_id: str, verdict: Any, contact: str | None = None) -> None:
    with w.connection() as handle:
        handle.decide_match(
            crm_id=crm_id, contact=contact, verdict=verdict, who="Ann", reason="a test"
        )


def links(w: World) -> dict[str, str]:
    """The contact links, as the state holds them: nothing else shows them before an invoice."""
    with w.connection() as handle:
        return dict(handle.state.links.contacts())


def audit(w: World, subject: str) -> list[tuple[str, str | None, str]]:
    """(field, after, reason) of what was written down about a subject."""
    with w.connection() as handle:
        rows = handle.state.audit.rows_of(subject=subject)
        return [(row.field, row.after, row.reason) for row in rows]


def contact(w: World, name: str, **fields: Any) -> str:
    return str(w.books("create_contact", fields={"Name": name, **fields})["done"]["id"])


def org(w: World, name: str, **fields: Any) -> str:
    return f"org:{w.crm('create_org', name=name, **fields)['id']}"

"""The table that a batch ends with: a line for each deal and customer that it did something for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncjob.core.case import Case
from syncjob.core.money import ZERO
from syncjob.core.records import Deal
from syncjob.core.reports import Row
from syncjob.core.rules.settlement import deal_state
from syncjob.core.rules.texts import one_line
from syncjob.engine.batch import Batch
from syncjob.engine.cases import in_groups
from syncjob.engine.contacts.stage import contact_row


def rows_of(batch: Batch) -> tuple[Row, ...]:
    """All lines, deals first, each in the order in which they were written to."""
    deals = [s.removeprefix("deal:") for s in batch.done if s.startswith("deal:")]
    left = [deal for deal in deals if deal not in batch.rows]
    cases = {case.deal.id: case for case in in_groups(batch, left)}
    note_rows(batch, left, cases)
    customers = (
        contact_row(batch, subject, words)
        for subject, words in batch.done.items()
        if subject.startswith("contact:")
    )
    return (*(batch.rows[deal] for deal in deals), *customers)


def note_rows(batch: Batch, deals: Sequence[str], cases: Mapping[str, Case]) -> None:
    """Write down the lines of these deals as they stand now, if this batch did anything for
    them."""
    words = {deal: said for deal in deals if (said := batch.done.get(f"deal:{deal}"))}
    with batch.state.gathering():
        batch.state.book.fetch_issues(f"deal:{deal}" for deal in words)
        for deal, said in words.items():
            batch.rows[deal] = _row(batch, deal, cases.get(deal), said)


def _row(batch: Batch, deal_id: str, case: Case | None, words: list[str]) -> Row:
    deal = case.deal if case else Deal(id=deal_id, title="", status="won", currency="")
    invoices = case.shown if case else ()
    held = [f.issue for f in batch.state.book.open_issues(f"deal:{deal_id}")]
    issue = next((issue for issue in held if issue.state == "held"), None)
    state = deal_state(
        invoices, batch.today, batch.config.overdue, issue=issue,
        credit_notes=case.credit_notes if case else (),
        bad_debt_accounts=batch.config.invoices.bad_debt_accounts,
    )  # fmt: skip
    return Row(
        deal_id=deal_id, title=one_line(deal.title), page=deal.page,
        customer=one_line(case.party.name) if case and case.party else None,
        number=", ".join(i.number for i in invoices if i.number) or None,
        total=sum((i.total for i in invoices), ZERO) if invoices else None,
        due=sum((i.due for i in invoices), ZERO) if invoices else None,
        currency=invoices[0].currency if invoices else deal.currency,
        status=f"{state.word}, overdue" if state.overdue else state.word,
        what=", ".join(dict.fromkeys(words)),
    )  # fmt: skip

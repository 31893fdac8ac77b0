"""Which papers of a deal a person may take back: our own drafts that nobody has touched.

Drafts, and drafts that were submitted for approval, are deleted by status. What is approved is
credited or voided by people, what somebody changed is theirs (BOOKKEEPING, "Which deals, and
when").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.records import DEAD, Invoice, Template
from syncjob.core.rules.changes import withdrawn

Fields = Mapping[str, str | None]

#: delete: it is deleted by status. open: it was to be, and the ledger has not confirmed it.
#: stays: it is left alone. gone: it is deleted or voided already.
Fate = Literal["delete", "open", "stays", "gone"]


class Paper(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An invoice or a repeating invoice of the deal, and what becomes of it."""

    kind: Literal["invoice", "repeating invoice"]
    marker: str
    id: str
    name: str
    status: str
    fate: Fate
    total: Decimal | None = None
    currency: str = ""
    why: str = ""
    next_step: str = ""
    page: str | None = None


class CancelReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cancellation as it would be, or (`written`) as it was. `known` says who had cancelled the
    deal before."""

    deal: str
    title: str
    papers: tuple[Paper, ...]
    known: str = ""
    written: bool = False
    batch: int = 0

    def count(self, fate: Fate) -> int:
        return sum(1 for paper in self.papers if paper.fate == fate)


def judge_invoice(
    deal: str, invoice: Invoice, marker: str, base: Fields, now: Fields,
    locked_through: date | None, *, fresh: bool,
) -> Paper:  # fmt: skip
    """What becomes of one invoice of the deal. `base` is what the ledger answered when we wrote it
    last, `now` the same fields now; `fresh`: it was read in this batch."""
    paper = Paper(
        kind="invoice", marker=marker, id=invoice.id, name=invoice.number or marker,
        status=invoice.status, fate="delete", total=invoice.total, currency=invoice.currency,
        page=invoice.page,
    )  # fmt: skip
    if invoice.status in DEAD:
        return _with(paper, "gone", f"it is {invoice.status} already", "")
    if not fresh:
        return _with(paper, "stays", "the ledger does not show it now", "Run the command again.")
    if invoice.status not in ("draft", "submitted"):
        return _with(
            paper, "stays", f"it is {invoice.status}, and we never void what is approved",
            f"`syncjob credit {deal} --full --reason ...` drafts a credit note; or void it in the "
            "ledger, and the deal follows.",
        )  # fmt: skip
    if invoice.marker != marker:
        return _with(paper, "stays", "a person made it", "Delete it in the ledger.")
    if invoice.sent:
        return _with(
            paper, "stays", "it is marked as sent to the customer", "Delete it in the ledger, if "
            "the customer knows.",
        )  # fmt: skip
    if invoice.status == "submitted":  # that it waits for approval is no edit of what it says
        base, now = _without_status(base), _without_status(now)
        invoice = msgspec.structs.replace(invoice, status="draft")
    answer = withdrawn(invoice, base, now, locked_through)
    if isinstance(answer, str):
        return _with(paper, "stays", f"it {answer}", "Delete it in the ledger, if it is to go.")
    return paper


def judge_template(
    template: Template, marker: str, made: Fields, now: Fields, *, known: bool
) -> Paper:
    """The same for a repeating invoice. `made` is what we sent (`known`), `now` what it says."""
    paper = Paper(
        kind="repeating invoice", marker=marker, id=template.id, name=marker,
        status=template.status, fate="delete", currency=template.currency, page=template.page,
    )  # fmt: skip
    step = "Delete it in the ledger (Repeating), if it is to go."
    if template.status == "deleted":
        return _with(paper, "gone", "it is deleted already", "")
    if template.status != "draft":
        return _with(paper, "stays", "a person has approved it, and it is the ledger's", step)
    if not known:
        return _with(paper, "stays", "what was first sent is not known here", step)
    changed = [field for field, value in made.items() if now.get(field) != value]
    if changed:
        return _with(paper, "stays", f"a person changed it ({', '.join(changed)})", step)
    return paper


def _without_status(fields: Fields) -> Fields:
    return {field: value for field, value in fields.items() if field != "status"}


def _with(paper: Paper, fate: Fate, why: str, next_step: str) -> Paper:
    return msgspec.structs.replace(paper, fate=fate, why=why, next_step=next_step)

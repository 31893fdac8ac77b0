"""One won deal to begin with: the smallest that would be invoiced as it stands."""

from __future__ import annotations

from decimal import Decimal

from syncjob.core.actions import InvoiceDraft
from syncjob.core.reports import PlanReport, TrialDeal


def trial_of(plan: PlanReport) -> TrialDeal | None:
    """The smallest invoice that would be made; else a deal that waits to be made; else none."""
    drafts = [
        (payload.total or Decimal(0), action.subject, payload)
        for action in plan.actions
        if isinstance(payload := action.payload, InvoiceDraft)
    ]
    for total, subject, payload in sorted(drafts, key=lambda one: (one[0], one[1])):
        return TrialDeal(
            deal=_id(subject), title=plan.titles.get(subject, ""), total=total,
            currency=payload.currency,
        )  # fmt: skip
    waiting = sorted(subject for subject in plan.waits if subject.startswith("deal:"))
    for subject in waiting:
        return TrialDeal(deal=_id(subject), title=plan.titles.get(subject, ""))
    return None


def _id(subject: str) -> str:
    return subject.removeprefix("deal:").split(":")[0]

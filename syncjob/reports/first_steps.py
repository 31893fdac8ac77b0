"""The end of `syncjob init`: one deal to try, and what happens next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from syncjob.core.reports import PlanReport, TrialDeal


def trial_lines(
    trial: TrialDeal | None, plan: PlanReport, *, call: str, since: date, guard: int, monitor: bool
) -> Iterator[str]:
    """The trial's commands as they can be typed, then what is to be known before the first batch.

    `call` is the program as this person calls it; `plan` what a first batch would do.
    """
    yield ""
    if trial is None:
        yield f"No deal that was won since {since} is to be invoiced yet."
        for rule, number in plan.excluded.items():
            yield f"  {number:,} left out: {rule}"
        yield "Win one that is, then try it:"
    else:
        yield f"To begin with, try one deal: {_named(trial)}."
    deal = trial.deal if trial else "ID"
    yield f"  {call} plan --deal {deal}    shows what would be written, and writes nothing"
    yield f"  {call} run --deal {deal}     makes that one draft; look at it in the ledger"
    yield ""
    yield "Then:"
    if wait := plan.waits.get("connection"):
        yield f"- Wait: {wait}."
    yield f"- `{call} plan` shows a whole batch; `{call} plan -o plan.json` and"
    yield f"  `{call} apply plan.json` do exactly what was shown."
    yield f"- In the first week a batch that would create more than {guard} invoices stops before"
    yield f"  its first write, until you release its plan: `{call} run --accept HASH`."
    yield "- Let it run every few minutes by cron or a systemd timer, or keep"
    yield f"  `{call} serve` running (docs/deployment.md); `{call} status` says if all is well."
    if not monitor:
        yield "- A batch that does not run cannot say so: set notices.operator.heartbeat to a"
        yield "  monitor's address."


def _named(trial: TrialDeal) -> str:
    words = f"{trial.deal} {trial.title}".strip()
    if trial.total is None:
        return words
    return f"{words}, an invoice of {trial.total.quantize(Decimal('0.01')):,} {trial.currency}"

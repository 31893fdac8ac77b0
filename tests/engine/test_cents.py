"""To the cent: many random deals in one batch, each held against a model in fractions.

The model (`cents_model`) knows the rules of BOOKKEEPING ("Tax", "Money") and imports nothing of
syncjob. For every deal it says why it must be held, or which totals its draft must have and
whether those agree with what the deal itself says. What is checked is what the servers hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from syncjob.core.reports import BatchReport
from tests.engine.cents_deals import random_deal
from tests.engine.cents_judge import Judge
from tests.engine.cents_model import Firm, prepare
from tests.engine.scenes import quiet
from tests.engine.world import World

#: Deals in one batch: more than one page of invoices and of product rows.
DEALS = 120
CUSTOMERS = 7
REGIONS = ("AU", "NZ", "UK", "US")

firms = st.builds(
    Firm,
    region=st.sampled_from(REGIONS),
    amounts=st.sampled_from(["exclusive", "inclusive", "no_tax", "as_deal", "as_deal"]),
    value_is=st.sampled_from([None, None, "net", "gross"]),
    overrule=st.booleans(),
    rules=st.booleans(),
    one_line=st.booleans(),
    per_unit=st.booleans(),
    value_with_tax=st.booleans(),
    full=st.booleans(),
    registered=st.sampled_from([True, True, True, False]),
    exempt=st.sampled_from([False, False, True]),
    spread=st.booleans(),
)


@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(firms, st.integers(0, 2**32))
def test_every_deal_is_right_to_the_cent_or_says_why_not(firm: Firm, seed: int) -> None:
    play(firm, seed, DEALS)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("SYNCJOB_CENTS", "60")),
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(firms, st.integers(0, 2**32))
def test_many_more_deals_are_right_to_the_cent(firm: Firm, seed: int) -> None:
    play(firm, seed, DEALS)


def play(firm: Firm, seed: int, count: int) -> None:
    """One firm, one batch of so many deals, each judged from what the servers hold."""
    with TemporaryDirectory() as folder:
        w = World(Path(folder), **firm.world())
        try:
            prepare(firm, w)
            w.init(sound=firm.registered or _untaxed(firm))
            for number in range(CUSTOMERS):
                w.crm("create_org", name=f"Customer {number}")
            chance = Random(seed)
            deals = [_sell(w, random_deal(firm, chance), number) for number in range(count)]
            report = w.run()
            wrong = _wrong(w, firm, deals, report)
            assert not wrong, f"{firm} seed {seed}:\n" + "\n".join(wrong)
            quiet(w)
        finally:
            w.close()


def _untaxed(firm: Firm) -> bool:
    """Whether no rule names a taxed rate, and no account would ever tax a line."""
    return not firm.rules and (firm.amounts == "no_tax" or firm.region == "US")


def _sell(w: World, deal: dict[str, Any], number: int) -> int:
    made = w.crm(
        "create_deal", title=f"Deal {number}", org=f"Customer {number % CUSTOMERS}", **deal
    )
    return int(made["id"])


def _wrong(w: World, firm: Firm, deals: list[int], report: BatchReport) -> list[str]:
    judge = Judge(firm, w.crm_state(), w.organisation())
    issues: dict[str, list[Any]] = {}
    for issue in report.issues:
        issues.setdefault(issue.subject, []).append(issue)
    return [
        f"deal {deal}: {words}\n    {judge.shown(deal)}\n    {judge.expect(deal)}"
        for deal in deals
        for words in judge.wrong(deal, issues.get(f"deal:{deal}", []))
    ]

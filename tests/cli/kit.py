"""A connection that answers from a script, so that the command line is tested by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncjob.config import Config
from syncjob.connectors.base import Problem
from syncjob.core.actions import Action, DealChange, InvoiceDraft, Issue, Wave
from syncjob.core.applying import AppliedReport, Item
from syncjob.core.comparing import Difference
from syncjob.core.identity import plan_hash
from syncjob.core.plan_file import PlanFile
from syncjob.core.records import InvoiceLine, Organisation
from syncjob.core.reports import (
    BatchReport,
    Budget,
    FieldsReport,
    Origin,
    Pause,
    PlanReport,
    Row,
    RunOptions,
    StatusReport,
    StreamStatus,
    Tie,
)
from syncjob.errors import Exit

NOW = datetime(2026, 8, 1, 9, 0, tzinfo=UTC)
BOOKS = Organisation(id="o1", name="Acme [Pty] Ltd", country="AU", currency="AUD", demo=True)

DRAFT = InvoiceDraft(
    marker="NW-1042-A1",
    contact_id="c1",
    date=date(2026, 8, 1),
    due_date=date(2026, 8, 31),
    currency="AUD",
    line_amounts="exclusive",
    lines=(
        InvoiceLine(
            description="Filter",
            quantity=Decimal(2),
            unit_price=Decimal("189.00"),
            discount_percent=Decimal(10),
        ),
    ),
    reference="PO 7 NW-1042-A1",
    url="https://acme.pipedrive.com/deal/1042?syncjob=NW-1042-A1",
    sub_total=Decimal("340.20"),
    total_tax=Decimal("34.02"),
    total=Decimal("374.22"),
)
ACTIONS = (
    Action(
        side="ledger",
        wave=Wave.INVOICES,
        subject="deal:1042",
        target="invoice:NW-1042-A1",
        payload=DRAFT,
        reason="won on 2026-07-30",
    ),
    Action(
        side="crm",
        wave=Wave.DEAL_STATUS,
        subject="deal:1041",
        target="deal:1041",
        payload=DealChange(deal_id="1041", fields={"status": "paid", "due": "0.00"}),
        reason="the invoice was paid",
        before={"status": "awaiting payment", "due": "0.00"},
    ),
)
HELD = Issue(
    code="no_customer",
    subject="deal:1043",
    what="The deal has neither organization nor person.",
    next_step="Link one in the CRM.",
    page="https://acme.pipedrive.com/deal/1043",
)


def batch_report(**more: Any) -> BatchReport:
    """A batch that created a draft and has one issue."""
    given: dict[str, Any] = {
        "batch": "7",
        "connection": "main",
        "started": NOW,
        "ended": NOW + timedelta(seconds=75),
        "result": "issues",
        "exit_code": int(Exit.ISSUES),
        "counts": {"invoice.create": 1, "deal.update": 2, "held": 1},
        "rows": (
            Row(
                deal_id="1042",
                title="Spring [order]",
                customer="Café Émile",
                number="INV-0007",
                total=Decimal("1374.22"),
                due=Decimal("374.22"),
                currency="AUD",
                status="draft",
                what="draft created",
                page="https://acme.pipedrive.com/deal/1042",
            ),
        ),
        "issues": (HELD,),
        "calls": {"xero": 4, "pipedrive": 6},
    }
    return BatchReport(**(given | more))


def applied_report(file: PlanFile) -> AppliedReport:
    """A plan of which the draft was made a day later, and the deal's fields had changed."""
    draft, deal = file.plan.actions
    dates = (
        Difference(name="date", after="2026-08-01", now_after="2026-08-02"),
        Difference(name="due date", after="2026-08-31", now_after="2026-09-01"),
    )
    paid = Difference(name="status", before="awaiting payment", after="paid", now_after="part-paid")
    items = (
        Item(action=draft, fate="done", moved=dates),
        Item(action=deal, fate="changed", differences=(paid,)),
    )
    return AppliedReport(
        batch=batch_report(issues=(), rows=()),
        plan=file.plan.hash,
        origin=file.origin,
        items=items,
        counts={"done": 1, "changed": 1},
        left=2,
        titles=file.plan.titles,
    )


class Handle:
    """What the fake connection answers, and what it was asked."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self.asked: list[tuple[str, Any]] = []
        self.batch = batch_report()
        self.raises: Exception | None = None
        self.stop_file = False
        self.problems: list[Problem] = []
        self.plan_report = PlanReport(
            connection="main",
            hash=plan_hash(ACTIONS),
            actions=ACTIONS,
            issues=(HELD,),
            excluded={"won before invoices.won_since": 500},
            waits={"deal:1050": "its contact is created first"},
            titles={"deal:1042": "Spring order"},
            stories={"deal:1042": ("tax: the account's default",)},
            origin=Origin(
                connection="main",
                code="NW",
                crm="c1",
                ledger="o1",
                config="abc",
                mode="drafts_only",
                made_at=NOW,
                made_by="maria@books-01",
                today=NOW.date(),
            ),
            ties=(Tie(subject="contact:org:7", ledger="l7", why="it bears our key", title="Oak"),),
        )
        self.applied: AppliedReport | None = None
        self.fields = FieldsReport(wanted=(("deal", "Invoice status", "choice", "its state"),))

    def _note(self, name: str, value: Any) -> None:
        self.asked.append((name, value))
        if self.raises is not None:
            raise self.raises

    def run(self, options: RunOptions) -> BatchReport:
        self._note("run", options)
        options.progress("pull", 1, 3)
        return self.batch

    def plan(self, options: RunOptions) -> PlanReport:
        self._note("plan", options)
        return self.plan_report

    def apply(self, file: PlanFile, name: str, options: RunOptions) -> AppliedReport:
        self._note("apply", (file, name, options))
        return self.applied or applied_report(file)

    def check(self, *, messages: bool = False) -> list[Problem]:
        self._note("check", None)
        return self.problems

    def identity(self, side: str) -> Organisation:
        self._note("identity", side)
        return BOOKS

    def note_act(self, kind: str, **given: Any) -> None:
        self._note(kind, given)

    def init_fields(self, *, create: bool) -> FieldsReport:
        self._note("init_fields", create)
        return FieldsReport(created=("Invoice status",)) if create else self.fields

    def pause(self, **given: Any) -> Pause:
        self._note("pause", given)
        return Pause(since=NOW, **given)

    def resume(self, **given: Any) -> list[Pause]:
        self._note("resume", given)
        return [Pause(only=given["only"], reason="audit", who="maria", since=NOW)]

    def status(self) -> StatusReport:
        self._note("status", None)
        return StatusReport(
            connection="main",
            mode="drafts_only",
            now=NOW,
            crm=BOOKS,
            last=self.batch,
            last_good=NOW - timedelta(hours=2),
            stop_file=self.stop_file,
            pauses=(Pause(only="all", reason="audit [x]", who="maria", since=NOW),),
            streams=(StreamStatus(side="crm", stream="deals", cursor=NOW, records=830),),
            links={"invoice": 830},
            issues=(HELD,),
            calls_today={"xero": 40},
            budgets=(
                Budget(
                    vendor="xero",
                    counts="calls",
                    allowed=5000,
                    cap=4500,
                    used=40,
                    left=4460,
                    resets_at=NOW + timedelta(hours=9),
                    reset_seen=True,
                    polls=288,
                    need=610,
                ),
            ),
        )

    @contextlib.contextmanager
    def open(self, config: Config) -> Iterator[Handle]:
        self.config = config
        yield self

"""`syncjob cancel`: a deal's own untouched drafts deleted by status, and the deal held.

By the same journal and door as all else: a lost answer is settled by look-up, and that a person
meant it stands in the very commit that learns of the deletion. Keeps invariants 1 (nothing new is
made until `syncjob reissue`) and 7 (a draft that somebody touched is theirs).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from syncjob.core.actions import Action, InvoiceChange, TemplateChange, TemplateDraft, Wave
from syncjob.core.cancelling import CancelReport, Paper, judge_invoice, judge_template
from syncjob.core.case import Case
from syncjob.core.records import Template
from syncjob.core.rules.texts import one_line
from syncjob.engine import recovery
from syncjob.engine.batch import Batch
from syncjob.engine.by_id import read_records
from syncjob.engine.cases import load_case, load_context
from syncjob.engine.identify import identify, verify
from syncjob.engine.planning import empty_plan
from syncjob.engine.push import Push
from syncjob.engine.settle import settle
from syncjob.engine.templates import read_templates, unsure_of
from syncjob.errors import Park, RetryLater
from syncjob.state.papers import TemplateLink


def cancel(batch: Batch, deal: str, reason: str, *, write: bool) -> CancelReport:
    """Delete the drafts, or (`write` False, on a copy of the state) say which it would be.

    Raises Park where there is no invoice or the mode forbids it, RetryLater while the outcome of
    an earlier write is not known, and what any batch raises.
    """
    identify(batch)
    recovery.begin(batch)
    settle(batch)
    _not_busy(batch, deal)
    _read(batch, deal)
    case = _case(batch, deal)
    papers = _papers(batch, case)
    report = CancelReport(
        deal=deal, title=one_line(case.deal.title), papers=tuple(papers), known=case.cancelled
    )
    actions = [_action(batch, case, paper, reason) for paper in papers if paper.fate == "delete"]
    if not write or not actions:
        return report
    _push(batch, case, actions, reason)
    now = {paper.id: paper for paper in _papers(batch, _case(batch, deal))}
    told = tuple(_told(batch, case, paper, now[paper.id]) for paper in papers)
    return msgspec.structs.replace(report, papers=told, written=True, batch=batch.id)


def _not_busy(batch: Batch, deal: str) -> None:
    if batch.state.journal.busy_subject(f"deal:{deal}"):
        minutes = batch.ledger.capabilities.patience / timedelta(minutes=1)
        raise RetryLater(
            "The outcome of the deal's last write is still being found out.",
            where=f"deal:{deal}",
            next_step=f"Run the same command again in {minutes:.0f} minutes.",
        )


# --- what there is --------------------------------------------------------------------------------


def _read(batch: Batch, deal: str) -> None:
    """Read the deal's papers again: what stands now decides."""
    live = [part.ledger_id for part in batch.state.links.parts(deal) if part.ended is None]
    read_records(batch, "ledger", "invoices", live)
    if batch.state.papers.templates(deal):
        read_templates(batch)
    if unsure_of(batch, [deal]):
        raise Park(
            "The deal's repeating invoice cannot be read, so nobody can tell whether somebody "
            "touched it.", where=f"deal:{deal}",
            next_step="`syncjob issues` names it; delete its papers in the ledger.",
        )  # fmt: skip


def _case(batch: Batch, deal: str) -> Case:
    case = load_case(batch, deal)
    if case is None:
        raise Park(
            f"No batch has read a deal {deal} yet.", where=f"deal:{deal}",
            next_step="Check the number in the deal's address; `syncjob run` reads new deals.",
        )  # fmt: skip
    if not case.shown and case.after.template is None:
        raise Park(
            "The deal has no invoice to cancel.", where=f"deal:{deal}",
            next_step=f"`syncjob resolve deal {deal} --never` keeps it from being invoiced.",
        )  # fmt: skip
    return case


def _papers(batch: Batch, case: Case) -> list[Paper]:
    locked = load_context(batch).locked_through
    found = []
    for part in case.parts:
        invoice = part.invoice or part.last
        if invoice is not None:
            found.append(
                judge_invoice(
                    case.deal.id, invoice, part.marker or invoice.marker or "", part.invoice_base,
                    part.invoice_now, locked, fresh=part.fresh,
                )
            )  # fmt: skip
    return found + [
        paper
        for link in batch.state.papers.templates(case.deal.id)
        if (paper := _template(batch, link)) is not None
    ]


def _template(batch: Batch, link: TemplateLink) -> Paper | None:
    template = batch.state.snapshots.get("ledger", "templates", link.ledger_id, Template)
    if template is None:
        return None
    sent = batch.state.journal.made(link.marker)
    ours = sent is not None and isinstance(sent.payload, TemplateDraft)
    made = batch.ledger.stored_form(sent) if sent and ours else {}
    now = batch.ledger.current_form(sent, template) if sent and ours else {}
    return judge_template(template, link.marker, made, now, known=ours)


# --- taking it back -------------------------------------------------------------------------------


def _action(batch: Batch, case: Case, paper: Paper, reason: str) -> Action:
    who = batch.options.who or "somebody"
    invoice = paper.kind == "invoice"
    payload = (
        InvoiceChange(invoice_id=paper.id, status="deleted", cancelled_by=who, why=reason)
        if invoice
        else TemplateChange(template_id=paper.id, cancelled_by=who, why=reason)
    )
    return Action(
        side="ledger", wave=Wave.INVOICES if invoice else Wave.TEMPLATES, subject=case.subject,
        target=f"{'invoice' if invoice else 'template'}:{paper.marker}", payload=payload,
        reason=f"{who}: {reason}", before={"status": paper.status},
        rules={"": "a person (syncjob cancel)"},
    )  # fmt: skip


def _push(batch: Batch, case: Case, actions: Sequence[Action], reason: str) -> None:
    if batch.config.mode == "read_only":
        raise Park(
            "The mode is read_only: nothing is written.", where="mode",
            next_step="Set the mode to drafts_only or full, then cancel.",
        )  # fmt: skip
    verify(batch, "ledger")
    with batch.state.commit():
        batch.state.snapshots.want([case.deal.id], "its invoice was cancelled")
        batch.state.decisions.done(
            "cancel", case.subject, who=batch.options.who or "somebody", reason=reason,
            at=batch.clock.now(), batch=batch.id,
            outcome=f"{len(actions)} drafts were to be deleted",
        )  # fmt: skip
    for wave in sorted({action.wave for action in actions}):
        plan = empty_plan()
        plan.actions = [action for action in actions if action.wave == wave]
        Push(batch, plan).run()


def _told(batch: Batch, case: Case, planned: Paper, after: Paper) -> Paper:
    """A paper once the push is over: deleted, or not (yet)."""
    if planned.fate != "delete" or after.fate == "gone":
        return planned
    issues = [found.issue for found in batch.state.book.open_issues(case.subject)]
    busy = batch.state.journal.busy_subject(case.subject)
    why = "the ledger's answer was lost" if busy or not issues else issues[-1].what
    return msgspec.structs.replace(
        planned, fate="open", why=why, next_step="Run the same command again in 20 minutes."
    )

"""What `syncjob check` looks at beyond each vendor's own: names, accounts, rates, mode, clock."""

from __future__ import annotations

from collections.abc import Iterator

from syncjob.connectors.base import Connector, Problem
from syncjob.core.policy import Invoices
from syncjob.core.records import CrmReference, LedgerReference
from syncjob.core.rules.basis import account_of
from syncjob.core.rules.eligibility import unknown_names
from syncjob.core.rules.moves import leads_out, unknown_stages
from syncjob.core.rules.naming import unknown_in_rules
from syncjob.core.rules.reach import unreached
from syncjob.core.rules.whole import may_be_authorised
from syncjob.engine import recovery
from syncjob.engine.batch import Batch
from syncjob.engine.door import pauses, stop_file
from syncjob.engine.identify import identify
from syncjob.engine.notice_checks import heartbeat_problems, notice_problems, try_ways
from syncjob.errors import AuthFailed, Held, Park, RetryLater

#: The vendors date their answers; a machine this far off logs and schedules wrongly.
CLOCK_SKEW_MAX_S = 120


def check(batch: Batch, *, messages: bool) -> list[Problem]:
    """Every problem found, the vendors' own first. Writes nothing to a vendor; with `messages`
    each way of notices that is set up is tried.

    It also starts the clock of a new state's recovery, so that the first run need not wait.
    """
    found = [*_side(batch.ledger), *_side(batch.crm)]
    with batch.state.commit():  # whoever mends a name in a vendor runs this next
        for side in ("ledger", "crm"):
            batch.state.book.note(f"reference_doubt:{side}", "1")
    try:
        identify(batch)
    except (AuthFailed, Park, RetryLater):
        if not any(problem.fatal for problem in found):
            raise
        return found  # what is wrong is named already, and nothing more can be read
    recovery.begin(batch)
    assert batch.ledger_reference is not None
    assert batch.crm_reference is not None
    names = unknown_names(batch.config.invoices, batch.crm_reference)
    found += [Problem(where="invoices", what=line, fix=_NAME_FIX) for line in names]
    found += _moves(batch, batch.crm_reference)
    found += _rules(batch.config.invoices, batch.crm_reference, batch.ledger_reference)
    found += _account(batch, batch.ledger_reference)
    found += notice_problems(batch, batch.crm_reference)
    found += _mode(batch)
    found += _email(batch, batch.ledger_reference)
    found += _clock(batch)
    found += _stopped(batch)
    found += try_ways(batch) if messages else ()
    found += heartbeat_problems(batch, messages=messages)
    return found


def _side(connector: Connector) -> list[Problem]:
    """One side's own problems; credentials that it refuses are one, so that both are named."""
    try:
        return connector.check()
    except AuthFailed as refused:
        place = f"{connector.side} ({refused.where})" if refused.where else connector.side
        return [Problem(where=place, what=refused.what, fix=refused.next_step)]


_NAME_FIX = "Use a name as it stands in the CRM."


def _moves(batch: Batch, crm: CrmReference) -> Iterator[Problem]:
    """Stages that do not exist, and moves after which nothing more of a deal is invoiced."""
    rules, policy = batch.config.crm.moves, batch.config.invoices
    for number, what in unknown_stages(rules, crm):
        yield Problem(where=f"crm.moves[{number}]", what=what, fix=_NAME_FIX)
    out = list(leads_out(rules, policy.when.pipelines, policy.when.stages))
    for number in out if policy.schedules or policy.recurring == "template" else ():
        yield Problem(
            where=f"crm.moves[{number}]",
            what=f'The stage "{rules[number].stage}" is none that invoices.when lets through, so '
            "no further part of a deal that was moved there is invoiced.",
            fix="Name it in invoices.when as well.",
            fatal=False,
        )


def _rules(policy: Invoices, crm: CrmReference, ledger: LedgerReference) -> Iterator[Problem]:
    """Names in the rules that do not exist, and rules that can never match."""
    for one in unknown_in_rules(policy, crm, ledger):
        yield Problem(where=one.where, what=one.what, fix=one.fix, fatal=one.fatal)
    home = ledger.organisation.country
    for rule in unreached(policy, home.upper() if home else None):
        yield Problem(
            where=rule.where, what=f"This rule never matches: {rule.why}.",
            fix="Delete it, change its conditions, or move it up.",
        )  # fmt: skip


def _account(batch: Batch, ledger: LedgerReference) -> Iterator[Problem]:
    try:
        account_of(batch.config.invoices.account, ledger.accounts)
    except Held as held:
        names = sorted(f"{a.code} {a.name}" for a in ledger.accounts if a.kind == "REVENUE")
        sales = ", ".join(names)
        yield Problem(
            where="invoices.account", what=held.what,
            fix=f"Name one of its revenue accounts: {sales or 'there are none'}.",
        )  # fmt: skip


def _mode(batch: Batch) -> Iterator[Problem]:
    config = batch.config
    if may_be_authorised(config.invoices) and config.mode != "full":
        yield Problem(
            where="invoices.status",
            what=f"Invoices are to be authorised, but the mode is {config.mode}: they stay drafts.",
            fix="Set mode: full when finance agrees, or status: draft.",
            fatal=False,
        )


def _email(batch: Batch, ledger: LedgerReference) -> Iterator[Problem]:
    """E-mail that is switched on and can never go."""
    config, demo = batch.config, ledger.organisation.demo
    if config.invoices.email.enabled and (config.mode != "full" or demo):
        why = f"the mode is {config.mode}"
        if demo:
            why = f"{ledger.organisation.name} is a demo organisation"
        yield Problem(
            where="invoices.email.enabled",
            what=f"Invoices are to be e-mailed, but {why}: none is.",
            fix="Set mode: full with the real organisation when finance agrees, or switch it off.",
            fatal=False,
        )


def _clock(batch: Batch) -> Iterator[Problem]:
    for side in (batch.ledger, batch.crm):
        theirs = side.server_time()
        skew = abs((theirs - batch.clock.now()).total_seconds()) if theirs else 0
        if skew > CLOCK_SKEW_MAX_S:
            yield Problem(
                where=side.name,
                what=f"This machine's clock is {skew:.0f} s off {side.name}'s.",
                fix="Let it be set by NTP. No invoice depends on it, but schedules and logs do.",
                fatal=False,
            )


def _stopped(batch: Batch) -> Iterator[Problem]:
    if stop_file(batch.state.path).exists():
        yield Problem(
            where=str(stop_file(batch.state.path)), what="A STOP file stops all writes.",
            fix="Delete it when writing may go on.", fatal=False,
        )  # fmt: skip
    for pause in pauses(batch.state, batch.clock.now()):
        yield Problem(
            where="pause", what=f"Paused ({pause.only}) by {pause.who}: {pause.reason}.",
            fix="`syncjob resume`", fatal=False,
        )  # fmt: skip

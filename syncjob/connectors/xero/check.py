"""What `syncjob check` asks of Xero: each right that a batch needs, one harmless read each."""

from __future__ import annotations

import msgspec

from syncjob.connectors.base import Problem
from syncjob.connectors.xero.reference import read_organisation
from syncjob.connectors.xero.requests import Reads
from syncjob.connectors.xero.walks import Lists
from syncjob.errors import AuthFailed, SchemaDrift, SyncJobError

#: One read for each scope: what it costs nothing to try, and what a batch cannot do without.
_PROBES = (
    ("Accounts", (), "accounting.settings.read"),
    ("Contacts", (("page", "1"), ("pageSize", "1")), "accounting.contacts"),
    ("Invoices", (("page", "1"), ("pageSize", "1")), "accounting.invoices"),
    ("Payments", (("page", "1"), ("pageSize", "1")), "accounting.payments"),
    ("CreditNotes", (("page", "1"), ("pageSize", "1")), "accounting.invoices"),
)
#: Money that customers paid ahead or too much: without it notices do not know of it, and all else
#: goes on. Which of the newer scopes these two need is not documented (facts: xero, 1).
_WANTED = tuple(
    (
        path,
        (("page", "1"), ("pageSize", "1")),
        "accounting.payments (or accounting.banktransactions)",
    )
    for path in ("Prepayments", "Overpayments")
)


def check(lists: Lists, reads: Reads, time_zone: str | None) -> list[Problem]:
    """What is wrong with the credentials' rights and the organisation; raises Unreachable and
    Throttled, since then nothing can be said."""
    problems = [problem for probe in _PROBES if (problem := _probe(lists, reads, *probe))]
    if len(problems) == len(_PROBES):
        return [_all_refused(problems[0])]
    wanted = (_probe(lists, reads, *probe) for probe in _WANTED)
    problems += [msgspec.structs.replace(one, fatal=False) for one in wanted if one]
    try:
        read_organisation(lists, reads, time_zone)
    except SchemaDrift as drift:
        problems.append(
            Problem(where=drift.where or "ledger", what=drift.what, fix=drift.next_step)
        )
    except AuthFailed as refused:
        problems.append(_scope(refused, "accounting.settings.read", "Organisation"))
    return _once(problems)


def _probe(
    lists: Lists, reads: Reads, path: str, query: tuple[tuple[str, str], ...], scope: str
) -> Problem | None:
    try:
        lists.ask(reads.one(path, query))
    except AuthFailed as refused:
        return _scope(refused, scope, path)
    except SchemaDrift as drift:
        return Problem(where=f"ledger, GET {path}", what=drift.what, fix=drift.next_step)
    return None


def _scope(refused: SyncJobError, scope: str, path: str) -> Problem:
    """A 401 on one read while others work: a scope that the app was not given."""
    return Problem(
        where=f"ledger.auth.scopes, GET {path}",
        what=refused.what,
        fix=f"See that {scope} stands in ledger.auth.scopes and is ticked for the app at "
        "developer.xero.com; after a change there, authorise the app again.",
    )


def _all_refused(first: Problem) -> Problem:
    """Not a scope: nothing at all can be read."""
    return Problem(
        where="ledger.auth",
        what=first.what,
        fix="Look at ledger.auth (client_id, client_secret), ledger.tenant_id and "
        "ledger.api_url; if they are right, authorise the app again (syncjob connect xero).",
    )


def _once(problems: list[Problem]) -> list[Problem]:
    """One line for each scope that is missing."""
    return list({(problem.fix, problem.what): problem for problem in problems}.values())

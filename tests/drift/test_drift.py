"""Each field of each answer that a command reads, wrong in each way: no crash, no nonsense written.

A sample drawn by the commit's hash; SYNCJOB_DRIFT=1 plays every case (hours), 0.01 a hundredth.
`python -m tests.drift pipedrive run NAME` plays one.
"""

from __future__ import annotations

import os
from random import Random

import pytest

from tests.drift.judge import COMMANDS, play, seen_by
from tests.drift.mutate import Case, Place, cases, spoil
from tests.sim.test_seeds import _drawn

CRMS = ("pipedrive", "hubspot")
#: The share of all cases that is played.
SHARE = float(os.environ.get("SYNCJOB_DRIFT", "0.0003"))
#: What was wrong once: (CRM, command, case).
KEPT = (
    ("hubspot", "run", "POST /hubspot/crm/associations/2026-09/deals/line_items/batch/read "
     "results[].to doubled all"),
    ("hubspot", "run", "POST /hubspot/crm/associations/2026-09/deals/contacts/batch/read "
     "(whole) deep all"),
    ("pipedrive", "run", "GET /pipedrive/api/v2/deals/products data doubled all"),
    ("hubspot", "run", "POST /hubspot/crm/objects/2026-09/companies/batch/read "
     "results[].properties.name object one"),
    ("hubspot", "run", "POST /hubspot/crm/objects/2026-09/line_items/batch/read "
     "results[].id null one"),
    ("hubspot", "run", "POST /hubspot/crm/objects/2026-09/deals/search "
     "results[].properties list one"),
    ("hubspot", "run", "GET /xero/api.xro/2.0/Invoices Invoices[].FullyPaidOnDate someday one"),
    ("pipedrive", "run", "GET /xero/api.xro/2.0/Invoices/* Invoices[].AmountPaid number all"),
    ("pipedrive", "run", "GET /xero/api.xro/2.0/Invoices/* Invoices[].AmountDue 0.005 one"),
)  # fmt: skip


def every(crm: str, command: str) -> list[Case]:
    """All cases of one command, in a fixed order."""
    return list(cases(list(seen_by(crm, command))))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("crm", CRMS)
def test_one_wrong_thing(crm: str, command: str) -> None:
    found = every(crm, command)
    count = min(len(found), max(2, round(len(found) * SHARE)))
    chosen = Random(_drawn()).sample(found, count) if count < len(found) else found
    wrong = {case.name: said for case in chosen if (said := play(crm, command, case)[1])}
    print(f"{crm} {command}: {count} of {len(found)} cases")
    assert not wrong, "\n".join(f"{crm} {command} {name!r}: {said}" for name, said in wrong.items())


@pytest.mark.parametrize(("crm", "command", "name"), KEPT)
def test_what_was_wrong_once(crm: str, command: str, name: str) -> None:
    case = next(case for case in every(crm, command) if case.name == name)
    hits, wrong = play(crm, command, case)
    assert hits and not wrong


def test_the_wrong_thing_stands_where_it_should() -> None:
    body = b'{"results": [{"id": "1", "amount": "5"}, {"id": "2", "amount": "6"}]}'
    place = Place("GET /x", ("results", "[]", "amount"), "6", "2")
    expected = {
        ("one", "dropped"): b'{"results": [{"id": "1", "amount": "5"}, {"id": "2"}]}',
        ("one", "NaN"): b'{"results": [{"id": "1", "amount": "5"}, {"id": "2", "amount": NaN}]}',
        ("all", "null"): b'{"results": [{"id": "1", "amount": null}, {"id": "2", "amount": null}]}',
    }
    for (scope, kind), wanted in expected.items():
        assert spoil(Case(place, kind, scope), body) == wanted
    for case in cases([place]):
        assert spoil(case, body) != body, case.name

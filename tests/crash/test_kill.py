"""A batch killed by SIGKILL at a named point ends, restarted, as if it had never been killed."""

from __future__ import annotations

import pytest

from tests.crash.conftest import MakeWorld
from tests.crash.kit import assert_nothing_doubled, minutes

XERO = "/xero/api.xro/2.0"
CONTACTS, INVOICES = f"PUT {XERO}/Contacts", f"PUT {XERO}/Invoices"
APPROVE, DEAL = f"POST {XERO}/Invoices", "PATCH /pipedrive/api/v2/deals/"

#: (point, what it is about, its n-th occurrence)
BETWEEN_COMMIT_AND_ANSWER = [
    ("call committed", CONTACTS, 1),
    ("answered", CONTACTS, 1),
    ("call committed", INVOICES, 1),
    ("send recorded", INVOICES, 2),
    ("answered", INVOICES, 1),
    ("answered", INVOICES, 2),
    ("send recorded", DEAL, 1),
    ("answered", DEAL, 30),
]
WITHIN_A_COMMIT = [
    ("half the outcomes", "contact.create", 10),
    ("half the outcomes", "invoice.create", 75 - 50),
    ("link stored, uncommitted", "invoice.create", 60),
    ("before the outcomes' commit", INVOICES, 2),
]
BETWEEN_CALLS = [
    ("after the outcomes' commit", CONTACTS, 1),
    ("after the outcomes' commit", INVOICES, 1),
    ("after the outcomes' commit", DEAL, 60),
]
READING = [
    ("before a page's commit", "ledger contacts", 1),
    ("after a page's commit", "ledger invoices", 1),
    ("before a page's commit", "crm deals", 2),
    ("after a page's commit", "crm deals", 1),
    ("answered", "GET /pipedrive/api/v2/deals/products", 1),
]
ENDING = [
    ("before close", "", 1),
    ("before the sidecar", "", 1),
    ("half the sidecar", "syncjob.db.seq.new", 1),
]
APPROVING = [
    ("call committed", APPROVE, 1),
    ("answered", APPROVE, 1),
    ("answered", APPROVE, 2),
    ("half the outcomes", "invoice.approve", 20),
    ("answered", INVOICES, 1),
    ("answered", DEAL, 1),
]
POINTS = [*BETWEEN_COMMIT_AND_ANSWER, *WITHIN_A_COMMIT, *BETWEEN_CALLS, *READING, *ENDING]


def some(points, *quick):
    """The points, all but a few marked as slow: every test run takes those few."""
    return [
        p if i in quick else pytest.param(*p, marks=pytest.mark.slow) for i, p in enumerate(points)
    ]


def ids(points):
    return [f"{point}-{match.rsplit('/', 1)[-1]}-{nth}" for point, match, nth in points]


@pytest.mark.parametrize(
    ("point", "match", "nth"), some(POINTS, 1, 3, 4, 5, 7, 9, 13, 15, 18, 20), ids=ids(POINTS)
)
def test_a_killed_batch_leaves_no_trace(loaded: MakeWorld, undisturbed, point, match, nth):
    w = loaded()
    w.kill(point, match, nth, page=40)
    w.recover(undisturbed())


@pytest.mark.parametrize(("point", "match", "nth"), some(APPROVING, 1, 3), ids=ids(APPROVING))
def test_a_batch_killed_while_it_approves(loaded: MakeWorld, undisturbed, point, match, nth):
    w = loaded("full", warm=True)
    w.kill(point, match, nth)
    w.recover(undisturbed("full"))


LAGGING = [
    ("answered", CONTACTS, 1),
    ("answered", INVOICES, 1),
    ("send recorded", INVOICES, 2),
    ("before the outcomes' commit", INVOICES, 2),
    ("answered", DEAL, 30),
]


@pytest.mark.parametrize("lag_s", [pytest.param(60, marks=pytest.mark.slow), 400])
@pytest.mark.parametrize(("point", "match", "nth"), some(LAGGING, 1), ids=ids(LAGGING))
def test_what_a_lagging_index_does_not_show_yet_is_not_made_again(
    loaded: MakeWorld, undisturbed, point, match, nth, lag_s
):
    w = loaded(ledger={"lag_max_s": lag_s}, crm={"lag_max_s": lag_s / 4})
    w.advance(minutes(10))  # the deals themselves are shown by now
    w.kill(point, match, nth)
    for _ in range(2):  # more batches while the index lags
        w.run()
        assert_nothing_doubled(w)
        w.advance(minutes(3))
    w.recover(undisturbed())


#: First death, minutes until the restart, second death.
TWICE = [
    (("answered", CONTACTS, 1), 16, ("answered", INVOICES, 1)),
    (("answered", INVOICES, 2), 16, ("settled, uncommitted", "invoice.create", 7)),
    (("answered", INVOICES, 2), 0, ("settled, uncommitted", "invoice.create", 1)),
    (("send recorded", INVOICES, 1), 16, ("answered", INVOICES, 1)),
    (("answered", INVOICES, 1), 0, ("before close", "", 1)),
    (("half the outcomes", "invoice.create", 30), 16, ("after a page's commit", "ledger inv", 1)),
    (("send recorded", DEAL, 5), 0, ("answered", DEAL, 20)),
    (("answered", DEAL, 5), 16, ("answered", DEAL, 20)),
]


@pytest.mark.parametrize(
    ("first", "wait", "second"), some(TWICE, 1, 5), ids=[str(n) for n in range(8)]
)
def test_killed_again_while_it_recovers(loaded: MakeWorld, undisturbed, first, wait, second):
    w = loaded(warm=True)
    w.kill(*first)
    w.advance(minutes(wait))
    w.kill(*second)
    w.recover(undisturbed())


@pytest.mark.parametrize(
    ("point", "match", "nth"),
    some([*BETWEEN_COMMIT_AND_ANSWER, *WITHIN_A_COMMIT], 2, 5, 11),
    ids=ids([*BETWEEN_COMMIT_AND_ANSWER, *WITHIN_A_COMMIT]),
)
def test_killed_in_ordinary_life(loaded: MakeWorld, undisturbed, point, match, nth):
    """Not the first batch: no recovery of a new state stands between the crash and the restart."""
    w = loaded(warm=True)
    w.kill(point, match, nth)
    w.recover(undisturbed())

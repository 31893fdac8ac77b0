"""The page of a plan: sound HTML that asks nothing of the network, believes no name, and holds the
same numbers and reasons as the words on a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.actions import Action, ContactChange, Issue, Wave
from syncjob.core.reports import PlanReport
from syncjob.reports.plan_page import WRITES_MAX, plan_page
from syncjob.reports.plan_words import groups, plan_sentence
from tests.cli.kit import Handle
from tests.reports.test_match_page import Sound

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PLAN = Handle().plan_report


def read(plan: PlanReport) -> Sound:
    page = Sound()
    page.feed(plan_page(plan, at=AT))
    page.close()
    assert [tag for tag in page.open if tag not in ("p", "li", "tr", "td", "th")] == []
    return page


def texts(plan: PlanReport) -> str:
    return " ".join(" ".join(read(plan).text).split())


def test_it_holds_the_numbers_the_reasons_and_each_before_and_after() -> None:
    said = texts(PLAN)
    assert plan_sentence(PLAN) in said
    for text in ("create draft NW-1042-A1 of 374.22 AUD", "deal:1042 Spring order",
                 "because won on 2026-07-30", "status awaiting payment paid", "New drafts (1)",
                 "Deals brought up to date (1)", "no_customer", "Next: Link one in the CRM.",
                 "500 not invoiced: won before invoices.won_since", "Made 2026-11-22 09:30 UTC",
                 "by maria@books-01, mode drafts_only", "deal:1050 waits",
                 "Oak belongs to l7"):  # fmt: skip
        assert text in said, text


def test_writes_stand_in_the_order_in_which_they_are_made() -> None:
    contact = Action(
        side="ledger", wave=Wave.LEDGER_CONTACTS, subject="contact:org:7", target="contact:c7",
        payload=ContactChange(contact_id="c7", values={"email": "new@x.test"}), reason="it changed",
        before={"email": "old@x.test"},
    )  # fmt: skip
    plan = msgspec.structs.replace(PLAN, actions=(*reversed(PLAN.actions), contact))
    names = [heading for heading, _ in groups(plan.actions)]
    assert names == ["Customers changed in the ledger (1)", "New drafts (1)",
                     "Deals brought up to date (1)"]  # fmt: skip
    assert "change 1 field of 1 deal, change 1 field of 1 customer" in plan_sentence(plan)
    said = texts(plan)
    assert said.index("e-mail old@x.test new@x.test") < said.index("create draft NW-1042")


def test_the_guard_stands_first_with_the_way_to_release_it() -> None:
    plan = msgspec.structs.replace(PLAN, guard=("12 invoices would be created; the limit is 5.",))
    said = texts(plan)
    assert said.index("Stopped by the guard") < said.index("create draft")
    assert "syncjob run --accept febdc994595b does exactly this plan" in said
    assert "Stopped by the guard" not in texts(PLAN)


def test_it_asks_nothing_of_the_network_and_runs_nothing() -> None:
    page = read(PLAN)
    assert {tag for tag, _ in page.tags} & {"script", "img", "iframe", "link", "object"} == set()
    policy = dict(page.tags[[tag for tag, _ in page.tags].index("meta") + 1][1])
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    for _, attributes in page.tags:
        href = attributes.get("href")
        assert href is None or re.match(r"#|https://acme\.pipedrive\.com/", href)


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    bad = Issue(code="x", subject="deal:1", what="a", next_step="b", page="javascript:alert(1)")
    page = read(msgspec.structs.replace(PLAN, issues=(bad,)))
    assert [g["href"] for t, g in page.tags if t == "a" and not g["href"].startswith("#")] == []


@given(st.text(max_size=30))
def test_no_name_becomes_html(name: str) -> None:
    evil = f"<b onclick=x>{name}</article>"
    issue = Issue(code=evil, subject=evil, what=evil, next_step=evil, page=f"https://x/{evil}")
    plan = msgspec.structs.replace(
        PLAN, titles={"deal:1042": evil}, issues=(issue,), waits={"deal:1": evil},
        excluded={evil: 2}, guard=(evil,),
        actions=tuple(msgspec.structs.replace(a, reason=evil) for a in PLAN.actions),
    )  # fmt: skip
    assert "b" not in {tag for tag, _ in read(plan).tags}


def test_a_page_of_very_many_writes_counts_the_rest() -> None:
    actions = tuple(
        msgspec.structs.replace(PLAN.actions[1], subject=f"deal:{n}") for n in range(WRITES_MAX + 5)
    )
    plan = msgspec.structs.replace(PLAN, actions=actions)
    page = plan_page(plan, at=AT)
    assert page.count("<article>") == WRITES_MAX + len(plan.issues)
    assert "5 more writes stand in the plan file only." in page

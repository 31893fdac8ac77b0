"""Which won deals become invoices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from syncjob.core.actions import Issue
from syncjob.core.policy import DealInputs, Exclude, Invoices, When
from syncjob.core.records import Deal
from syncjob.core.rules.eligibility import eligible, unknown_names

from .make import LONDON, D, crm, deal, policy


def judge(
    a_deal: Deal,
    rules: Invoices | None = None,
    *,
    inputs: DealInputs | None = None,
    zone: ZoneInfo = LONDON,
) -> Issue | None:
    return eligible(a_deal, rules or policy(), inputs or DealInputs(), crm(), "Acme Ltd", zone)


def code(issue: Issue | None) -> str | None:
    if issue is None:
        return None
    assert issue.state == "excluded"
    assert issue.subject == "deal:1042"
    assert issue.next_step
    assert issue.page
    return issue.code


def test_a_plain_won_deal_is_invoiced():
    assert judge(deal()) is None


@pytest.mark.parametrize(
    ("zone", "invoiced"),
    [("Pacific/Auckland", True), ("Europe/London", False), ("America/New_York", False)],
)
def test_the_day_of_winning_is_the_organisations_own(zone, invoiced):
    won = deal(won_at=datetime(2025, 12, 31, 20, tzinfo=UTC))  # already 2026 in Auckland
    issue = judge(won, zone=ZoneInfo(zone))
    assert (issue is None) is invoiced
    assert code(issue) == (None if invoiced else "won_before_start")


def test_won_on_the_start_day_itself_is_invoiced():
    assert judge(deal(won_at=datetime(2026, 1, 1, 0, tzinfo=UTC))) is None


def test_the_first_win_counts():
    again = deal(first_won_at=datetime(2025, 6, 1, tzinfo=UTC))
    issue = judge(again)
    assert code(issue) == "won_before_start"
    assert "2025-06-01" in issue.what
    assert "2026-01-01" in issue.what


def test_a_win_without_a_date_is_held():
    issue = judge(deal(won_at=None))
    assert (issue.code, issue.state, issue.field) == ("no_won_date", "held", "won_at")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(), None),
        (When(pipelines=("sales",)), None),
        (When(stages=(" DELIVERED",)), None),
        (When(pipelines=("Partners",), stages=("Delivered",)), None),
        (When(pipelines=("Partners",)), "not_in_when"),
        (When(stages=("Offer",)), "not_in_when"),
        (When(pipelines=("No such",)), "not_in_when"),
    ],
)
def test_only_named_pipelines_or_stages(when, expected):
    issue = judge(deal(pipeline_id="1", stage_id="12"), policy(when=when))
    assert code(issue) == expected
    if issue:
        assert '"Sales"' in issue.what
        assert '"Delivered"' in issue.what


def test_a_deal_in_no_known_pipeline_is_not_in_when():
    issue = judge(deal(pipeline_id="9"), policy(when=When(stages=("Offer",))))
    assert code(issue) == "not_in_when"
    assert 'pipeline "9", stage "none"' in issue.what


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        ({"pipelines": ("SALES",)}, {"pipeline_id": "1"}, "excluded_by_pipelines"),
        ({"pipelines": ("SALES",)}, {"pipeline_id": "2"}, None),
        ({"labels": ("test",)}, {"labels": ("l2", "l1")}, "excluded_by_labels"),
        ({"labels": ("test",)}, {"labels": ("l2",)}, None),
        ({"labels": ("Loose",)}, {"labels": ("loose",)}, "excluded_by_labels"),
        ({"owners": ("ann lee",)}, {"owner_id": "u1"}, "excluded_by_owners"),
        ({"owners": ("ANN@acme.test",)}, {"owner_id": "u1"}, "excluded_by_owners"),
        ({"owners": ("ann lee",)}, {"owner_id": "u2"}, None),
        ({"owners": ("someone",)}, {"owner_id": "u1"}, None),
        ({"titles": ("*TEST*",)}, {"title": "a test deal"}, "excluded_by_titles"),
        ({"titles": ("*TEST*",)}, {"title": "contest"}, "excluded_by_titles"),
        ({"titles": ("TEST",)}, {"title": "a test deal"}, None),
        ({"organizations": ("ACME  ltd",)}, {}, "excluded_by_organizations"),
        ({"organizations": ("Beta",)}, {}, None),
        ({"currencies": ("gbp",)}, {}, "excluded_by_currencies"),
        ({"currencies": ("USD",)}, {}, None),
        ({"value_below": D(100)}, {"value": D("99.99")}, "excluded_by_value_below"),
        ({"value_below": D(100)}, {"value": D(100)}, None),
        ({"value_below": D(100)}, {"value": None}, None),
        ({"value_above": D(100)}, {"value": D("100.01")}, "excluded_by_value_above"),
        ({"value_above": D(100)}, {"value": D(100)}, None),
        ({"value_above": D(100)}, {"value": None}, None),
    ],
)
def test_exclusions_name_their_rule(rule, changes, expected):
    assert code(judge(deal(**changes), policy(exclude=Exclude(**rule)))) == expected


def test_values_are_shown_as_people_write_them():
    issue = judge(deal(value=D("1E+3")), policy(exclude=Exclude(value_above=D("500.00"))))
    assert issue.what == "Its value 1000 is above 500."


@pytest.mark.parametrize(
    ("value", "stops"),
    [("Yes", True), ("do not!", True), ("1", True), ("No", False), (" ", False), (None, False)],
)
def test_a_field_can_say_do_not_invoice(value, stops):
    inputs = DealInputs(do_not_invoice="No invoice")
    issue = judge(deal(fields={"No invoice": value}), inputs=inputs)
    assert code(issue) == ("do_not_invoice" if stops else None)
    if issue:
        assert issue.field == "No invoice"
        assert value in issue.what


def test_unknown_names_are_listed_and_match_nothing():
    rules = policy(
        when=When(pipelines=("Sails",), stages=("Delivered",)),
        exclude=Exclude(labels=("Tset",), owners=("ann@acme.test", "Bob"), pipelines=("Sales",)),
    )
    lines = unknown_names(rules, crm())
    assert [entry.split(":")[0] for entry in lines] == [
        "invoices.when.pipelines",
        "invoices.exclude.labels",
        "invoices.exclude.owners",
    ]
    assert '"Sails"' in lines[0]
    assert "Sales, Partners" in lines[0]
    assert unknown_names(policy(won_since=date(2026, 1, 1)), crm(pipelines=(), users=())) == []
    no_labels = unknown_names(policy(exclude=Exclude(labels=("x",))), crm(labels=()))
    assert no_labels[0].endswith("it has: none.")

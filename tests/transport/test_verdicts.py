"""What an answer's status means where its headers or body are not as they are documented."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncjob.transport.limits import LimitRules
from syncjob.transport.verdicts import BUDGET_S, CONCURRENCY_S, pause
from syncjob.transport.wire import Answer
from tests.transport.kit import START

RULES = LimitRules(policies={"DAILY": BUDGET_S})


def told(headers: dict[str, str] | None = None, body: bytes = b"") -> float:
    """For how long a 429 is taken to ask us to wait."""
    found = pause(Answer(status=429, headers=headers or {}, body=body), RULES, START, "HubSpot")
    assert found is not None
    return found.seconds


@pytest.mark.parametrize(
    "when",
    ["soon", "", "32 Foo 2026", "-", "nan", "1e400", "1e12", "Fri, 31 Dec 9999 23:59:59 GMT",
     "Mon, 23 Nov 99999999999 00:00:00 GMT"],
)  # fmt: skip
def test_a_retry_after_that_is_no_time_is_as_good_as_none(when: str) -> None:
    assert told({"retry-after": when}) == CONCURRENCY_S


def test_a_retry_after_as_a_date() -> None:
    when = (START + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert told({"retry-after": when}) == 90


@pytest.mark.parametrize("body", [b"<html>slow down</html>", b"{", b"[]", b'{"policyName": 1}'])
def test_a_body_that_names_no_limit(body: bytes) -> None:
    assert told(body=body) == CONCURRENCY_S
    assert told(body=b'{"policyName": "daily"}') == BUDGET_S

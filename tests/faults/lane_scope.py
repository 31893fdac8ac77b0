"""Small scope, complete: every state of a customer's fields, and of a deal and its invoice.

The same in both sizes: all of (base, CRM, ledger) in each field, archived or not, deleted or not,
linked or not, each against a table of some twenty lines that was written from the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.core import test_deal_scope
from tests.core.contacts import test_small_scope
from tests.faults.lanes import Budget, LaneResult, Red, Size

#: Every scope: its states as (state, what the code does, what the table says), and their number.
SCOPES: dict[str, tuple[Callable[[], Iterator[tuple[object, object, object]]], int]] = {
    **test_small_scope.SCOPES,
    "a deal and its invoice": (test_deal_scope.deals, test_deal_scope.COUNT),
}
#: Two pieces of about the same length: the states of a linked pair, and all others.
_FIRST = "a linked pair"
#: More of the same would hide what else is wrong.
_SHOWN_MAX = 20


def pieces(size: Size) -> int:
    """Two, in either size."""
    return 2


def run(budget: Budget) -> LaneResult:
    """The states of this piece's scopes."""
    result = LaneResult("scope")
    for name, (states, expected) in SCOPES.items():
        if budget.mine(0 if name == _FIRST else 1):
            _play(name, states, expected, result)
    return result


def _play(
    name: str, states: Callable[[], Iterator[tuple[object, object, object]]], expected: int,
    result: LaneResult,
) -> None:  # fmt: skip
    wrong = 0
    for state, got, wanted in states():
        result.cases += 1
        result.counts[name] += 1
        if got != wanted:
            wrong += 1
            if wrong <= _SHOWN_MAX:
                words = f"{name}: {state}: {got} and not {wanted}"
                result.violations.append(Red("what the table says", words, _replay(name)))
    assert result.counts[name] == expected, f"{name}: {result.counts[name]} states"


def _replay(name: str) -> str:
    if name in test_small_scope.SCOPES:
        return f'pytest tests/core/contacts/test_small_scope.py -k "{name}"'
    return "pytest tests/core/test_deal_scope.py"


def table(total: LaneResult) -> str:
    """How many states of what."""
    rows = [f"| {name} | {total.counts[name]:,} | {of:,} |" for name, (_, of) in SCOPES.items()]
    head = ["| every state of | played | there are |", "|---|---:|---:|"]
    return "\n".join([*head, *rows, f"| all | {total.cases:,} | {total.cases:,} |"])

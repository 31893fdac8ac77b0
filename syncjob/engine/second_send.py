"""What the answer to a second send says of the first: the same bytes under the same key.

The vendor answers as it did first where that has arrived (facts: xero, 3). Where it has not, it may
still arrive, and have its effect, later than the second was refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.core.actions import NotDone, Outcome, Rejected, Unknown
from syncjob.errors import OutcomeUnknown, RetryLater, Stop
from syncjob.transport.wire import Answer, Written

_NO_WORD = "to its second send, and that says nothing of the first"


def unless_refused(what: Written) -> Written:
    """The answer, unless it refuses the call as a whole."""
    if isinstance(what, Answer) and what.status >= 400:
        return OutcomeUnknown(f"The vendor answered {what.status} {_NO_WORD}.")
    return OutcomeUnknown(str(what)) if isinstance(what, RetryLater | Stop) else what


def unless_refused_singly(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes, where a record that was refused for itself is one that nobody knows of."""
    return [
        Unknown(error=f"The vendor refused it {_NO_WORD}.")
        if isinstance(one, Rejected | NotDone) else one
        for one in outcomes
    ]  # fmt: skip

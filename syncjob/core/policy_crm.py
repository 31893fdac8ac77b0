"""What a deal is to look like as its invoice goes through life: its stage, notes in its timeline.

Names are those of config.example.yaml.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from syncjob.core.policy_base import Strict

#: When a deal may be moved: what its status field says now, or that it became overdue.
When = Literal[
    "draft",
    "awaiting approval",
    "awaiting payment",
    "part-paid",
    "paid",
    "part-credited",
    "credited",
    "written off",
    "refunded",
    "voided",
    "deleted",
    "overdue",
]

#: What may be noted in a deal's timeline.
Happening = Literal[
    "created",
    "approved",
    "part_paid",
    "paid",
    "overdue",
    "credited",
    "written_off",
    "refunded",
    "voided",
    "deleted",
    "held",
]


class MoveRule(Strict):
    """A stage that deals go to when their invoice reaches a state; the first that fits counts.

    Without `pipeline` the stage of that name in the deal's own pipeline; a deal in a pipeline that
    has none stays where it is.
    """

    when: When
    stage: str = Field(min_length=1)
    pipeline: str | None = None
    #: Also to a stage that stands before the deal's own.
    backwards: bool = False

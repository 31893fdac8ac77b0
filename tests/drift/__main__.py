"""`python -m tests.drift CRM COMMAND CASE`: one case, with what is wrong in it and afterwards."""

from __future__ import annotations

import sys

import tests.conftest  # noqa: F401  quiet logs
from tests.drift.judge import play, seen_by
from tests.drift.mutate import cases

crm, command, name = sys.argv[1:4]
for case in cases(list(seen_by(crm, command))):
    if case.name == name:
        hits, wrong = play(crm, command, case)
        print(f"{case.name} (was {str(case.place.sample)[:80]!r}), met {hits} times")
        print("\n".join(wrong) or "nothing wrong")
        sys.exit(bool(wrong))
sys.exit(f"no such case: {name}")

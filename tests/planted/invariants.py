"""The judge's names for what must hold, each with its promise in docs/guarantees.md."""

from __future__ import annotations

#: By the first word of a Violation.
PROMISES: dict[str, int] = {
    "one_invoice": 1, "one_effect": 1, "one_template": 1, "one_credit": 1, "credit": 1,
    "one_contact": 2, "customer": 2, "parts": 8, "totals": 8, "follows": 7, "approved": 1,
    "withdrawn": 7, "fields": 6, "nothing_forgotten": 5, "customer_fields": 7, "nothing_lost": 7,
    "touched_draft": 7, "approved_untouched": 7, "rewrite": 7, "ended_stays": 7, "no_delete": 7,
    "approval_only": 7, "mode": 13, "stop": 13, "stopped": 13, "applied": 13, "notice": 9,
    "notice_once": 9, "no_false_alarm": 9, "goes_back": 5, "quiet": 6, "recovers": 16,
    "dates": 8, "tax": 8, "limits": 11, "guard": 12, "secrets": 14, "dry_run": 13, "won_since": 1,
    "expected": 13, "write_ahead": 3, "patience": 4,
}  # fmt: skip

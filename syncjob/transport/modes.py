"""What may never leave in a given mode, judged on the very bytes that would be sent."""

from __future__ import annotations

from syncjob.core.policy import Mode
from syncjob.core.records import Side
from syncjob.transport.wire import Request


def refuse(mode: Mode, side: Side, request: Request) -> str | None:
    """Why this request must not leave, or None if it may (BOOKKEEPING, "What may be done")."""
    raise NotImplementedError

"""Cursor arithmetic: where the next walk of a stream begins.

Keeps invariant 5: the cursor is the server's own time at the walk's start, less the lookback; never
the newest stamp seen, which leaves records behind that were stamped late.
"""

from __future__ import annotations

from datetime import datetime, timedelta


def next_since(walk_started: datetime, lookback: timedelta) -> datetime:
    """Where the next walk begins, in whole seconds (the coarsest clock of the vendors)."""
    return (walk_started - lookback).replace(microsecond=0)


def since_for(cursor: datetime | None, asked: datetime | None) -> datetime | None:
    """The walk's beginning: the cursor, or earlier if a catch-up asks for it; None: everything."""
    if cursor is None or asked is None:
        return cursor
    return min(cursor, asked)

"""The log read back, batch by batch, as a person wants to review it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from syncjob.reports.words import counted

Event = dict[str, Any]

#: Keys that stand in the batch's heading or mean nothing to a reader.
_HIDDEN = frozenset({"at", "level", "event", "batch", "connection", "logger", "exception"})
#: The first and the last event of a batch.
_BORDERS = ("batch.started", "batch.ended")


class BatchLog(msgspec.Struct, kw_only=True):
    """One batch as the log has it: its events in order."""

    batch: str
    events: list[Event]

    @property
    def summary(self) -> Event | None:
        """The batch's last word, None if it was killed or still runs."""
        return next((e for e in reversed(self.events) if e.get("event") == "batch.ended"), None)


def log_files(path: Path) -> list[Path]:
    """The log and its rotated files, oldest first."""
    found = [p for p in path.parent.glob(f"{path.name}.*") if p.suffix[1:].isdigit()]
    rotated = sorted(found, key=lambda p: int(p.suffix[1:]), reverse=True)
    return [*rotated, *([path] if path.exists() else [])]


def read_events(files: Iterable[Path]) -> Iterator[Event]:
    """Every event; a line that a power cut tore is left out."""
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event


def read_batches(
    path: Path, *, last: int | None = None, batch: str | None = None
) -> list[BatchLog]:
    """The last batches of the log (None: all of it), or the one named; oldest first."""
    batches: dict[str, BatchLog] = {}
    for event in read_events(log_files(path)):
        name = str(event.get("batch", ""))
        if not name or (batch is not None and name != batch):
            continue
        # `check`, `plan` and `init` have a number too, but neither a start nor an end: no batches.
        if name not in batches and batch is None and event.get("event") not in _BORDERS:
            continue
        batches.setdefault(name, BatchLog(batch=name, events=[])).events.append(event)
        while last is not None and len(batches) > last:
            del batches[next(iter(batches))]
    return list(batches.values())


def review(found: BatchLog, *, details: bool) -> Iterator[str]:
    """One batch as lines: its heading, and with `details` what happened in it."""
    first, summary = found.events[0], found.summary
    begun = _instant(first)
    if summary is None:
        yield f"{begun}  batch {found.batch}  no end in the log: it was killed, or it still runs"
    else:
        result = str(summary.get("result", "ended")).replace("_", " ")
        yield f"{begun}  batch {found.batch}  {result}: {_counts(summary)}"
    for event in found.events:
        if event is not summary and (details or event.get("level") in ("warning", "error")):
            yield f"  {_instant(event)[11:]}  {event.get('event', '')}  {_values(event)}".rstrip()


def _counts(summary: Event) -> str:
    parts = [counted(kind, number, done=True) for kind, number in _numbers(summary, "counts")]
    if summary.get("issues"):
        parts.append(f"{summary['issues']} to look at")
    calls = ", ".join(f"{vendor} {number}" for vendor, number in _numbers(summary, "calls"))
    text = ", ".join(parts) or "nothing written"
    used = f"; calls: {calls}" if calls else ""
    stopped = f"; stopped: {summary['stopped_by']}" if summary.get("stopped_by") else ""
    return text + used + stopped


def _numbers(summary: Event, key: str) -> list[tuple[str, int]]:
    found = summary.get(key)
    pairs = found.items() if isinstance(found, dict) else ()
    return [(str(name), number) for name, number in pairs if isinstance(number, int) and number]


def _values(event: Event) -> str:
    return " ".join(f"{k}={_plain(v)}" for k, v in event.items() if k not in _HIDDEN)


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f'"{text}"' if isinstance(value, str) and " " in text else text


def _instant(event: Event) -> str:
    """The event's time in this machine's zone; its own text if that is no time."""
    at = str(event.get("at", ""))
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return at.ljust(19)

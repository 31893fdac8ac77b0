"""docs/situations.md, made from what the commands really printed.

`python -m tests.situations` plays every situation and writes the page; a test compares the two.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.situations.table import SITUATIONS, Record

PAGE = Path(__file__).resolve().parents[2] / "docs" / "situations.md"

_HEAD = """\
# What syncjob shows when something is wrong

Each row was played against the sandbox with the real command: what is wrong, all that was
printed, the exit code, and what both servers held afterwards. Unless it says otherwise, a healthy
deal (*Healthy order*, 50.00 AUD and tax) is won in the same batch, so that one can see that the
rest goes on. Addresses, times, days and identifiers are shortened to words such as `TIME`.

This page is generated (`python -m tests.situations`), and a test compares it with what the
commands print. The exit codes stand in the [README](../README.md).
"""

#: What differs from run to run, and the word in its place. The order matters.
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( ?[+-]\d{4}| UTC|Z)?"), "TIME"),
    (re.compile(r"^\d\d:\d\d:\d\dZ ", re.MULTILINE), "TIME "),
    (re.compile(r"\b\d\d:\d\d UTC"), "TIME"),
    (re.compile(r"\b20\d\d-\d\d-\d\d\b(?!-)"), "DAY"),
    (re.compile(r"\b\d\d/\d\d/20\d\d\b"), "DAY"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"(?:\b|(?<=%3D))[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"(--accept |Plan |plan=|is now )[0-9a-f]{12}\b"), r"\1HASH"),
    (re.compile(r"\bsyncjob \d+ on \S+"), "syncjob PID on HOST"),
    (re.compile(r"\bmaria@[\w.-]+"), "maria@HOST"),
    (re.compile(r"\b\d+(\.\d+)? (s|min)( \d+ s)?(?=[ ).,])"), "N s"),
    (re.compile(r"(calls: |, )(pipedrive|hubspot|xero) \d+(?=[,;])"), r"\1\2 N"),
    (
        re.compile(r"^(pipedrive|hubspot|xero) calls( +)\d+ in the last", re.MULTILINE),
        r"\1 calls\2N in the last",
    ),
    (
        re.compile(r"[\d,]+ of ([\d,]+ a day used[^,]*(?:,\d+[^,]*)*), [\d,]+ left"),
        r"N of \1, N left",
    ),
    (re.compile(r"batches need about [\d,]+; what is left .*"), "batches need about N; ..."),
    (re.compile(r"no batch has run for \d+ minutes"), "no batch has run for N minutes"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


def masked(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def section(name: str, record: Record) -> str:
    """One situation as it stands in the page."""
    situation = SITUATIONS[name]
    parts = [f"### {name}", situation.given]
    for shown in record.shown:
        command = shlex.join(("syncjob", *shown.arguments))
        text = "\n".join((f"$ {command}", (shown.out + shown.err).rstrip("\n"))).rstrip("\n")
        parts.append(f"```text\n{masked(text)}\n```\n\nExit code {shown.code}.")
    held = record.held if len(record.held) <= HELD_MAX else _shortened(record.held)
    parts.append("Afterwards:\n\n" + "\n".join(f"- {masked(line)}" for line in held))
    return "\n\n".join(parts) + "\n"


#: More lines than this say nothing new.
HELD_MAX = 12


def _shortened(lines: list[str]) -> list[str]:
    return [*lines[: HELD_MAX - 1], f"and {len(lines) - HELD_MAX + 1} more like these"]


def page(records: dict[str, Record]) -> str:
    """The whole page, group by group."""
    groups: dict[str, list[str]] = {}
    for name, situation in SITUATIONS.items():
        groups.setdefault(situation.group, []).append(section(name, records[name]))
    body = [f"## {group}\n\n" + "\n".join(sections) for group, sections in groups.items()]
    return "\n".join((_HEAD, *body))


def sections_of(text: str) -> dict[str, str]:
    """The page's sections by their situation."""
    found = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    parts = (part.partition("\n") for part in found)
    return {name: re.split(r"^## ", body, flags=re.MULTILINE)[0].strip() for name, _, body in parts}

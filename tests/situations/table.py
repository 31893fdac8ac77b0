"""The table of situations: what each is, who plays it, and the checks that hold for all of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from syncjob.cli.app import app
from syncjob.errors import Exit
from syncjob.sandbox.crms import TITLES
from tests.situations.bench import SECRETS, Desk, Shown

Play = Callable[[Desk], None]


@dataclass
class Situation:
    """One row: `given` is what is wrong, in words; `play` makes it so, runs commands, checks."""

    name: str
    group: str
    given: str
    play: Play
    crm: str = "pipedrive"


@dataclass
class Record:
    """What a situation showed, and what the servers held after."""

    shown: list[Shown] = field(default_factory=list)
    held: list[str] = field(default_factory=list)


SITUATIONS: dict[str, Situation] = {}


def situation(group: str, name: str, given: str, crm: str = "pipedrive") -> Callable[[Play], Play]:
    """Enter a function into the table."""

    def enter(play: Play) -> Play:
        assert name not in SITUATIONS, name
        SITUATIONS[name] = Situation(name, group, given, play, crm)
        return play

    return enter


# --- what a situation checks by itself --------------------------------------------------------


def says(shown: Shown, code: Exit, *words: str) -> None:
    """The exit code, and words that must stand in what was shown."""
    assert shown.code == code, f"exit {shown.code}, not {code}:\n{shown.text}"
    flat = " ".join(shown.text.split())
    for word in words:
        assert word in flat, f"{word!r} is not in:\n{shown.text}"


def one_draft(desk: Desk, deal: int = 1, total: str = "55.00") -> None:
    """The deal has exactly one live invoice, of this total."""
    marks = f"SJ-{deal}-A"
    found = [i for i in desk.invoices() if _marker(i).startswith(marks)]
    live = [i for i in found if i["status"] not in ("DELETED", "VOIDED")]
    assert [i["total"] for i in live] == [total], found


def no_invoice(desk: Desk, deal: int) -> None:
    """No invoice was ever made for the deal."""
    assert not [i for i in desk.invoices() if _marker(i).startswith(f"SJ-{deal}-")]


def _marker(invoice: dict[str, Any]) -> str:
    words = (invoice["reference"] or "").split()
    return words[-1] if words else ""


def nothing_made(desk: Desk) -> None:
    """Neither an invoice nor a contact is in the books."""
    assert not desk.invoices()
    assert not desk.contacts()


# --- what holds for every one of them ---------------------------------------------------------


def check_all(desk: Desk) -> None:
    """No traceback, no secret, a documented exit code, and next steps that exist."""
    logs = "".join(p.read_text(errors="replace") for p in desk.folder.glob("**/*.log"))
    assert "Traceback" not in logs, logs
    for shown in desk.shown:
        assert "Traceback" not in shown.text, shown.text
        assert shown.code in set(Exit) - {Exit.BUG}, shown
        for secret in (value for name, value in SECRETS.items() if name != "XERO_CLIENT_ID"):
            assert secret not in shown.text + logs
        for command in re.findall(r"`(syncjob [^`]*)`", shown.text):
            assert_command(command)


_PLACEHOLDERS = {"PATH": "config.yaml", "DEAL": "1", "ID": "1", "NUMBER": "INV-1", "HASH": "ab12"}


def assert_command(text: str) -> None:
    """A command that a message names is one that the program takes."""
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(text)[1:]]
    command: click.Command = app
    context = click.Context(app, info_name="syncjob")
    while words and words[0] in ("-c", "--config"):
        words = words[2:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no `{text}`"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    if words:
        command.parse_args(context, words)


def holds(desk: Desk) -> list[str]:
    """What the servers hold, in lines."""
    names = {c["id"]: c["name"] for c in desk.contacts()}
    lines = [
        f"Xero: {i['number'] or 'invoice'} {i['status'].lower()} {i['total']} {i['currency']}, "
        f"{names.get(i['contact_id'], '?')}, reference {i['reference'] or '(none)'}"
        for i in desk.invoices()
    ]
    if not lines:
        lines = ["Xero: no invoice"]
    for deal in desk.deals():
        fields = desk.fields(deal["id"])
        state = "deleted" if deal["is_deleted"] else "archived" if deal["is_archived"] else ""
        kind = f"{deal['status']}, {state}" if state else deal["status"]
        said = fields.get("Invoice status", "")
        note = f" ({fields['Invoice note']})" if "Invoice note" in fields else ""
        shown = f"{said}{note}" if said else "nothing written"
        lines.append(f"{TITLES[desk.vendor]}: deal {deal['id']} {deal['title']} ({kind}): {shown}")
    return lines


def play(name: str, desk: Desk) -> Record:
    """Play one situation to its end. Raises AssertionError where it is not as it should be."""
    SITUATIONS[name].play(desk)
    check_all(desk)
    return Record(desk.shown, holds(desk))

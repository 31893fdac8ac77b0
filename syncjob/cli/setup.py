"""`init` and `check`: a first config, the fields it needs in the CRM, whether all of it works."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from syncjob.cli.common import confirmed, interactive, json_option, opened, print_json, private_file
from syncjob.cli.screen import echo
from syncjob.clock import SystemClock
from syncjob.errors import Exit

if TYPE_CHECKING:
    from syncjob.config.template import CrmType


class _Shape(click.ParamType[str]):
    """Text that the config would take; what a person surely means is mended first."""

    def __init__(self, name: str, shape: str, says: str, mend: Callable[[str], str]) -> None:
        self.name, self.shape, self.says, self.mend = name, re.compile(shape), says, mend

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        mended = self.mend(value.strip())
        if not self.shape.fullmatch(mended):
            self.fail(self.says, param, ctx)
        return mended


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"https://{address}"


_NAME = _Shape("text", r"[A-Za-z0-9_-]{1,40}", "write letters, digits, - and _", str)
_CODE = _Shape("text", r"[A-Z0-9]{2,4}", "write 2 to 4 letters or digits", str.upper)
_ADDRESS = _Shape(
    "text",
    r"https://[^\s/?]+\.[^\s?]+|http://(127\.0\.0\.1|localhost)[^\s?]*",
    "write an address such as https://acme.pipedrive.com",
    _with_scheme,
)


@click.command("init")
@click.option("--name", type=_NAME, help="The connection's name.")
@click.option("--code", type=_CODE, help="2 to 4 capitals or digits that begin every marker.")
@click.option("--crm", type=click.Choice(["pipedrive", "hubspot"]), help="Which CRM.")
@click.option("--crm-url", type=_ADDRESS, help="The CRM account's own address.")
@click.option("--account", help="The revenue account of the lines, by code.")
@click.option(
    "--won-since",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Deals won before this day are never invoiced (offered: today).",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask: take the flags and the defaults.")
@click.pass_context
def init_command(
    ctx: click.Context,
    name: str | None,
    code: str | None,
    crm: CrmType | None,
    crm_url: str | None,
    account: str | None,
    won_since: datetime | None,
    yes: bool,
) -> int:
    """Write a commented config if there is none; else create the CRM fields that it names.

    The fields are shown before anything is created.
    """
    path, _ = ctx.obj
    if path.exists():
        return _fields(ctx, yes=yes)
    day = won_since.date() if won_since else None
    given = {"name": name, "code": code, "crm_url": crm_url, "account": account}
    ask = interactive() and not yes
    if crm is None and ask:
        asked = click.Choice(["pipedrive", "hubspot"])
        crm = cast("CrmType", click.prompt("Which CRM", default="pipedrive", type=asked, err=True))
    return _write_config(path, crm or "pipedrive", given, day, ask=ask)


_QUESTIONS: dict[str, tuple[str, click.ParamType[str]]] = {
    "name": ("Name of the connection", _NAME),
    "code": ("Code of 2 to 4 capitals or digits that begins every marker", _CODE),
    "crm_url": ("Address of your CRM account", _ADDRESS),
    "account": ("Code of the revenue account in the ledger", click.STRING),
}


def _write_config(
    path: Path, crm: CrmType, given: dict[str, str | None], won_since: date | None, *, ask: bool
) -> int:
    from syncjob.config.template import CRMS, Start, render

    today = SystemClock().now().astimezone().date()
    start = Start(won_since=won_since or today, crm=crm, crm_url=CRMS[crm].url)
    values = {key: value or getattr(start, key) for key, value in given.items()}
    if ask:
        for key, (question, shape) in _QUESTIONS.items():
            # Only Pipedrive's accounts have addresses of their own.
            if given[key] is None and (key != "crm_url" or crm == "pipedrive"):
                values[key] = click.prompt(question, default=values[key], type=shape, err=True)
        if won_since is None:
            won_since = click.prompt(
                "Invoice deals won since", default=today, value_proc=_day, err=True
            )
    private_file(path, render(Start(won_since=won_since or today, crm=crm, **values)))
    echo(f"Wrote {path}. Deals won before {won_since or today} are never invoiced.")
    variable = CRMS[crm].variable
    echo(f"Next: set {variable}, XERO_CLIENT_ID and XERO_CLIENT_SECRET, then")
    echo("`syncjob init` again (creates the CRM fields), `syncjob check` and `syncjob plan`.")
    return Exit.DONE


def _day(text: str | date) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise click.BadParameter("write YYYY-MM-DD") from None


def _fields(ctx: click.Context, *, yes: bool) -> int:
    from syncjob.reports.terminal import console, show_fields

    out = console(sys.stdout)
    with opened(ctx) as (_, handle):
        wanted = handle.init_fields(create=False)
        show_fields(out, wanted)
        if wanted.wanted:
            if not confirmed("Create these fields in the CRM?", yes=yes):
                return Exit.ISSUES
            wanted = handle.init_fields(create=True)
            show_fields(out, wanted)
            echo("Next: `syncjob check`.")
    return Exit.ISSUES if wanted.by_hand else Exit.DONE


@click.command("check")
@click.option("--no-message", is_flag=True, help="Send no test message by notices.ways.")
@json_option
@click.pass_context
def check_command(ctx: click.Context, as_json: bool, no_message: bool) -> int:
    """Try credentials, scopes, accounts, tax rates, fields, stages, mode, clock and notices.

    Writes nothing to a vendor; a test message goes by each of notices.ways. Each problem is
    named with its place in the config and its fix.
    """
    with opened(ctx) as (config, handle):
        problems = handle.check(messages=not no_message)
    if as_json:
        print_json(problems)
    else:
        for problem in problems:
            kind = "" if problem.fatal else "warning: "
            echo(f"{config.path.name} {problem.where}: {kind}{problem.what}")
            echo(f"    fix: {problem.fix}")
        if not problems:
            echo("Everything that the config names is there, and syncjob may use it.")
    return Exit.CONFIG if any(problem.fatal for problem in problems) else Exit.DONE

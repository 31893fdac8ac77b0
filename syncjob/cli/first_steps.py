"""`init`: a first config asked for, tried and written; the CRM's fields; a trial with one deal."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import click

from syncjob.cli.common import confirmed, interactive, opened, who
from syncjob.cli.screen import echo
from syncjob.clock import SystemClock
from syncjob.errors import Exit
from syncjob.logs import Redactor, configure

if TYPE_CHECKING:
    from syncjob.config import Config
    from syncjob.config.models import CrmConfig, LedgerConfig
    from syncjob.engine.connection import ConnectionHandle
    from syncjob.engine.firststeps.interview import Found
    from syncjob.engine.firststeps.trying import Memory, Tried


@click.command("init")
@click.option("--name", metavar="NAME", help="The connection's name.")
@click.option("--code", metavar="CODE", help="2 to 4 capitals or digits that begin every marker.")
@click.option("--crm", type=click.Choice(["pipedrive", "hubspot"]), help="Which CRM.")
@click.option("--crm-url", metavar="URL", help="The Pipedrive account's own address.")
@click.option(
    "--xero",
    type=click.Choice(["custom_connection", "authorization_code"]),
    help="How syncjob is let into Xero.",
)
@click.option("--tenant", metavar="ID", help="Which organisation, where the app has several.")
@click.option("--sandbox", metavar="URL", help="Rehearse on a `syncjob sandbox` at this address.")
@click.option(
    "--pipeline",
    multiple=True,
    metavar="NAME",
    help="Only won deals of this pipeline; may be repeated.",
)
@click.option(
    "--stage", multiple=True, metavar="NAME", help="Only deals won in this stage; may be repeated."
)
@click.option(
    "--without-owner",
    multiple=True,
    metavar="NAME",
    help="Never this owner's deals; may be repeated.",
)
@click.option("--account", metavar="CODE", help="The revenue account of the lines, by code.")
@click.option(
    "--amounts",
    type=click.Choice(["exclusive", "inclusive", "as_deal", "no_tax"]),
    help="How prices on deals stand to tax.",
)
@click.option("--tax-rate", metavar="NAME", help="The lines' tax rate (else the account's own).")
@click.option(
    "--without-products",
    type=click.Choice(["hold", "one_line"]),
    help="A deal without products: held, or one line from its value.",
)
@click.option("--value-is", type=click.Choice(["net", "gross"]), help="What that value is.")
@click.option(
    "--tracking", multiple=True, metavar="CATEGORY=OPTION", help="On every line; may be repeated."
)
@click.option("--remind", metavar="DAYS", help="Remind owners so many days overdue, such as 7,14.")
@click.option("--fallback", metavar="NAME", help="Who is reminded where the owner has left.")
@click.option(
    "--won-since",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Deals won before this day are never invoiced (offered: today).",
)
@click.option(
    "--secrets",
    type=click.Choice(["environment", "file"]),
    help="Where the config finds the secrets.",
)
@click.option("--no-browser", is_flag=True, help="Print the consent page's address instead.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask: take the flags and the defaults.")
@click.pass_context
def init_command(
    ctx: click.Context,
    /,
    sandbox: str | None,
    no_browser: bool,
    yes: bool,
    won_since: datetime | None,
    **flags: str | tuple[str, ...] | None,
) -> int:
    """Write a first config, try it, create the CRM's fields, propose a trial with one deal.

    Credentials are taken from PIPEDRIVE_API_TOKEN or HUBSPOT_ACCESS_TOKEN, XERO_CLIENT_ID and
    XERO_CLIENT_SECRET, or asked for (not shown), and tried at once. They never go into the config.
    A config that is there is not touched: then the rest is done. Fields are shown before anything
    is created.
    """
    path, verbose = ctx.obj
    if path.exists():
        return _go_on(ctx, None, yes=yes)
    configure(Redactor([]), level=logging.DEBUG if verbose else logging.WARNING)
    given: dict[str, tuple[str, ...]] = {
        key.replace("_", "-"): (value,) if isinstance(value, str) else value
        for key, value in flags.items()
        if value
    }
    if won_since:
        given["won-since"] = (won_since.date().isoformat(),)
    found = _ask(given, sandbox, ask=interactive() and not yes, browser=not no_browser, path=path)
    env = {**os.environ, **found.session}
    if found.opened:
        return _go_on(ctx, env, yes=yes)
    _tell_rest(path, found)
    return Exit.ISSUES if found.failed else Exit.DONE


def _ask(
    given: dict[str, tuple[str, ...]], sandbox: str | None, *, ask: bool, browser: bool, path: Path
) -> Found:
    """The interview, and its result on disk. Until its end nothing is written at all."""
    from syncjob.cli.keyboard import Keyboard
    from syncjob.config.template import render
    from syncjob.connectors.registry import register_all
    from syncjob.engine.firststeps.access import Addresses
    from syncjob.engine.firststeps.interview import interview
    from syncjob.engine.firststeps.keeping import keep
    from syncjob.engine.firststeps.questions import drive

    register_all()
    keyboard, world = Keyboard(given, ask=ask), _World(browser=browser)
    today = SystemClock().now().astimezone().date()
    addresses = Addresses(sandbox.rstrip("/") if sandbox else None)
    found = drive(interview(world, today, addresses), keyboard)
    if unused := keyboard.unused():
        raise click.UsageError(
            f"{', '.join(unused)}: not used. Names can be chosen once the credentials work "
            "(--fallback once --remind is given, --value-is with --without-products one_line); "
            "nothing was written."
        )
    keep(path, render(found.start), found.files)
    _keep_tokens(path, found, world.memory)
    echo(f"Wrote {path}. Deals won before {found.start.won_since} are never invoiced.")
    for name in found.files:
        echo(f"Wrote {path.parent / name} (0600).")
    return found


class _World:
    """The interview's outside: this process's environment, the network, a person's browser."""

    def __init__(self, *, browser: bool) -> None:
        from syncjob.engine.firststeps.trying import Memory

        self.env: Mapping[str, str] = os.environ
        self.memory: Memory = Memory()
        self._browser = browser

    def try_side(self, options: CrmConfig | LedgerConfig) -> Tried:
        from syncjob.engine.firststeps.trying import try_side
        from syncjob.transport.exchange import Session

        return try_side(
            options, clock=SystemClock(), memory=self.memory, session=Session,
            rng=SystemRandom(),
        )  # fmt: skip

    def consent(self, options: LedgerConfig) -> None:
        from syncjob.cli.connect import consent

        app = options.app()
        assert app is not None
        consent(app, self.memory, options.timeout_seconds, browser=self._browser)


def _keep_tokens(path: Path, found: Found, memory: Memory) -> None:
    """What a person granted in this session need not be granted again."""
    from syncjob.config import load_config
    from syncjob.state.vault import Vault

    if not (memory.tokens and found.opened):
        return
    vault = Vault(load_config(path, env={**os.environ, **found.session}).vault)
    try:
        for key, token in memory.tokens.items():
            vault.save(key, token)
    finally:
        vault.close()


def _tell_rest(path: Path, found: Found) -> None:
    """What is still to be done by hand before the rest can be."""
    if found.failed:
        echo("Next: mend what was refused above (in the environment, or in the config), then")
    elif unset := found.unset:
        echo(f"Next: set {', '.join(unset[:-1])}{' and ' if unset[1:] else ''}{unset[-1]}, then")
    else:
        echo("Next: fill in what is missing in the config, then")
    echo(f"`{_call(path)} init` again: it tries them, creates the CRM fields and proposes a trial.")


def _call(path: Path) -> str:
    return "syncjob" if str(path) == "config.yaml" else f"syncjob -c {path}"


# --- with a config ------------------------------------------------------------------------------


def _go_on(ctx: click.Context, env: Mapping[str, str] | None, *, yes: bool) -> int:
    """The CRM's fields; then, unless nobody looks on, what `check` says and one deal to try."""
    path, _ = ctx.obj
    with opened(ctx, env=env) as (config, handle):
        code = _fields(handle, yes=yes)
        if env is None and not (yes or interactive()):
            echo("Next: `syncjob check`.")
            return code
        if code == Exit.DONE:
            code = _checked(config, handle)
        if code == Exit.DONE:
            _propose(path, config, handle)
    return code


def _fields(handle: ConnectionHandle, *, yes: bool) -> int:
    from syncjob.reports.terminal import console, show_fields

    out = console(sys.stdout)
    wanted = handle.init_fields(create=False)
    show_fields(out, wanted)
    if wanted.wanted:
        if not confirmed("Create these fields in the CRM?", yes=yes):
            return Exit.ISSUES
        wanted = handle.init_fields(create=True)
        show_fields(out, wanted)
    return Exit.ISSUES if wanted.by_hand else Exit.DONE


def _checked(config: Config, handle: ConnectionHandle) -> int:
    from syncjob.cli.setup import show_problems

    problems = handle.check()
    show_problems(config, problems)
    return Exit.CONFIG if any(problem.fatal for problem in problems) else Exit.DONE


def _propose(path: Path, config: Config, handle: ConnectionHandle) -> None:
    """One won deal that would be invoiced, the commands that do it, and what comes after."""
    from syncjob.cli.progress import show_progress
    from syncjob.core.reports import RunOptions
    from syncjob.engine.firststeps.trial import trial_of
    from syncjob.reports.first_steps import trial_lines

    with show_progress(quiet=False) as seen:
        options = RunOptions(dry_run=True, who=who(), progress=seen, waiting=seen.waiting)
        plan = handle.plan(options)
    lines = trial_lines(
        trial_of(plan, config.guard.times_largest), plan, call=_call(path),
        since=config.invoices.won_since, guard=config.guard.creates_first_week,
        monitor=config.notices.operator.heartbeat is not None,
    )  # fmt: skip
    echo("\n".join(lines))

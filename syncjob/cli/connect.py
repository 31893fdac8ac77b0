"""`connect`: a person lets syncjob into a ledger or a CRM, and sees whose it is."""

from __future__ import annotations

import contextlib
import secrets
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from syncjob.cli.common import json_option, logged, print_json, who
from syncjob.cli.consent import Loopback
from syncjob.cli.screen import echo
from syncjob.clock import SystemClock
from syncjob.config import Config
from syncjob.errors import ConfigError, Exit

if TYPE_CHECKING:
    from syncjob.config.apps import App
    from syncjob.core.records import Side
    from syncjob.state.vault import Vault
    from syncjob.transport.ports import TokenStore

#: Random bytes of the state and the verifier (RFC 7636: 43 to 128 characters as text).
STATE_BYTES = 24
VERIFIER_BYTES = 64
#: A connection to the token endpoint must be made within this.
CONNECT_SECONDS = 5.0


@click.command("connect")
@click.argument("vendor", type=click.Choice(["xero", "hubspot"]))
@click.option("--no-browser", is_flag=True, help="Print the consent page's address instead.")
@click.option("--forget", is_flag=True, help="Forget the stored tokens and end.")
@json_option
@click.pass_context
def connect_command(
    ctx: click.Context, vendor: str, no_browser: bool, forget: bool, as_json: bool
) -> int:
    """Let syncjob into a ledger or CRM; show whose it is: name, country, currency, DEMO or REAL.

    Where there is no consent page (a custom connection, a fixed token) the credentials are tried.
    """
    with logged(ctx) as config:
        side, app = _side(config, vendor)
        if forget:
            _forget(config, vendor, app)
            return Exit.DONE
        if app is not None and app.consent:
            seconds = config.ledger.timeout_seconds
            if side == "crm":
                seconds = config.crm.timeout_seconds
            with _vault(config) as vault:
                consent(app, vault, seconds, browser=not no_browser)
        return _show(config, side, vendor, as_json=as_json)


def _side(config: Config, vendor: str) -> tuple[Side, App | None]:
    """The side of this vendor, and its app if it has one."""
    if config.ledger.type == vendor:
        return "ledger", config.ledger.app()
    if config.crm.type == vendor:
        return "crm", config.crm.app()
    side, kind = ("crm", config.crm.type) if vendor == "hubspot" else ("ledger", config.ledger.type)
    raise ConfigError([f"{config.path.name} {side}.type: is {kind}, not {vendor}"])


def _forget(config: Config, vendor: str, app: App | None) -> None:
    if app is None:
        echo("There are no stored tokens: the config holds a fixed one.")
        return
    with _vault(config) as vault:
        vault.forget(app.token_key)
    _note(config, f"disconnect:{vendor}")
    again = "asks for consent again"
    if not app.consent:
        again = "gets another with the client id and secret"
    echo(f"The stored tokens are forgotten. `syncjob connect {vendor}` {again}.")


@contextlib.contextmanager
def _vault(config: Config) -> Iterator[Vault]:
    from syncjob.state.vault import Vault

    vault = Vault(config.vault)
    try:
        yield vault
    finally:
        vault.close()


def consent(app: App, store: TokenStore, seconds: int, *, browser: bool) -> None:
    """The consent page in a browser, its code by way of loopback, its tokens into the store.

    `seconds` is the longest wait for an answer. Raises AuthFailed, Unreachable, StateError.
    """
    from syncjob.transport.auth import consent_url, exchange_code

    clock = SystemClock()
    state, verifier = secrets.token_urlsafe(STATE_BYTES), secrets.token_urlsafe(VERIFIER_BYTES)
    page = consent_url(
        app.login_url,
        client_id=app.client_id,
        redirect_uri=app.redirect_uri,
        scopes=app.scopes,
        state=state,
        verifier=verifier,
    )
    with Loopback(app.redirect_port, "/callback", state, app.vendor, app.settings) as loopback:
        _open(page, browser=browser)
        code = loopback.code(clock)
    exchange_code(
        code=code,
        verifier=verifier,
        redirect_uri=app.redirect_uri,
        token_url=app.token_url,
        client_id=app.client_id,
        client_secret=app.client_secret,
        key=app.token_key,
        store=store,
        clock=clock,
        vendor=app.vendor,
        timeout=(CONNECT_SECONDS, float(seconds)),
        client_in=app.client_in,
        settings=app.settings,
    )
    echo("Access is granted.", err=True)


def _open(page: str, *, browser: bool) -> None:
    opened = browser and webbrowser.open(page)
    if opened:
        echo("Waiting for you to allow access in the browser ...", err=True)
    else:
        echo("Open this page on this machine and allow access:", err=True)
        echo(page)


def _note(config: Config, act: str) -> None:
    from syncjob.engine.connection import open_connection

    with open_connection(config) as handle:
        handle.note_act(act, who=who())


def _show(config: Config, side: Side, vendor: str, *, as_json: bool) -> int:
    from syncjob.engine.connection import open_connection
    from syncjob.reports.terminal import organisation

    with open_connection(config) as handle:
        found = handle.identity(side)
        opens = f"opens {found.name} ({found.id})"
        handle.note_act(f"connect:{vendor}", who=who(), outcome=opens)
    if as_json:
        print_json(found)
    elif side == "ledger":
        echo(f"The books of {organisation(found)}.")
    else:
        echo(f"The CRM account of {organisation(found, books=False)}.")
    return Exit.DONE

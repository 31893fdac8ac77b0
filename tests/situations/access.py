"""Credentials, the network, and what the vendors answer when something is wrong."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

from syncjob.errors import Exit
from tests.situations.bench import Desk, line
from tests.situations.table import no_invoice, nothing_made, one_draft, says, situation

ACCESS = "Credentials"
NETWORK = "The network and the vendors"
BOOKS = "What the books allow"

_CLOUDFLARE = (
    "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
    "<body><h1>Sorry, you have been blocked</h1></body></html>"
)


def _refused(desk: Desk, code: Exit, *words: str, command: str = "run") -> None:
    """A run that ends before anything is written, though a deal waits."""
    desk.crm("win", deal=1)
    before = desk.writes()
    says(desk.sync(command), code, *words)
    assert desk.writes() == before
    nothing_made(desk)


# --- credentials ------------------------------------------------------------------------------


@situation(ACCESS, "wrong Pipedrive token", "PIPEDRIVE_API_TOKEN is not the account's token.")
def wrong_token(desk: Desk) -> None:
    desk.env["PIPEDRIVE_API_TOKEN"] = "0123456789-not-this-one"
    _refused(desk, Exit.CREDENTIALS, "Pipedrive", "401", "crm.api_token")
    says(desk.sync("check"), Exit.CONFIG, "crm.api_token", "401", "fix:")


@situation(ACCESS, "wrong Xero secret", "XERO_CLIENT_SECRET is not the app's secret.")
def wrong_secret(desk: Desk) -> None:
    desk.env["XERO_CLIENT_SECRET"] = "0123456789-not-this-one"
    desk.books("expire_tokens")
    _refused(desk, Exit.CREDENTIALS, "Xero", "invalid_client", "ledger.auth")
    says(desk.sync("check"), Exit.CONFIG, "invalid_client", "ledger.auth")


@situation(ACCESS, "a missing scope", "The config does not ask for the scope of contacts.")
def missing_scope(desk: Desk) -> None:
    desk.edit("accounting.contacts, ", "")
    desk.books("expire_tokens")
    _refused(desk, Exit.CREDENTIALS, "Xero", "scope")
    says(desk.sync("check"), Exit.CONFIG, "accounting.contacts", "developer.xero.com")


@situation(
    ACCESS, "a scope that the app was not given", "The config asks for more than the app has."
)
def scope_not_given(desk: Desk) -> None:
    desk.books("set_scopes", scopes=["accounting.invoices", "accounting.contacts"])
    desk.books("expire_tokens")
    _refused(desk, Exit.CREDENTIALS, "Xero", "scope")


@situation(ACCESS, "the app was disconnected", "Somebody disconnected the app in Xero.")
def disconnected(desk: Desk) -> None:
    desk.books("disconnect")
    _refused(desk, Exit.CREDENTIALS, "Xero")


@situation(ACCESS, "the wrong organisation", "The same credentials now open other books.")
def wrong_organisation(desk: Desk) -> None:
    desk.books("reconnect_other_organisation", name="Someone Else Ltd")
    desk.books("expire_tokens")
    _refused(desk, Exit.WRONG_ORGANISATION, "Someone Else Ltd", "Sandbox Company")


# --- the network ----------------------------------------------------------------------------


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@situation(NETWORK, "an unreachable host", "Nothing answers at Xero's address.")
def unreachable(desk: Desk) -> None:
    desk.edit(f"{desk.base}/xero/api.xro", f"http://127.0.0.1:{_closed_port()}/xero/api.xro")
    _refused(desk, Exit.UNREACHABLE, "Xero", "no connection can be made")


@situation(NETWORK, "a host that does not exist", "The Pipedrive address has a typing error.")
def unknown_host(desk: Desk) -> None:
    desk.edit(f"{desk.base}/pipedrive", "https://acme.pipedrive.invalid")
    _refused(desk, Exit.UNREACHABLE, "Pipedrive", "acme.pipedrive.invalid")


@situation(NETWORK, "429 for a day", "Xero answers 429 with a Retry-After of 86,400 s.")
def day_limit(desk: Desk) -> None:
    headers = {"Retry-After": "86400", "X-Rate-Limit-Problem": "day"}
    desk.fault(kind="status", status=429, server="xero", headers=headers)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    _refused(desk, Exit.UNREACHABLE, "Xero", "day", "Goes on at", tomorrow)
    asked = len(desk.box.host.log.find("xero"))
    says(desk.sync("run"), Exit.UNREACHABLE, "told an earlier run to wait", "Goes on at")
    assert len(desk.box.host.log.find("xero")) == asked


@situation(NETWORK, "502 with a page of HTML", "Xero's gateway answers each read with a page.")
def bad_gateway(desk: Desk) -> None:
    desk.fault(kind="html", status=502, server="xero", times=0)
    _refused(desk, Exit.UNREACHABLE, "Xero", "502", "Bad Gateway")
    desk.servers.faults.clear()
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)


@situation(NETWORK, "502 after the write", "Xero stores the invoice, then answers with a 502 page.")
def lost_answer(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.fault(kind="html", status=502, method="PUT", path="/Invoices", when="after", times=0)
    desk.sync("run")
    desk.servers.faults.clear()
    assert len(desk.invoices()) == 1
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)
    assert desk.fields(1)["Invoice status"] == "draft"


@situation(NETWORK, "403 from Cloudflare", "Pipedrive's firewall answers with its page.")
def cloudflare(desk: Desk) -> None:
    desk.fault(kind="html", status=403, body=_CLOUDFLARE, server="pipedrive", times=0)
    _refused(desk, Exit.UNREACHABLE, "Pipedrive", "firewall", "Goes on at")


# --- the books ----------------------------------------------------------------------------


def _full(desk: Desk) -> None:
    desk.edit("mode: drafts_only", "mode: full")
    desk.edit("status: draft ", "status: authorised ")


@situation(BOOKS, "a locked period", "Finance has locked the books through tomorrow.")
def locked(desk: Desk) -> None:
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    desk.books("set_lock_date", period=day)
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.ISSUES, "deal:1", "period lock date", "(date)", "Finance must")
    no_invoice(desk, 1)
    says(desk.sync("run", show=False), Exit.ISSUES)
    desk.books("set_lock_date", period=None)
    says(desk.sync("check"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)


@situation(BOOKS, "the plan's invoice limit", "Xero's plan allows no further approved invoice.")
def plan_limit(desk: Desk) -> None:
    _full(desk)
    desk.books("set_plan_cap", cap=0)
    desk.crm("win", deal=1)
    second = desk.won("Second order")
    says(desk.released(), Exit.ISSUES, "organisation", "plan", "limit")
    assert {i["status"] for i in desk.invoices()} == {"DRAFT"}
    one_draft(desk)
    one_draft(desk, second)
    before = len(desk.writes())
    says(desk.sync("run"), Exit.ISSUES)
    says(desk.sync("status"), Exit.ISSUES, "organisation held", "limit of invoices")
    assert len(desk.writes()) == before


@situation(BOOKS, "an unknown account", "invoices.account names an account that is not there.")
def unknown_account(desk: Desk) -> None:
    desk.edit('account: "200"', 'account: "999"')
    says(desk.sync("check"), Exit.CONFIG, "invoices.account", "999", "200 Sales")
    desk.crm("win", deal=1)
    says(desk.released(), Exit.ISSUES, "held")
    says(desk.shown[-2], Exit.GUARD, "deal:1 Healthy order", "999", "invoices.account")
    nothing_made(desk)


@situation(BOOKS, "an unknown tax rate", "A tax rule names a rate that the books do not have.")
def unknown_rate(desk: Desk) -> None:
    desk.edit(
        "    rules: []", '    rules: [{name: standard, when: {percent: 10}, rate: "GTS on Income"}]'
    )
    says(desk.sync("check"), Exit.CONFIG, "invoices.tax", "GTS on Income", "GST on Income")
    desk.crm("win", deal=1)
    deal = desk.won("Taxed order", line("Widget", tax=10))
    says(desk.released(), Exit.ISSUES, "held")
    says(desk.shown[-2], Exit.GUARD, f"deal:{deal} Taxed order", "GTS on Income", "standard")
    one_draft(desk)
    no_invoice(desk, deal)


@situation(BOOKS, "three mistakes at once", "Account, tax rate and pipeline are all misspelled.")
def three_mistakes(desk: Desk) -> None:
    desk.edit('account: "200"', 'account: "999"')
    desk.edit("    rules: []", '    rules: [{name: standard, rate: "GTS on Income"}]')
    desk.edit("pipelines: []", "pipelines: [Sales pipline]")
    says(desk.sync("check"), Exit.CONFIG, "999", "GTS on Income", "Sales pipline")


@situation(BOOKS, "a field that is not there", "crm.fields.total is misspelled in the config.")
def wrong_field(desk: Desk) -> None:
    desk.edit("total: Invoice total", "total: Invoice totl")
    says(desk.sync("check"), Exit.CONFIG, "crm.fields.total", "Invoice totl", "syncjob init")
    desk.crm("win", deal=1)
    says(desk.released(), Exit.ISSUES, "deal:1", "Invoice totl")
    one_draft(desk)


@situation(
    BOOKS, "a field deleted between runs", "Somebody deletes a deal field that is written to."
)
def deleted_field(desk: Desk) -> None:
    desk.crm("delete_field", field="Invoice total")
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.ISSUES, "Invoice total")
    one_draft(desk)
    says(desk.sync("init", "--yes"), Exit.DONE, "Invoice total")
    says(desk.sync("run"), Exit.DONE)
    assert desk.fields(1)["Invoice total"] == "55"

"""HubSpot in Pipedrive's place: what differs when something is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncjob.errors import Exit
from tests.situations.bench import Desk, line
from tests.situations.table import no_invoice, nothing_made, one_draft, says, situation

HUBSPOT = "With HubSpot"


@situation(HUBSPOT, "wrong HubSpot key", "HUBSPOT_ACCESS_TOKEN is not the key.", "hubspot")
def wrong_key(desk: Desk) -> None:
    desk.env["HUBSPOT_ACCESS_TOKEN"] = "0123456789-not-this-one"
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.CREDENTIALS, "HubSpot", "401", "crm.access_token")
    says(desk.sync("check"), Exit.CONFIG, "crm.access_token", "fix:")
    nothing_made(desk)


@situation(HUBSPOT, "a HubSpot scope is missing", "The key may not read line items.", "hubspot")
def missing_scope(desk: Desk) -> None:
    scopes = [s for s in desk.servers.crm.options.scopes if "line_items" not in s]
    desk.crm("set_scopes", scopes=scopes)
    says(desk.sync("check"), Exit.CONFIG, "crm.objects.line_items.read", "Service keys")
    nothing_made(desk)


@situation(HUBSPOT, "HubSpot's day is used up", "HubSpot answers 429 for the day.", "hubspot")
def day_limit(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.fault(
        kind="status", status=429, server="hubspot", times=0, headers={"Retry-After": "86400"}
    )
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    says(desk.sync("run"), Exit.UNREACHABLE, "HubSpot", "Goes on at", tomorrow)
    nothing_made(desk)


@situation(HUBSPOT, "HubSpot is down", "Each call is answered by a page of its gateway.", "hubspot")
def down(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.fault(kind="html", status=502, server="hubspot", times=0)
    says(desk.sync("run"), Exit.UNREACHABLE, "HubSpot", "502")
    desk.servers.faults.clear()
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)


@situation(HUBSPOT, "a HubSpot deal without lines", "A deal without line items is won.", "hubspot")
def no_lines(desk: Desk) -> None:
    org = desk.crm("create_org", name="Empty Pty Ltd")["id"]
    deal = desk.crm("create_deal", title="Empty order", org=org, currency="AUD")["id"]
    desk.crm("win", deal=deal)
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.ISSUES, "Empty order", "no products", "one_line")
    one_draft(desk)
    no_invoice(desk, int(deal))


@situation(
    HUBSPOT, "a HubSpot property that is not there", "crm.fields.total is misspelled.", "hubspot"
)
def wrong_property(desk: Desk) -> None:
    desk.edit("total: Invoice total", "total: Invoice totl")
    says(desk.sync("check"), Exit.CONFIG, "crm.fields.total", "Invoice totl", "syncjob init")


@situation(HUBSPOT, "a HubSpot stage that is not there", "invoices.when has a slip.", "hubspot")
def wrong_stage(desk: Desk) -> None:
    desk.edit("    stages: []", "    stages: [Closed one]")
    says(desk.sync("check"), Exit.CONFIG, "Closed one", "Closed Won")


@situation(HUBSPOT, "why, with HubSpot", "A won deal has its draft.", "hubspot")
def why(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.won("Zero order", line("Filter", quantity=0))
    says(desk.sync("run", show=False), Exit.ISSUES)
    says(desk.sync("why", "1"), Exit.DONE, "is a draft", "HubSpot stored it")

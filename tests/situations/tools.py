"""The operator's tools: what they say when they cannot, or when they find something."""

from __future__ import annotations

from syncjob.errors import Exit
from tests.situations.access import _closed_port
from tests.situations.bench import PATIENCE_S, Desk, line
from tests.situations.table import nothing_made, one_draft, says, situation

FIRST = "First steps"
TOOLS = "The operator's tools"


@situation(FIRST, "init with a wrong token", "PIPEDRIVE_API_TOKEN is not the account's token.")
def init_wrong_token(desk: Desk) -> None:
    desk.config.unlink()
    desk.env["PIPEDRIVE_API_TOKEN"] = "0123456789-not-this-one"
    said = desk.sync("init", "-y", "--sandbox", desk.base)
    says(said, Exit.ISSUES, "refuses the token (401)", "Xero opens the books", "Next: mend")
    desk.env["PIPEDRIVE_API_TOKEN"] = "pd-secret-0123456789abcdef"
    says(desk.sync("init", "-y"), Exit.DONE, "every field", "syncjob plan --deal")
    nothing_made(desk)


@situation(FIRST, "init without network", "Nothing answers at the address that was given.")
def init_no_network(desk: Desk) -> None:
    desk.config.unlink()
    said = desk.sync("init", "-y", "--sandbox", f"http://127.0.0.1:{_closed_port()}")
    says(said, Exit.ISSUES, "no connection can be made", "Next: mend")


@situation(TOOLS, "issues put aside and tried again", "A deal without lines waits.")
def put_aside(desk: Desk) -> None:
    desk.won("Zero order", line("Filter", quantity=0))
    says(desk.sync("run", show=False), Exit.ISSUES)
    says(desk.sync("issues"), Exit.ISSUES, "Zero order", "next:")
    ignored = desk.sync("issues", "ignore", "1", "--until", "3d", "--reason", "a sample")
    says(ignored, Exit.DONE, "put aside until", "what is held stays held")
    says(desk.sync("issues"), Exit.DONE, "Nothing needs a person", "put aside")
    says(desk.sync("issues", "retry", "1"), Exit.DONE, "the next batch tries again")
    says(desk.sync("issues", "ignore", "99", "--until", "3d"), Exit.ISSUES, "99", "Next:")


@situation(TOOLS, "reconcile finds a changed amount", "Finance changed our approved invoice.")
def reconciled(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    invoice = desk.invoices()[0]["id"]
    lines = [{"Description": "Widget", "Quantity": 1, "UnitAmount": 70, "AccountCode": "200"}]
    desk.books("edit_invoice", invoice=invoice, fields={"LineItems": lines})
    desk.books("approve", invoice=invoice)
    desk.advance(PATIENCE_S)
    desk.sync("run", show=False)
    says(desk.sync("reconcile"), Exit.ISSUES, "amounts that differ", "70.00", "next:")


@situation(TOOLS, "a monitor that does not answer", "notices.operator.heartbeat leads nowhere.")
def heartbeat_lost(desk: Desk) -> None:
    desk.edit("heartbeat: ~  ", f"heartbeat: http://127.0.0.1:{_closed_port()}/ping  ")
    says(desk.sync("check"), Exit.DONE, "notices.operator.heartbeat", "fix:")
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.DONE, "created 1 draft")
    one_draft(desk)


@situation(TOOLS, "a backup of another connection", "It is restored over this one's state.")
def foreign_backup(desk: Desk) -> None:
    desk.sync("backup", "--to", "ours.tar.gz", show=False)
    desk.edit('code: "SJ"', 'code: "ZZ"')
    refused = desk.sync("restore", "ours.tar.gz", "--yes")
    assert refused.code != Exit.DONE, refused
    says(refused, Exit(refused.code), "Next:")


@situation(TOOLS, "an edited plan file", "Somebody raised an amount in plan.json.")
def edited_plan(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.sync("plan", "-o", "plan.json", show=False)
    file = desk.folder / "plan.json"
    file.write_text(file.read_text().replace("55.00", "5.00", 1))
    says(desk.sync("apply", "plan.json"), Exit.PLAN_FILE, "syncjob plan -o")
    says(desk.sync("undo", "4711", "--plan"), Exit.ISSUES, "4711")
    nothing_made(desk)

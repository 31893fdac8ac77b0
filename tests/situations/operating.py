"""Running it: guard, pause, two at once, Ctrl-C, restored states, and the commands that look."""

from __future__ import annotations

import shutil
import signal
import time

from syncjob.errors import Exit
from tests.situations.bench import PATIENCE_S, Desk, line
from tests.situations.table import no_invoice, nothing_made, one_draft, says, situation

RUNNING = "Running it"
LOOKING = "Looking"

#: A signal has certainly been heard after this.
SIGNAL_S = 0.3


@situation(RUNNING, "the first batches", "A won deal; then nothing new.")
def twice(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("plan"), Exit.DONE, "Healthy order", "create draft SJ-1-A1 of 55.00 AUD")
    nothing_made(desk)
    says(desk.sync("run"), Exit.DONE, "55.00 AUD")
    one_draft(desk)
    before = desk.writes()
    says(desk.sync("run"), Exit.DONE)
    assert desk.writes() == before


@situation(RUNNING, "a state that is new", "The first run right after `syncjob init`.")
def new_state(desk: Desk) -> None:
    shutil.rmtree(desk.folder / "state")
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.DONE, "this state is new")
    says(desk.sync("plan"), Exit.DONE, "deal:1", "this state is new")
    nothing_made(desk)
    desk.advance(PATIENCE_S)
    says(desk.sync("run"), Exit.DONE, "created 1 draft")
    one_draft(desk)


@situation(RUNNING, "a draft made by mistake", "It is cancelled; a person then approves another.")
def taken_back(desk: Desk) -> None:
    desk.crm("win", deal=1)
    made = desk.sync("run")
    says(made, Exit.DONE, "created 1 draft")
    batch = made.out.partition("Batch ")[2].partition(" ")[0]
    shown = desk.sync("undo", batch)
    says(shown, Exit.DONE, "cannot be undone", "draft created", "syncjob cancel 1")
    cancelled = desk.sync("cancel", "1", "--reason", "ordered twice", "--yes")
    says(cancelled, Exit.DONE, "is deleted", "`syncjob reissue 1` issues it anew")
    says(desk.sync("run"), Exit.ISSUES, "[cancelled]", "ordered twice", "syncjob reissue 1")
    says(desk.sync("reissue", "1"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE, "created 1 draft")
    desk.books("approve", invoice=str(desk.invoices()[-1]["number"]))
    desk.advance(PATIENCE_S)
    desk.sync("run")
    refused = desk.sync("cancel", "1", "--reason", "too late", "--yes")
    says(refused, Exit.ISSUES, "we never void what is approved", "syncjob credit 1 --full")


@situation(RUNNING, "too much at once", "Seven deals are won in the first week; five are allowed.")
def guard(desk: Desk) -> None:
    desk.crm("win", deal=1)
    for number in range(2, 8):
        desk.won(f"Order {number}")
    before = desk.writes()
    stopped = desk.sync("run")
    says(stopped, Exit.GUARD, "7 invoices", "5", "--accept")
    assert desk.writes() == before
    says(desk.sync("run", "--accept", stopped.accept), Exit.DONE, "created 7 drafts")
    assert len(desk.invoices()) == 7


@situation(RUNNING, "a plan that changed", "The accepted plan is not the plan any more.")
def stale(desk: Desk) -> None:
    for number in range(2, 9):
        desk.won(f"Order {number}")
    stopped = desk.sync("run", show=False)
    desk.crm("win", deal=1)
    says(desk.sync("run", "--accept", stopped.accept), Exit.GUARD, "not the accepted one")
    nothing_made(desk)


@situation(RUNNING, "a plan file that is applied", "One deal is lost, one won after the plan.")
def applied(desk: Desk) -> None:
    desk.crm("win", deal=1)
    lost = desk.won("Chairs")
    says(desk.sync("plan", "-o", "plan.json"), Exit.DONE, "syncjob apply plan.json")
    desk.crm("lose", deal=lost)
    desk.won("Desks")
    done = desk.sync("apply", "plan.json")
    says(done, Exit.ISSUES, "the deal is lost, not won", "writes that the plan does not hold")
    one_draft(desk)
    says(desk.sync("apply", "plan.json"), Exit.PLAN_FILE, "was applied already", "syncjob plan -o")
    says(desk.sync("run"), Exit.DONE, "created 1 draft")


@situation(RUNNING, "a plan file of other rules", "The config was changed after the plan.")
def other_rules(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.sync("plan", "-o", "plan.json", show=False)
    desk.edit("default: net 30", "default: net 14")
    refused = desk.sync("apply", "plan.json")
    says(refused, Exit.PLAN_FILE, "The config has changed since", "syncjob plan -o FILE")
    nothing_made(desk)


@situation(RUNNING, "a changed config", "invoices.terms was changed since the last batch.")
def changed_config(desk: Desk) -> None:
    desk.edit("default: net 30", "default: net 14")
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.GUARD, "config", "--accept")
    nothing_made(desk)


@situation(RUNNING, "paused", "Finance paused everything.")
def paused(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("pause", "--reason", "audit week"), Exit.DONE, "audit week")
    says(desk.sync("run"), Exit.PAUSED, "audit week", "`syncjob resume`")
    nothing_made(desk)
    says(desk.sync("resume", "--yes"), Exit.DONE, "Healthy order", "audit week")
    says(desk.sync("run", show=False), Exit.DONE)
    one_draft(desk)


@situation(RUNNING, "invoices paused", "Only invoices are paused; the rest goes on.")
def paused_part(desk: Desk) -> None:
    desk.won("Zero order", line("Filter", quantity=0))
    desk.crm("win", deal=1)
    desk.sync("pause", "--only", "invoices", "--reason", "new price list")
    says(desk.sync("run"), Exit.PAUSED, "new price list", "resume")
    assert not desk.invoices()
    assert desk.fields(2)["Invoice status"] == "held"


@situation(RUNNING, "a STOP file", "Somebody put a file named STOP beside the state.")
def stop_file(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.folder.joinpath("state/STOP").touch()
    says(desk.sync("run"), Exit.PAUSED, "STOP", "Delete it")
    nothing_made(desk)


@situation(RUNNING, "already running", "Another batch works on this connection.")
def already_running(desk: Desk) -> None:
    desk.crm("win", deal=1)
    gate = desk.hold(server="xero", method="GET")
    first = desk.begin("run")
    _wait(lambda: not desk.servers.faults.pending())
    says(desk.sync("run"), Exit.RUNNING, "syncjob")
    says(desk.sync("status"), Exit.DONE, "a batch is running")
    gate.set()
    says(desk.end(first, "run", show=False), Exit.DONE)
    one_draft(desk)


@situation(RUNNING, "Ctrl-C in the middle", "SIGINT while the invoice is being created.")
def interrupted(desk: Desk) -> None:
    desk.crm("win", deal=1)
    gate = desk.hold(method="PUT", path="/Invoices")
    running = desk.begin("run")
    _wait(lambda: not desk.servers.faults.pending())
    running.send_signal(signal.SIGINT)
    time.sleep(SIGNAL_S)
    gate.set()
    says(desk.end(running, "run"), Exit.ISSUES, "on their way were finished", "goes on from here")
    one_draft(desk)
    assert "Invoice status" not in desk.fields(1)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)
    assert desk.fields(1)["Invoice status"] == "draft"


@situation(RUNNING, "yesterday's state", "The state file was restored from before the last batch.")
def restored(desk: Desk) -> None:
    backup = desk.folder.joinpath("state/syncjob.db").read_bytes()
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    for name in ("syncjob.db-wal", "syncjob.db-shm"):
        desk.folder.joinpath("state", name).unlink(missing_ok=True)
    desk.folder.joinpath("state/syncjob.db").write_bytes(backup)
    second = desk.won("Second order")
    says(desk.sync("run"), Exit.DONE)
    no_invoice(desk, second)
    desk.advance(PATIENCE_S)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)
    one_draft(desk, second)
    assert len(desk.invoices()) == 2


@situation(RUNNING, "another instance", "An invoice bears our marker that this state never made.")
def another_instance(desk: Desk) -> None:
    second = desk.won("Second order")
    desk.books("create_contact", fields={"Name": "Second order Pty Ltd"})
    made = {
        "Contact": {"Name": "Second order Pty Ltd"},
        "Reference": f"SJ-{second}-A1",
        "LineItems": [{"Description": "Widget", "UnitAmount": 50, "AccountCode": "200"}],
    }
    desk.books("create_invoice", fields=made)
    desk.crm("win", deal=1)
    says(desk.sync("run"), Exit.ISSUES, "another instance is running", "resolve connection")
    no_invoice(desk, 1)
    says(desk.sync("resolve", "connection", "--only-instance", "--reason", "test VM"), Exit.DONE)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)
    assert len(desk.invoices()) == 2


@situation(RUNNING, "a deal that is not there", "`--deal` and `resolve` name a deal nobody knows.")
def no_such_deal(desk: Desk) -> None:
    says(desk.sync("run", "--deal", "4711"), Exit.ISSUES, "no deal 4711", "Next:")
    says(desk.sync("resolve", "deal", "4711", "--create"), Exit.ISSUES, "4711", "Next:")
    desk.crm("win", deal=1)
    deal = str(desk.won("Typed order", fields={"Invoice number": "INV-4711"}))
    says(desk.sync("run", show=False), Exit.ISSUES)
    says(desk.sync("resolve", "deal", deal, "--link", "INV-4711"), Exit.ISSUES, "INV-4711")
    says(desk.sync("reissue", "1"), Exit.ISSUES, "still has its invoice")
    nothing = desk.sync("resolve", "deal", "1")
    says(nothing, Exit.CONFIG, "--create, --never, --link NUMBER or --reissue")


@situation(RUNNING, "a full disk", "No further byte can be written beside the state.")
def full_disk(desk: Desk) -> None:
    desk.crm("win", deal=1)
    desk.file_bytes_max = desk.folder.joinpath("state/syncjob.db").stat().st_size
    shown = desk.sync("run")
    says(shown, Exit.STATE, "state", "Next:")
    desk.file_bytes_max = None
    assert len(desk.invoices()) <= 1
    desk.advance(PATIENCE_S)
    says(desk.sync("run"), Exit.DONE)
    one_draft(desk)


@situation(LOOKING, "status and log before any batch", "Nothing has run yet.")
def fresh(desk: Desk) -> None:
    shutil.rmtree(desk.folder / "state")
    shutil.rmtree(desk.folder / "log")
    says(desk.sync("status"), Exit.DONE, "not seen yet", "none yet")
    says(desk.sync("log"), Exit.DONE, "no batch yet")


@situation(LOOKING, "status with fifty issues", "Forty deals of one mistake, ten of another.")
def fifty(desk: Desk) -> None:
    org = desk.crm("create_org", name="Many Pty Ltd")["id"]
    for number in range(40):
        desk.won(f"Zero order {number + 1}", line("Filter", quantity=0), org=org)
    for number in range(10):
        desk.won(f"Oslo order {number + 1}", org=org, currency="NOK")
    says(desk.sync("run", show=False), Exit.ISSUES)
    shown = desk.sync("status")
    says(shown, Exit.ISSUES, "40", "quantity 0", "NOK", "--all")
    assert len(shown.out.splitlines()) < 60
    says(desk.sync("status", "--all", show=False), Exit.ISSUES, "Zero order 40", "Oslo order 10")


@situation(
    LOOKING, "why there is no invoice", "A deal is left out by a rule; another was never read."
)
def why_none(desk: Desk) -> None:
    org = desk.crm("create_org", name="Early Pty Ltd")["id"]
    early = desk.crm("create_deal", title="Early order", currency="AUD", org=org)["id"]
    desk.crm("win", deal=early, won_time="2020-01-02T09:00:00Z")
    says(desk.sync("run", show=False), Exit.DONE)
    asked = desk.sync("why", "deal", str(early))
    says(asked, Exit.DONE, "No invoice, because of the rule invoices.won_since", "Next:")
    says(desk.sync("why", "4711"), Exit.ISSUES, "No batch has read deal 4711", "--fresh", "Next:")
    says(desk.sync("why", "order"), Exit.ISSUES, "Early order", "Healthy order", "Next:")


@situation(LOOKING, "why it is a draft, and what was written", "A won deal has its draft.")
def why_draft(desk: Desk) -> None:
    desk.crm("win", deal=1)
    says(desk.sync("run", show=False), Exit.DONE)
    asked = desk.sync("why", "1")
    says(asked, Exit.DONE, "is a draft", "the rules decided", "Xero stored it", "approve it in the")
    says(desk.sync("history", "1"), Exit.DONE, "create draft SJ-1-A1", "because", "Xero stored it")


def _wait(until: object) -> None:
    """Until another process has come that far."""
    assert callable(until)
    for _ in range(600):
        if until():
            return
        time.sleep(0.02)
    raise AssertionError("it never came that far")

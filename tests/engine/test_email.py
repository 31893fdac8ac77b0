"""E-mail by the ledger: off, then approved invoices only, once each, within its limits."""

from __future__ import annotations

import pytest

from syncjob.transport.client import HttpChannel
from tests.engine.scenes import (
    codes,
    invoice_of,
    minutes,
    number_of,
    quiet,
    sell,
    writes_to,
)
from tests.engine.world import World

FULL = {"mode": "full", "invoices": {"status": "authorised", "email": {"enabled": True}}}


def world(folder, config=FULL, **more) -> World:
    w = World(folder, config=config, **more)
    w.init()
    return w


@pytest.fixture
def w(tmp_path):
    made = world(tmp_path)
    yield made
    made.close()


def emails(w: World) -> list[dict]:
    return w.organisation()["emails"]


def sold(w: World, name: str = "Acme Pty", email: str = "pay@acme.test") -> int:
    """A won deal of a customer with this address."""
    known = {row["name"] for row in w.crm_state()["organizations"].values()}
    if name not in known:
        w.crm("create_org", name=name)
        w.crm("create_person", name=f"Pat of {name}", org=name, emails=[email])
    return sell(w, name, person=f"Pat of {name}")


def test_an_approved_invoice_is_emailed_once_as_its_own_step(w):
    deal = sold(w)
    mark = w.mark()
    w.run()
    invoice = invoice_of(w, deal)
    assert (invoice["status"], invoice["sent"]) == ("AUTHORISED", True)
    assert [m["To"] for m in emails(w)] == ["pay@acme.test"]
    assert len(writes_to(w, mark, "/Email")) == 1
    quiet(w)
    minutes(w, 60)
    w.run()
    assert len(emails(w)) == 1


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "full", "invoices": {"status": "authorised"}},
        FULL | {"mode": "drafts_only"},
        {"mode": "full", "invoices": {"status": "draft", "email": {"enabled": True}}},
    ],
)
def test_off_by_default_never_below_full_and_never_a_draft(tmp_path, config):
    w = world(tmp_path, config)
    deal = sold(w)
    w.run()
    if config["mode"] == "drafts_only":
        w.books("approve", invoice=number_of(w, deal))
        minutes(w, 5)
        w.run()
    assert emails(w) == []
    w.close()


def test_a_demo_organisation_sends_nothing(tmp_path):
    w = world(tmp_path, ledger={"demo": True})
    deal = sold(w)
    w.run()
    assert invoice_of(w, deal)["status"] == "AUTHORISED"
    assert emails(w) == []
    w.close()


def test_what_a_person_approves_is_emailed_and_what_a_person_sent_is_not(tmp_path):
    w = world(tmp_path, {"mode": "full", "invoices": {"email": {"enabled": True}}})
    one, other = sold(w), sold(w, "Bolt Ltd", "pay@bolt.test")
    w.run()
    w.books("approve", invoice=number_of(w, one))
    w.books("approve", invoice=number_of(w, other))
    w.books("mark_sent", invoice=number_of(w, other))
    minutes(w, 5)
    w.run()
    assert [m["To"] for m in emails(w)] == ["pay@acme.test"]
    quiet(w)
    w.close()


def test_older_invoices_are_not_emailed_when_it_is_switched_on(tmp_path):
    w = world(tmp_path, {"mode": "full", "invoices": {"status": "authorised"}})
    sold(w)
    w.run()
    minutes(w, 24 * 60)
    w.overrides = FULL
    for _ in range(3):
        w.run(accept=w.plan().hash)
        minutes(w, 20)
    sold(w, "Bolt Ltd", "pay@bolt.test")
    w.run(accept=w.plan().hash)
    minutes(w, 5)
    w.run()
    assert [m["To"] for m in emails(w)] == ["pay@bolt.test"]
    w.close()


def test_the_daily_cap_lets_the_rest_go_tomorrow(tmp_path):
    config = {
        "mode": "full",
        "invoices": {"status": "authorised", "email": {"enabled": True, "daily_cap": 2}},
    }
    w = world(tmp_path, config)
    for n in range(3):
        sold(w, f"Customer {n}", f"pay@c{n}.test")
    w.run()
    assert len(emails(w)) == 2
    assert {f["Invoice status"] for f in map(w.deal_fields, (1, 2, 3))} == {"awaiting payment"}
    quiet(w)
    minutes(w, 24 * 60)
    w.run()
    minutes(w, 20)
    w.run()
    assert len(emails(w)) == 3
    w.close()


def test_the_ledgers_own_cap_lets_all_emails_rest(tmp_path):
    w = world(tmp_path, ledger={"email_cap": 1})
    for n in range(3):
        sold(w, f"Customer {n}", f"pay@c{n}.test")
    report = w.run()
    assert len(emails(w)) == 1
    assert "email_cap" in codes(report)
    mark = w.mark()
    minutes(w, 5)
    w.run()
    assert writes_to(w, mark, "/Email") == []
    w.close()


def test_trials_reach_only_the_allowed_domains_copies_included(tmp_path):
    config = {
        "mode": "full",
        "invoices": {
            "status": "authorised",
            "email": {"enabled": True, "allow_domains": ["Ours.test"]},
        },
    }
    w = world(tmp_path, config)
    sold(w)
    sold(w, "Ours Ltd", "pay@ours.test")
    mixed = sold(w, "Mixed Ltd", "mix@ours.test")
    w.books(
        "create_contact",
        fields={
            "Name": "Mixed Ltd", "EmailAddress": "mix@ours.test",
            "ContactPersons": [
                {"FirstName": "Al", "EmailAddress": "al@theirs.test", "IncludeInEmails": True}
            ],
        },
    )  # fmt: skip
    w.run()
    assert invoice_of(w, mixed)["status"] == "AUTHORISED"
    assert [m["To"] for m in emails(w)] == ["pay@ours.test"]
    assert codes(quiet(w)) == []
    w.close()


def test_not_within_a_day_of_a_change_of_address(tmp_path):
    w = world(tmp_path, {"mode": "full", "invoices": {"email": {"enabled": True}}})
    deal = sold(w)
    w.run()
    w.books("edit_contact", contact="Acme Pty", fields={"EmailAddress": "thief@evil.test"})
    w.books("approve", invoice=number_of(w, deal))
    minutes(w, 5)
    w.run()
    assert emails(w) == []
    minutes(w, 23 * 60)
    w.run()
    assert emails(w) == []
    minutes(w, 90)
    w.run()
    assert len(emails(w)) == 1
    w.close()


def test_a_contact_without_address_is_told_and_is_sent_later(w):
    deal = sell(w)
    assert codes(w.run()) == ["email_not_sent"]
    w.books("edit_contact", contact="Acme Pty", fields={"EmailAddress": "pay@acme.test"})
    minutes(w, 5)
    w.run()
    minutes(w, 26 * 60)
    for _ in range(2):
        report = w.run()
        minutes(w, 20)
    assert codes(report) == []
    assert [m["InvoiceID"] for m in emails(w)] == [invoice_of(w, deal)["id"]]


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ({"kind": "lost", "times": 2}, 1),
        ({"kind": "lost"}, 1),  # the replay is answered from the ledger's memory
        ({"kind": "status", "status": 500, "when": "after"}, 1),
        ({"kind": "refuse"}, 1),  # nothing left, so it goes in the next batch
    ],
)
def test_a_lost_answer_sends_no_second_email(w, fault, sent):
    sold(w)
    w.fault(server="xero", method="POST", path="/Email$", **fault)
    for _ in range(4):
        w.run()
        minutes(w, 10)
    assert len(emails(w)) == sent
    assert "email_unknown" not in codes(w.run())
    quiet(w)


def test_one_of_which_nobody_knows_is_told_and_never_sent_again(w):
    deal = sold(w)
    w.fault(server="xero", method="POST", path="/Email$", kind="status", status=500)
    for _ in range(4):
        report = w.run()
        minutes(w, 10)
    assert emails(w) == []
    assert "email_unknown" in codes(report)
    mark = w.mark()
    w.books("mark_sent", invoice=number_of(w, deal))
    minutes(w, 5)
    assert "email_unknown" not in codes(w.run())
    assert writes_to(w, mark, "/Email") == []


def test_a_process_that_dies_after_the_send_sends_no_second(w, monkeypatch):
    sold(w)
    sent = HttpChannel.write_all

    def die(self, calls):
        answers = sent(self, calls)
        if calls[0].request.url.endswith("/Email"):
            raise KeyboardInterrupt
        return answers

    with monkeypatch.context() as patched:
        patched.setattr(HttpChannel, "write_all", die)
        with pytest.raises(KeyboardInterrupt):
            w.run()
    for _ in range(3):
        minutes(w, 10)
        w.run()
    assert len(emails(w)) == 1


def test_an_invoice_that_was_paid_meanwhile_is_not_emailed(tmp_path):
    w = world(tmp_path, {"mode": "full", "invoices": {"email": {"enabled": True}}})
    deal = sold(w)
    w.run()
    number = number_of(w, deal)
    w.books("approve", invoice=number)
    w.books("pay", invoice=number)
    minutes(w, 5)
    w.run()
    assert emails(w) == []
    w.close()


def test_a_pause_of_invoices_holds_the_emails_too(w):
    deal = sold(w)
    with w.connection() as handle:
        handle.pause(only="invoices", until=None, reason="audit", who="Ann")
    w.run()
    assert emails(w) == []
    with w.connection() as handle:
        handle.resume(only="all", who="Ann")
    minutes(w, 5)
    w.run()
    assert len(emails(w)) == 1
    assert invoice_of(w, deal)["sent"]


@pytest.mark.parametrize("demo", [False, True])
def test_check_says_when_no_email_can_go(tmp_path, demo):
    mode = "full" if demo else "drafts_only"
    w = world(tmp_path, FULL | {"mode": mode}, ledger={"demo": demo})
    with w.connection() as handle:
        found = {problem.where: problem.what for problem in handle.check()}
    assert "none is" in found["invoices.email.enabled"]
    assert ("demo organisation" in found["invoices.email.enabled"]) is demo
    w.close()

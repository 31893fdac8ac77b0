"""Whether the ledger may e-mail an invoice: every condition by itself, and a table of all."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from syncjob.core.actions import InvoiceEmail
from syncjob.core.policy_after import Email
from syncjob.core.records import Contact, Invoice
from syncjob.core.rules.mailing import Mailing, NotYet, may_email

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SYDNEY = ZoneInfo("Australia/Sydney")


def invoice(**more) -> Invoice:
    given = {
        "id": "i1", "kind": "sale", "status": "authorised", "currency": "AUD", "contact_id": "c1",
        "number": "INV-1", "date": TODAY, "total": Decimal(110), "due": Decimal(110),
    }  # fmt: skip
    return Invoice(**{**given, **more})


def contact(*emails: str, copied: tuple[str, ...] = ()) -> Contact:
    return Contact(id="c1", kind="contact", name="Acme", emails=emails, copied=copied)


def mailing(**more) -> Mailing:
    policy = Email(enabled=True, **more.pop("policy", {}))
    return Mailing(**{"policy": policy, "since": TODAY, "now": NOW, "zone": SYDNEY, **more})


def ask(of=None, to=None, mailed=None, changed=None, rules=None, mode="full"):
    return may_email(
        of or invoice(), contact("pay@acme.test") if to is None else to, mailed, changed,
        rules or mailing(), mode, TODAY,
    )  # fmt: skip


def test_an_approved_invoice_goes():
    assert ask() == InvoiceEmail(invoice_id="i1")


@pytest.mark.parametrize("status", ["draft", "submitted", "paid", "voided", "deleted"])
def test_nothing_but_an_approved_one(status):
    assert ask(invoice(status=status)) is None


@pytest.mark.parametrize(
    "given",
    [
        {"of": invoice(sent=True)},
        {"of": invoice(due=Decimal(0))},
        {"mailed": "sent"},
        {"mailed": "unknown"},
        {"of": invoice(date=TODAY - timedelta(days=1))},
        {"of": invoice(date=None)},
        {"rules": mailing(since=None)},
        {"rules": Mailing(policy=Email())},
    ],
)
def test_no_question_at_all(given):
    assert ask(**given) is None


def test_every_combination_of_mode_demo_and_wait_sends_only_where_all_allow_it():
    for mode, demo, wait in itertools.product(
        ("read_only", "drafts_only", "full"), (False, True), (None, "the limit")
    ):
        answer = ask(mode=mode, rules=mailing(demo=demo, wait=wait))
        sends = isinstance(answer, InvoiceEmail)
        assert sends == (mode == "full" and not demo and wait is None)


def test_after_a_change_of_address_a_day_passes():
    for hours in range(24):
        answer = ask(changed=NOW - timedelta(hours=hours))
        assert isinstance(answer, NotYet)
        assert answer.on is not None
        assert answer.on >= TODAY
    assert isinstance(ask(changed=NOW - timedelta(hours=24)), InvoiceEmail)


def test_no_address_needs_a_person():
    answer = ask(to=contact())
    assert isinstance(answer, NotYet)
    assert answer.needs_person


@pytest.mark.parametrize(
    ("to", "sends"),
    [
        (contact("a@ours.test"), True),
        (contact("a@OURS.test", copied=("b@ours.test",)), True),
        (contact("a@theirs.test"), False),
        (contact("a@ours.test", copied=("b@theirs.test",)), False),
        (contact("a@ours.test.evil.test"), False),
        (contact("a@notours.test"), False),
        (contact('"x@ours.test"@evil.test'), False),
    ],
)
def test_trials_stay_within_their_domains(to, sends):
    rules = mailing(policy={"allow_domains": ("ours.test",)})
    assert isinstance(ask(to=to, rules=rules), InvoiceEmail) is sends


@pytest.mark.parametrize("wrong", ["a@b.test", "localhost", ".", ""])
def test_a_domain_is_a_domain(wrong):
    with pytest.raises(ValueError, match="domains"):
        Email(allow_domains=(wrong,))

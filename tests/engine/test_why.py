"""`why` tells each record's story from the state: the sentence, what is awaited, the next step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from syncjob.core.story import Story, WhyReport
from tests.engine.scenes import answer, minutes, number_of, sell
from tests.engine.world import World

#: A month on: invoices of 23 November are overdue.
LATE = datetime(2026, 12, 28, 1, 0, tzinfo=UTC)
CONFIG: dict[str, Any] = {
    "crm": {"inputs": {"do_not_invoice": "No invoice"}},
    "invoices": {
        "when": {"pipelines": ["Pipeline"]},
        "exclude": {"titles": ["*test*"], "value_above": "50000", "organizations": ["Ourselves"]},
    },
    "notices": {"steps": [1, 7]},
}


def ask(w: World, text: str, **how: Any) -> WhyReport:
    with w.connection() as handle:
        return handle.why(text, **how)


def story(w: World, text: object, **how: Any) -> Story:
    found = ask(w, str(text), **how)
    assert found.story is not None, found
    return found.story


class Case(NamedTuple):
    """What is asked of the firm below, the words of the answer, and those of the next step."""

    name: str
    answer: tuple[str, ...]
    step: str
    awaited: str = ""


#: The firm's records (the names are made by `_firm`).
CASES = (
    Case("paid", ("is paid (110.00 AUD received, last on 2026-11-24)",), "Nothing"),
    Case("part paid", ("is part-paid: 40.00 AUD was received; 70.00 AUD", "5 days overdue"),
         "once a payment stands on INV-", "payment of 70.00 AUD"),
    Case("unpaid", ("is unpaid: no payment stands on it in the ledger; 110.00 AUD was due on "
                    "2026-12-23 (5 days overdue)",), "once a payment stands on"),
    Case("unapplied", ("the customer has 90.00 AUD that nobody has applied to it",),
         "Apply the customer's 90.00 AUD to INV-"),
    Case("credited", ("was credited, so nothing is to pay; no cash was received",), "Nothing"),
    Case("part credited", ("is part-credited: 30.00 AUD was credited; 80.00 AUD",),
         "once a payment stands on"),
    Case("submitted", ("was submitted in the ledger, and a person there approves it",),
         "approve it in the ledger", "a person's approval"),
    Case("young", ("is unpaid", "110.00 AUD is due on 2027-01-27."), "once a payment stands on",
         "counts as overdue if unpaid"),
    Case("draft", ("of 110.00 AUD is a draft.", "A person approves it in the ledger"),
         "Look INV-", "a person's approval of INV-"),
    Case("touched", ("is a draft.",), "Look INV-"),
    Case("voided", ("No invoice, held: Its earlier invoice (generation 1) was voided by a person.",
                    "was voided."), "syncjob reissue"),
    Case("reopened", ("No invoice, because the deal is open, not won.", "was deleted."),
         "once it is won"),
    Case("reopened paid", ("The deal is open now, but its invoice", "is paid"), "--never"),
    Case("open", ("No invoice, because the deal is open, not won.",), "once it is won"),
    Case("lost", ("No invoice, because the deal is lost, not won.",), "Nothing"),
    Case("early", ("because of the rule invoices.won_since: It was first won on 2026-10-20, before "
                   "invoices.won_since (2026-11-01).",), "by hand"),
    Case("elsewhere", ("No invoice, because of the rule invoices.when: It is in pipeline "
                       '"Partners", stage "New", which invoices.when does not name.',),
         "name its pipeline or stage in invoices.when"),
    Case("test", ('because of the rule invoices.exclude.titles: Its title matches "*test*".',),
         "invoices.exclude.titles"),
    Case("huge", ("Its value 60000 is above 50000.",), "invoices.exclude.value_above"),
    Case("ourselves", ('Its organization is "Ourselves".',), "invoices.exclude.organizations"),
    Case("flagged", ('Its field "No invoice" says "internal".',), 'Empty the field "No invoice"'),
    Case("nobody", ("No invoice, held: The deal has neither an organization nor a person",),
         "Set the deal's organization"),
    Case("bare", ("No invoice, held:", "no products"), "product"),
    Case("foreign", ("No invoice, held:", "NOK"), "NOK"),
    Case("double", ("No invoice, held: Possible double of HAND-1",), "--link HAND-1"),
    Case("never", ("A person decided that this deal is never invoiced.",), "--create"),
    Case("linked", ("HAND-2 of 55.00 AUD is unpaid",), "once a payment stands on HAND-2"),
    Case("archived", ("The deal was won, and archived before it had an invoice.",), "Un-archive"),
    Case("fresh win", ("No invoice yet: the next batch makes it (110.00 AUD).",), "`syncjob run`"),
    Case("by hand", ("HAND-3 of 77.00 AUD is a draft. No deal is tied to it: a person made it",),
         "syncjob link DEAL HAND-3"),
    Case("customer", ("are linked as one. Contacts are not synced (contacts.update: off)",),
         "contacts.update"),
    Case("ledger only", ("No record of the CRM is linked with this ledger contact",), "Nothing"),
)  # fmt: skip


def _hand(w: World, number: str, amount: int, **fields: Any) -> str:
    """What a bookkeeper makes without any deal; its id."""
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
    made = w.books("create_invoice", fields={
        "Contact": {"Name": "Byhand Pty"}, "Date": "2026-12-27", "DueDate": "2027-01-26",
        "InvoiceNumber": number, "LineItems": [line], **fields,
    })  # fmt: skip
    return str(made["done"]["id"])


def _old(w: World) -> dict[str, int]:
    """Deals of November with invoices that people have done something with since."""
    made = {
        name: sell(w, f"{name.title()} Pty")
        for name in ("paid", "part paid", "unpaid", "unapplied", "credited", "part credited",
                     "submitted", "touched", "voided", "reopened", "reopened paid", "customer")
    }  # fmt: skip
    assert w.run().exit_code == 0
    number = {name: number_of(w, deal) for name, deal in made.items()}
    for name in ("paid", "part paid", "unpaid", "unapplied", "credited", "part credited",
                 "voided", "reopened paid"):  # fmt: skip
        w.books("approve", invoice=number[name])
    w.books("pay", invoice=number["paid"], date="2026-11-24")
    w.books("pay", invoice=number["part paid"], amount="40", date="2026-11-30")
    w.books("pay", invoice=number["reopened paid"])
    w.books("credit", invoice=number["unapplied"], amount="90", allocate=False)
    w.books("credit", invoice=number["credited"], amount="110")
    w.books("credit", invoice=number["part credited"], amount="30")
    w.books("submit", invoice=number["submitted"])
    w.books("edit_invoice", invoice=number["touched"], fields={"DueDate": "2027-02-01"})
    w.books("void", invoice=number["voided"])
    w.crm("reopen", deal=made["reopened"])
    w.crm("reopen", deal=made["reopened paid"])
    minutes(w, 5)
    w.run()
    return made


def _new(w: World) -> dict[str, int]:
    """Deals of today that become no invoice, or a draft."""
    made = {
        "draft": sell(w, "Draft Pty"), "open": sell(w, "Open Pty", won=False),
        "lost": sell(w, "Lost Pty", won=False), "early": sell(w, "Early Pty", won=False),
        "elsewhere": sell(w, "Elsewhere Pty", pipeline="Partners"),
        "test": sell(w, "Tester Pty", title="A test order"),
        "huge": sell(w, "Huge Pty", lines=[{"name": "W", "price": 60000, "quantity": 1}]),
        "ourselves": sell(w, "Ourselves"), "nobody": sell(w, org=None),
        "flagged": sell(w, "Flagged Pty", fields={"No invoice": "internal"}),
        "bare": sell(w, "Bare Pty", lines=[]), "foreign": sell(w, "Oslo Pty", currency="NOK"),
        "archived": sell(w, "Archive Pty"), "young": sell(w, "Young Pty"),
        "never": sell(w, org=None), "double": sell(w, "Byhand Pty"),
        "linked": sell(w, "Byhand Pty", lines=[{"name": "W", "price": 50, "tax": 10}]),
    }  # fmt: skip
    w.crm("lose", deal=made["lost"])
    w.crm("win", deal=made["early"], won_time="2026-10-20T09:00:00Z")
    w.crm("archive_deal", deal=made["archived"])
    return made


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[str, str]]]:
    """A firm with a deal in each of the states, and what to ask for it by."""
    w = World(tmp_path_factory.mktemp("firm"), config=CONFIG)
    w.crm("create_field", name="No invoice")
    w.crm("create_pipeline", name="Partners", stages=["New"])
    w.init()
    made = _old(w)
    w.advance(LATE - w.clock.now())
    w.run()  # the gap since the last batch makes it careful
    minutes(w, 20)
    w.run()
    w.books("create_contact", fields={"Name": "Byhand Pty"})
    alone = {"Name": "Alone Pty", "EmailAddress": "alone@pty.example"}
    w.books("create_contact", fields=alone)
    for number, amount in (("HAND-1", 100), ("HAND-2", 50), ("HAND-3", 70)):
        _hand(w, number, amount, Status="DRAFT" if number == "HAND-3" else "AUTHORISED")
    made |= _new(w)
    w.run()
    answer(w, "never", made["never"])
    answer(w, "link:HAND-2", made["linked"])
    w.books("approve", invoice=number_of(w, made["young"]))
    minutes(w, 5)
    w.run()
    minutes(w, 65)  # archived deals are read once an hour
    w.run()
    minutes(w, 20)
    w.run()
    made["fresh win"] = sell(w, "Fresh Pty")
    asked = {name: f"deal {deal}" for name, deal in made.items()}
    minutes(w, 5)
    with w.connection() as handle:
        handle.pause(only="all", until=None, reason="a look first", who="Zoe")
    w.run()
    with w.connection() as handle:
        handle.resume(only="all", who="Zoe")
    yield w, asked | {
        "by hand": "HAND-3", "customer": "contact Customer Pty",
        "ledger only": "alone@pty.example",
    }  # fmt: skip
    w.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_and_the_next_step(firm: tuple[World, dict[str, str]], case: Case) -> None:
    w, asked = firm
    mark = w.mark()
    told = story(w, asked[case.name])
    for words in case.answer:
        assert words in told.answer, told.answer
    assert case.step in told.next_step, told.next_step
    assert not case.awaited or any(case.awaited in one.text for one in told.awaited), told.awaited
    assert w.since(mark) == []  # no vendor is asked
    assert told.last_batch is not None
    assert told.next_batch is not None
    assert not told.fresh


def test_what_happened_is_told_in_order(firm: tuple[World, dict[str, str]]) -> None:
    w, asked = firm
    told = story(w, asked["part paid"])
    number = number_of(w, int(told.subject.removeprefix("deal:")))
    texts = [event.text for event in told.events]
    steps = (
        "won in the CRM", "the rules decided", "create customer Part Paid Pty",
        f"Xero stored it as {number}", "the invoice is: draft: Pipedrive stored it",
        f"a payment of 40.00 AUD stands on {number}", "told ",
    )  # fmt: skip
    places = [next(n for n, text in enumerate(texts) if words in text) for words in steps]
    assert places == sorted(places), texts
    ruled = next(event for event in told.events if event.kind == "ruled")
    assert any('account 200 "Sales", because invoices.account' in one for one in ruled.details)
    assert any("dated 2026-11-23, due 2026-12-23, because" in one for one in ruled.details)
    heard = next(event for event in told.events if event.kind == "told")
    assert f"by task of {number}: 1 day after 2026-12-23" in heard.text


def test_why_it_says_unpaid(firm: tuple[World, dict[str, str]]) -> None:
    w, asked = firm
    deal = asked["part paid"].removeprefix("deal ")
    told = story(w, number_of(w, int(deal)))
    assert (told.kind, told.subject) == ("invoice", f"deal:{deal}")
    now = told.invoices[0]
    assert (str(now.total), str(now.paid), str(now.due)) == ("110.00", "40.00", "70.00")
    assert [(str(s.amount), str(s.date)) for s in now.settlements] == [("40.00", "2026-11-30")]
    assert (now.word, now.days_overdue, str(now.due_date)) == ("part-paid", 5, "2026-12-23")
    assert now.read_at is not None
    assert now.stamp is not None
    assert now.page is not None
    assert now.unapplied == 0
    assert told.next_batch is not None


def test_every_way_to_name_a_record(firm: tuple[World, dict[str, str]]) -> None:
    w, asked = firm
    deal = asked["part paid"].removeprefix("deal ")
    number, payments = number_of(w, int(deal)), w.organisation()["payments"]
    invoice = next(i for i in w.invoices() if i["number"] == number)
    rows = payments.values() if isinstance(payments, dict) else payments
    payment = next(p for p in rows if Decimal(str(p["amount"])) == 40)
    page = story(w, number).page
    ways = (
        deal, f"#{deal}", f"deal {deal}", f"deal:{deal}", f"Deal #{deal}", number.lower(),
        f"invoice {number}", f"SJ-{deal}-A1", f"PO 7 SJ-{deal}-A1", invoice["id"],
        f"payment {payment['id']}", payment["id"], str(page),
        f"https://go.xero.com/app/!abc/invoicing/view/{invoice['id']}",
        f"https://acme.pipedrive.com/deal/{deal}", f"{w.base}/pipedrive/deal/{deal}",
        f"{w.base}/pipedrive/deal/{deal}?syncjob=SJ-{deal}-A1",
    )  # fmt: skip
    assert {way: story(w, way).subject for way in ways} == dict.fromkeys(ways, f"deal:{deal}")


def test_every_way_to_name_a_customer(firm: tuple[World, dict[str, str]]) -> None:
    w, _ = firm
    told = story(w, "contact Customer Pty")
    key = told.subject.removeprefix("contact:")
    ledger = next(c["id"] for c in w.contacts() if c["name"] == "Customer Pty")
    ways = (
        key, f"contact {key}", f"contact:{key}", "customer pty", "Customer  Pty",
        "contact customer",
        f"SJ-O{key.removeprefix('org:')}", ledger, f"ledger:{ledger}", key.replace(":", " "),
        f"https://go.xero.com/app/contacts/contact/{ledger}",
        f"https://acme.pipedrive.com/organization/{key.removeprefix('org:')}",
    )  # fmt: skip
    assert {way: story(w, way).subject for way in ways} == dict.fromkeys(ways, told.subject)


UNKNOWN = (
    ("deal 99999", "No batch has read deal 99999.", "--fresh"),
    ("99999", "No batch has read deal 99999.", "--fresh"),
    ("invoice INV-9999", 'Nothing that was read is called "invoice INV-9999".', "a deal's number"),
    ("org:999", "No batch has read contact org:999.", "syncjob run"),
    ("zzz", 'Nothing that was read is called "zzz".', "the address of its page"),
    ("https://example.com/deal/1", "This page shows no record that syncjob keeps.", "number"),
    ("https://go.xero.com/app/invoicing/view/00000000-0000-4000-8000-000000000000",
     "No batch has read invoice 00000000", "syncjob run"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "words", "step"), UNKNOWN)
def test_what_nobody_knows(
    firm: tuple[World, dict[str, str]], text: str, words: str, step: str
) -> None:
    w, _ = firm
    report = ask(w, text)
    assert report.story is None
    assert words in report.words
    assert step in report.next_step
    assert not report.candidates


def test_several_records_of_one_name_are_all_offered(firm: tuple[World, dict[str, str]]) -> None:
    w, _ = firm
    report = ask(w, "spring order")
    assert report.story is None
    assert len(report.candidates) > 5
    assert report.candidates[0].ask == "deal 1"
    assert ask(w, report.candidates[0].ask).story is not None
    alike = ask(w, "Pty")
    assert alike.words == 'No record is called exactly "Pty"; these are alike.'
    assert {one.subject.partition(":")[0] for one in alike.candidates} == {"contact"}
    one = ask(w, "part credited")
    assert one.words.startswith("Taken as org:")
    assert one.story is not None

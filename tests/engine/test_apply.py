"""Exactly the plan that a person saw is written, and of what changed meanwhile nothing.

Judged from what the servers hold and which writes they were sent.
"""

from __future__ import annotations

from pathlib import Path

from tests.engine.applying import apply, codes_of, fates, plan_text
from tests.engine.contacts import kit
from tests.engine.scenes import invoice_of, minutes, only, quiet, sell
from tests.engine.test_revision import rows
from tests.engine.world import World


def test_a_plan_is_applied_as_it_was_shown(world: World) -> None:
    deal = sell(world)
    text = plan_text(world)
    mark = world.mark()
    report = apply(world, text)
    assert report.counts == {"done": 3}
    assert (report.left, codes_of(report)) == (0, {})
    assert invoice_of(world, deal)["status"] == "DRAFT"
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    assert len(world.writes(mark)) == 3
    quiet(world)


#: Customers whose main person has an e-mail address that both sides hold.
PEOPLE = {"Berry Ltd": "Bea", "Cedar Inc": "Cid", "Dill Co": "Dot"}
SOLD = ("Same Pty", "Value Pty", "Lost Pty", "Hand Pty")


def firm(w: World) -> dict[str, int]:
    """Three customers at rest whose e-mail address then changes in the books, and four wins."""
    for name, first in PEOPLE.items():
        w.crm("create_org", name=name, address=kit.ADDRESS)
        w.crm("create_person", org=name, name=f"{first} Smith", email=f"{first.lower()}@old.test")
        sell(w, name, person=f"{first} Smith")
    kit.batch(w)
    kit.at_rest(w)
    sold = {name: sell(w, name, title=f"For {name}") for name in SOLD}
    for name, first in PEOPLE.items():
        kit.edit(w, name, EmailAddress=f"{first.lower()}@new.test")
    minutes(w, 6)
    return sold


def meanwhile(w: World, sold: dict[str, int]) -> int:
    """What people do after the plan was made; the number of a new deal."""
    line = only(rows(w, sold["Value Pty"]))
    w.crm("edit_line", deal=sold["Value Pty"], line=line["id"], price=150)
    w.crm("lose", deal=sold["Lost Pty"])
    contact = w.books("create_contact", fields={"Name": "Hand Pty"})
    w.books("create_invoice", fields={
        "Type": "ACCREC", "Contact": {"ContactID": contact["done"]["id"]}, "Date": "2026-11-23",
        "DueDate": "2026-12-23", "Status": "AUTHORISED", "LineItems": [
            {"Description": "Widget", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}],
    })  # fmt: skip
    kit.edit(w, "Cedar Inc", EmailAddress="cid@newer.test")
    w.crm("edit_person", person="Dot Smith", emails=["dot@mine.test"])
    return sell(w, "New Pty")


def email(w: World, first: str) -> list[str]:
    return kit.person(w, f"{first} Smith")["emails"]


def test_what_changed_in_between_is_skipped_and_the_rest_is_done(tmp_path: Path) -> None:
    """A value, a contact on either side, a loss, an invoice by hand and a new win in between."""
    with kit.world(tmp_path / "w") as w:
        sold = firm(w)
        text = plan_text(w)
        new = meanwhile(w, sold)
        minutes(w, 1)
        before = {first: email(w, first) for first in PEOPLE.values()}
        mark = w.mark()
        report = apply(w, text)
        assert codes_of(report) == {
            f"deal:{sold['Value Pty']}": "plan_changed",
            f"deal:{sold['Lost Pty']}": "plan_over",
            f"deal:{sold['Hand Pty']}": "plan_over",
            "contact:org:2": "plan_changed",
            "contact:org:3": "plan_changed",
        }
        # Nothing else was written than what was shown: the servers' own word for it.
        said = fates(report)
        drafts = [i["url"] for i in w.invoices() if "SJ-" in (i["url"] or "")][3:]
        assert [url.partition("syncjob=")[2] for url in drafts] == [f"SJ-{sold['Same Pty']}-A1"]
        made = {c["name"] for c in w.contacts()} - set(PEOPLE)
        assert made == {"Same Pty", "Value Pty", "Hand Pty"}  # Hand Pty by a person
        assert w.deal_fields(sold["Same Pty"])["Invoice status"] == "draft"
        for other in (sold["Value Pty"], sold["Lost Pty"], sold["Hand Pty"], new):
            assert not w.deal_fields(other).get("Invoice status")
        after = {first: email(w, first) for first in PEOPLE.values()}
        assert after == before | {"Bea": ["bea@new.test"]}
        assert len(w.writes(mark)) == 4  # two customers in one call, a draft, a deal, a person
        assert report.left == 4  # the new deal's three writes, and the note on Hand Pty
        assert said[f"deal.update deal:{sold['Value Pty']}"] == "changed"
        words = {i.subject: i.what for i in report.batch.issues if i.code.startswith("plan_")}
        assert 'total "110.00" would now be "165.00"' in words[f"deal:{sold['Value Pty']}"]
        assert "the deal is lost, not won" in words[f"deal:{sold['Lost Pty']}"]
        assert "Possible double of INV-" in words[f"deal:{sold['Hand Pty']}"]
        assert 'was "dot@old.test" and is "dot@mine.test" now' in words["contact:org:3"]
        assert 'would now be "cid@newer.test"' in words["contact:org:2"]
        goes_on(w, sold, new)


def goes_on(w: World, sold: dict[str, int], new: int) -> None:
    """The next batches do what is right by then, and come to rest."""
    report = kit.batch(w)
    assert not [i.code for i in report.issues if i.code.startswith("plan_")]
    assert invoice_of(w, sold["Value Pty"])["total"] == "165.00"
    assert invoice_of(w, new)["total"] == "110.00"
    assert w.deal_fields(sold["Hand Pty"])["Invoice status"] == "held"
    assert not [i for i in w.invoices() if f"SJ-{sold['Lost Pty']}-" in (i["url"] or "")]
    assert email(w, "Cid") == ["cid@newer.test"]
    kit.batch(w)
    kit.at_rest(w)

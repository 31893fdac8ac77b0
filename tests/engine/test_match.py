"""`syncjob match`: what is one customer on both sides is proposed, answered and linked."""

from __future__ import annotations

from syncjob.core.review import Proposal
from tests.engine.conftest import MakeWorld
from tests.engine.matchkit import (
    NEAR,
    answered,
    apply,
    audit,
    contact,
    decide,
    links,
    match,
    org,
    proposed,
)
from tests.engine.scenes import codes, invoice_of, minutes, only, org_names, quiet, sell
from tests.engine.world import World

PHONE = [{"PhoneType": "DEFAULT", "PhoneNumber": "9555 1234", "PhoneAreaCode": "02"}]


def certain(w: World) -> tuple[str, str]:
    """One customer on both sides, under names that are not the same."""
    crm = org(w, "Meridian Harbour Foods")
    person = {"name": "Jo Doe", "org": int(crm[4:]), "email": "jo@meridian.test"}
    w.crm("create_person", phone="+61 2 9555 1234", **person)
    made = contact(
        w, "MERIDIAN HARBOUR FOODS PTY LTD", EmailAddress="jo@meridian.test", Phones=PHONE,
        FirstName="Jo", LastName="Doe",
    )  # fmt: skip
    return crm, made


def near(w: World) -> tuple[str, str]:
    """A customer and a contact of one phone, each with a word of its own in its name."""
    crm = org(w, "Meridian Harbour Catering")
    w.crm("create_person", name="Jo Doe", org=int(crm[4:]), phone="+61 2 9555 1234")
    return crm, contact(w, "Meridian Harbour Events", Phones=PHONE)


def test_both_sides_are_read_whole_with_a_call_a_page_and_nothing_is_written(world: World) -> None:
    crm, ledger = certain(world)
    mark = world.mark()
    report = match(world)
    assert world.writes(mark) == []
    read = sorted(c["path"].rsplit("/", 1)[1] for c in world.since(mark) if c["method"] == "GET")
    assert read == ["Contacts", "organizations", "persons"]
    found = proposed(report)[crm, ledger]
    assert (found.band, report.first, report.second) == ("certain", 1, 1)
    assert found.score > 990
    assert found.agrees
    assert links(world) == {}


def test_a_certain_pair_is_linked_at_once_if_the_user_says_so(world: World) -> None:
    crm, ledger = certain(world)
    report = match(world, accept_certain=True)
    assert [(p.first, p.second) for p in report.linked] == [(crm, ledger)]
    assert (report.rows, report.waiting) == ((), 0)
    assert links(world) == {crm: ledger}
    field, after, reason = audit(world, f"contact:{crm}")[-1]
    assert (field, after) == ("match.same", f"linked with {ledger}")
    assert reason.startswith("Ann: --accept-certain")
    deal = sell(world, "Meridian Harbour Foods")
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["contact_id"] == ledger
    only(world.contacts())
    quiet(world)


def test_a_certain_pair_that_is_not_accepted_holds_its_deal(world: World) -> None:
    certain(world)
    match(world)
    sell(world, "Meridian Harbour Foods")
    report = world.run()
    # an e-mail with another name is a rule of its own, and comes first
    assert codes(report) in (["contact_email_other_name"], ["contact_near_match"])
    assert world.invoices() == []


def test_a_near_pair_waits_for_a_person_and_holds_its_deals_alone(world: World) -> None:
    crm, ledger = near(world)
    report = match(world, accept_certain=True)
    assert report.linked == ()
    assert proposed(report)[crm, ledger].band == "near"
    deal, other = sell(world, "Meridian Harbour Catering"), sell(world, "Wholly Different Traders")
    report = world.run()
    issue = only([i for i in report.issues if i.code == "contact_near_match"])
    assert "Meridian Harbour Catering" in issue.what and "Meridian Harbour Events" in issue.what
    assert f"syncjob match decide {crm} --contact {ledger} --same" in issue.next_step
    assert world.deal_fields(deal)["Invoice status"] == "held"
    assert invoice_of(world, other)["status"] == "DRAFT"
    assert len(world.invoices()) == 1
    quiet(world)


def test_the_answer_same_frees_the_deal_in_the_next_batch(world: World) -> None:
    crm, ledger = near(world)
    report = match(world)
    deal = sell(world, "Meridian Harbour Catering")
    assert codes(world.run()) == ["contact_near_match"]
    taken = apply(world, answered(report, lambda p: "same"))
    assert (taken.same, taken.refused) == (1, ())
    assert links(world) == {}
    minutes(world, 1)
    assert codes(world.run()) == []
    assert links(world) == {crm: ledger}
    assert invoice_of(world, deal)["contact_id"] == ledger
    only(world.contacts())
    said = (f"match.same:{ledger}", f"linked with {ledger}", "Ann: the review review.csv")
    assert said in audit(world, f"contact:{crm}")
    quiet(world)


def test_the_answer_different_makes_a_contact_and_is_never_asked_again(world: World) -> None:
    crm, ledger = near(world)
    report = match(world)
    deal = sell(world, "Meridian Harbour Catering")
    world.run()
    assert apply(world, answered(report, lambda p: "different")).different == 1
    minutes(world, 1)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["contact_id"] != ledger
    assert len(world.contacts()) == 2
    quiet(world)
    again = match(world, every=True)
    assert (crm, ledger) not in proposed(again)


def test_a_match_that_runs_again_proposes_only_what_is_new(world: World) -> None:
    first = near(world)
    report = match(world)
    assert set(proposed(report)) == {first}
    again = match(world)
    assert (again.rows, again.waiting) == ((), 1)
    assert set(proposed(match(world, every=True))) == {first}
    apply(world, answered(report, lambda p: "same"))
    second = org(world, "Kestrel Bay Joinery"), contact(world, "Kestral Bay Joiner")
    third = match(world)  # the answers given since are applied first
    assert set(proposed(third)) == {second}
    assert links(world) == dict([first])
    assert (match(world).rows, match(world).waiting) == ((), 1)


def test_changed_records_are_shown_again(world: World) -> None:
    crm, ledger = near(world)
    match(world)
    minutes(world, 5)
    world.books("edit_contact", contact=ledger, fields={"TaxNumber": "51 824 753 556"})
    assert set(proposed(match(world))) == {(crm, ledger)}


# --- what arises after set-up ---------------------------------------------------------------------


def test_a_run_compares_a_new_customer_with_what_the_ledger_has(world: World) -> None:
    """Nobody has run a match: still no second contact is made."""
    ledger = contact(world, NEAR[1])
    deal = sell(world, "Meridian Harbor Food")
    report = world.run()
    assert codes(report) == ["contact_near_match"]
    assert world.invoices() == []
    only(world.contacts())
    crm = f"org:{world.crm_state()['deals'][str(deal)]['org_id']}"
    quiet(world)
    decide(world, crm, "same")
    minutes(world, 1)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["contact_id"] == ledger
    quiet(world)


def test_a_contact_that_a_person_made_meanwhile_is_met(world: World) -> None:
    sell(world, "Wholly Different Traders")
    world.run()
    minutes(world, 5)
    contact(world, NEAR[1])
    minutes(world, 5)
    sell(world, "Meridian Harbor Food")
    assert codes(world.run()) == ["contact_near_match"]
    assert len(world.contacts()) == 2


def test_a_name_mended_on_either_side_ends_the_doubt(world: World) -> None:
    ledger = contact(world, NEAR[1])
    deal = sell(world, "Meridian Harbor Food")
    world.run()
    world.crm("edit_org", org="Meridian Harbor Food", name=NEAR[1])
    minutes(world, 60)
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["contact_id"] == ledger
    quiet(world)


def test_a_contact_merged_away_holds_nobody(world: World) -> None:
    contact(world, NEAR[1])
    contact(world, "Zephyr Optics")
    sell(world, "Meridian Harbor Food")
    assert codes(world.run()) == ["contact_near_match"]
    world.books("merge_contacts", loser=NEAR[1], survivor="Zephyr Optics")
    minutes(world, 5)
    assert codes(world.run()) == []
    assert len(world.invoices()) == 1


def test_the_exact_name_wins_over_what_is_near(world: World) -> None:
    contact(world, "Meridian Harbor Foods Limited")
    exact = contact(world, "Meridian Harbour Foods")
    deal = sell(world, "Meridian Harbour Foods")
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["contact_id"] == exact
    quiet(world)


def test_a_namesake_that_is_another_customer_keeps_its_name(world: World) -> None:
    ledger = contact(world, "Acme Pty")
    crm = org(world, "Acme Pty")
    match(world)
    decide(world, crm, "different", ledger)
    sell(world)
    assert codes(world.run()) == ["contact_name_apart"]
    only(world.contacts())
    assert world.invoices() == []
    quiet(world)


def test_a_link_made_by_mistake_is_ended_by_the_answer_different(world: World) -> None:
    crm, ledger = near(world)
    apply(world, answered(match(world), lambda p: "same"))
    world.run()
    assert links(world) == {crm: ledger}
    decide(world, crm, "different", ledger)
    minutes(world, 1)
    world.run()
    assert links(world) == {}
    assert (crm, ledger) not in proposed(match(world, every=True))
    decide(world, crm, "same", ledger)
    minutes(world, 1)
    world.run()
    assert links(world) == {crm: ledger}


def _both_ways(make_world: MakeWorld) -> World:
    """Every customer crosses in both directions."""
    return make_world(
        config={"contacts": {"update": "owners", "which": "all", "create_in_crm": True}}
    )


def test_contact_sync_makes_no_second_one_on_either_side(make_world: MakeWorld) -> None:
    world = _both_ways(make_world)
    crm, ledger = near(world)
    report = world.run()
    assert set(codes(report)) == {"contact_near_match"}
    assert len(org_names(world)) == len(world.contacts()) == 1
    decide(world, crm, "same", ledger)
    minutes(world, 6)
    assert codes(world.run()) == []
    assert links(world) == {crm: ledger}
    assert len(org_names(world)) == len(world.contacts()) == 1


def test_contact_sync_makes_both_when_they_are_two(make_world: MakeWorld) -> None:
    world = _both_ways(make_world)
    crm, ledger = near(world)
    world.run()
    decide(world, crm, "different", ledger)
    minutes(world, 6)
    assert codes(world.run()) == []
    assert len(world.contacts()) == 2
    assert len(org_names(world)) == 2
    assert links(world)[crm] != ledger


def test_a_ledger_contact_made_later_is_compared_with_the_crm(make_world: MakeWorld) -> None:
    world = _both_ways(make_world)
    crm = org(world, "Meridian Harbour Catering")
    world.crm("create_person", name="Jo Doe", org=int(crm[4:]), phone="+61 2 9555 1234")
    world.crm("create_deal", title="None", currency="AUD", org="Meridian Harbour Catering")
    world.run()
    assert links(world).keys() == {crm}
    minutes(world, 6)
    contact(world, "Meridian Harbour Catering Pty Limited", Phones=PHONE)
    minutes(world, 6)
    world.run()
    # the customer is linked already, so what looks like it is a double of the ledger's own
    doubles = proposed(match(world, every=True), "ledger_double")
    assert len(doubles) == 1


def test_of_two_new_customers_that_are_one_the_second_waits(world: World) -> None:
    """Nobody of them is in the ledger: the first is made, the second is then asked about."""
    for name in ("Meridian Harbour Foods", "Meridian Harbour Foods Pty Ltd"):
        made = org(world, name)
        person = world.crm("create_person", name="Jo Doe", org=int(made[4:]), phone="0295551234")
        world.crm("win", deal=sell(world, name, person=person["id"], won=False))
    report = world.run()
    assert len(world.contacts()) == len(world.invoices()) == 1
    assert any("created first" in why for why in report.waits.values())
    minutes(world, 6)
    report = world.run()
    assert codes(report) == ["contact_near_match"]
    assert "linked with org:1" in report.issues[0].what
    assert "merge org:2 and org:1 in the CRM" in report.issues[0].next_step
    assert len(world.contacts()) == 1
    quiet(world)
    decide(world, "org:2", "different")
    minutes(world, 1)
    assert codes(world.run()) == []
    assert len(world.contacts()) == len(world.invoices()) == 2
    quiet(world)


def test_a_link_that_comes_about_otherwise_answers_what_was_asked(world: World) -> None:
    crm, _ = near(world)
    match(world)
    exact = contact(world, "Meridian Harbour Catering")
    deal = sell(world, "Meridian Harbour Catering")
    assert codes(world.run()) == []
    assert invoice_of(world, deal)["contact_id"] == exact
    assert links(world) == {crm: exact}
    with world.connection() as handle:
        assert handle.state.matches.of(crm) == []


# --- what BOOKKEEPING says of archived contacts, suppliers, people --------------------------------


def test_an_archived_contact_is_asked_and_never_linked_alone(world: World) -> None:
    crm, ledger = certain(world)
    world.books("archive_contact", contact=ledger)
    report = match(world, accept_certain=True)
    assert report.linked == ()
    found = proposed(report)[crm, ledger]
    assert found.band == "near"
    assert "archived" in found.because


def bill(w: World, ledger: str) -> None:
    line = {"Description": "Rent", "Quantity": 1, "UnitAmount": 10, "AccountCode": "429"}
    w.books("create_invoice", fields={
        "Type": "ACCPAY", "Contact": {"ContactID": ledger}, "Date": "2026-11-20",
        "DueDate": "2026-12-20", "LineItems": [line], "Status": "AUTHORISED",
    })  # fmt: skip


def test_a_contact_that_has_only_bills_is_asked(world: World) -> None:
    crm, ledger = certain(world)
    bill(world, ledger)
    report = match(world, accept_certain=True)
    assert report.linked == ()
    assert "only bills" in proposed(report)[crm, ledger].because


def test_what_only_looks_like_a_supplier_is_proposed_on_request(world: World) -> None:
    pair = near(world)
    bill(world, pair[1])
    assert proposed(match(world)) == {}
    assert set(proposed(match(world, suppliers=True))) == {pair}


def test_an_organization_beats_its_people(world: World) -> None:
    crm = org(world, "Meridian Harbour Foods")
    world.crm("create_person", name="Meridian Harbour", org=int(crm[4:]), email="jo@meridian.test")
    contact(world, "Meridian Harbour Foods", EmailAddress="jo@meridian.test")
    assert {first for first, _ in proposed(match(world))} == {crm}


def test_a_person_without_organization_is_a_customer(world: World) -> None:
    made = world.crm("create_person", name="Zelda Quillfeather", email="zelda@quill.test")
    ledger = contact(
        world, "Zelda Quillfeather", FirstName="Zelda", LastName="Quillfeather",
        EmailAddress="zelda@quill.test",
    )  # fmt: skip
    assert set(proposed(match(world))) == {(f"person:{made['id']}", ledger)}


# --- twice on one side ----------------------------------------------------------------------------


def test_doubles_inside_a_side_are_listed_with_what_to_merge(world: World) -> None:
    crm, ledger = certain(world)
    second = org(world, "Meridian Harbour Foods")
    world.crm("create_person", name="Jo Doe", org=int(second[4:]), email="jo@meridian.test")
    match(world, accept_certain=True)
    decide(world, crm, "same", ledger)
    report = match(world, every=True)
    found = proposed(report, "crm_double")[crm, second]
    assert f"({second}) into" in found.advice
    assert f"({crm})" in found.advice
    assert "linked with the other side" in found.advice
    taken = apply(world, answered(report, lambda p: _double(p, "different")))
    assert taken.different == 1
    assert proposed(match(world, every=True), "crm_double") == {}


def _double(made: Proposal, verdict: str) -> str:
    return verdict if made.kind == "crm_double" else "leave"


def test_a_confirmed_double_is_left_to_people_to_merge(world: World) -> None:
    one = contact(world, "Kestrel Bay Joinery", Phones=PHONE, EmailAddress="ann@kestrel.test")
    two = contact(world, "Kestrel Bay Joinery Ltd", Phones=PHONE, EmailAddress="ann@kestrel.test")
    report = match(world)
    found = next(iter(proposed(report, "ledger_double")))
    assert set(found) == {one, two}
    taken = apply(world, answered(report, lambda p: "same"))
    assert "In the ledger, merge" in only(taken.merges)
    assert len(world.contacts()) == 2

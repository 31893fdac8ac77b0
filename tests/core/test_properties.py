"""What holds of the pure core for any state: windows overlap, plans do not depend on the order of
rows, and what was planned and done asks for nothing more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from syncjob.core.actions import ContactChange, DealChange
from syncjob.core.case import Agreed, Case, Context
from syncjob.core.contacts.case import ContactCase, ContactContext
from syncjob.core.contacts.fields import values_of, with_values
from syncjob.core.contacts.merge import agreed
from syncjob.core.contacts.plan import decide_contact
from syncjob.core.plan import decide
from syncjob.core.policy_contacts import Contacts, Owner, Owners
from syncjob.core.records import Contact
from syncjob.core.rules.matching import Candidates
from syncjob.core.window import next_since, since_for
from tests.core.make import customer, invoice
from tests.core.test_deal_scope import EVERY, State, case, context, first_draft, written

# --- windows --------------------------------------------------------------------------------------

SECONDS = st.integers(0, 10**9)
INSTANTS = SECONDS.map(
    lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s, microseconds=s % 999_983)
)
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(hours=3))


@given(INSTANTS, SPANS, SPANS)
def test_what_a_walk_could_not_see_yet_is_seen_by_the_next(
    started: datetime, lookback: timedelta, lag: timedelta
) -> None:
    """A record stamped at t is listed from t + lag on; the lookback is the longest lag."""
    late = min(lag, lookback)
    unseen = started - late + timedelta(microseconds=1)  # the oldest that was not listed yet
    since = next_since(started, lookback)
    assert since <= unseen
    assert since.microsecond == 0
    assert started - lookback - since < timedelta(seconds=1)


@given(INSTANTS, INSTANTS, SPANS)
def test_a_cursor_goes_on_with_the_servers_time(
    one: datetime, other: datetime, lookback: timedelta
) -> None:
    earlier, later = sorted((one, other))
    assert next_since(earlier, lookback) <= next_since(later, lookback)


@given(st.none() | INSTANTS, st.none() | INSTANTS)
def test_a_catch_up_only_reads_more(cursor: datetime | None, asked: datetime | None) -> None:
    since = since_for(cursor, asked)
    assert since is None if cursor is None else (since is not None and since <= cursor)
    assert since_for(since, asked) == since


# --- deals ----------------------------------------------------------------------------------------

STATES = st.builds(State, *(st.sampled_from(values) for values in EVERY))
DRAFT = first_draft()


@st.composite
def rows(draw: st.DrawFn) -> tuple[State, Case, Case]:
    """A state, and its case with rows of every kind in two orders."""
    state = draw(STATES)
    others = [
        invoice(id=f"i{n}", number=f"INV-{n}", contact_id=draw(st.sampled_from(["c1", "c2"])),
                total=draw(st.sampled_from([DRAFT.total, DRAFT.total + 1])), date=DRAFT.date)
        for n in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    named = [customer(f"c{n}", name=draw(st.sampled_from(["Acme Ltd", "Other"]))) for n in (1, 2)]
    made = msgspec.structs.replace(
        case(state, DRAFT), unlinked=tuple(others), candidates=Candidates(by_name=tuple(named)),
        owners=draw(st.sampled_from([{}, {"c1": "org:12", "c2": "org:9"}])),
    )  # fmt: skip
    shuffled = msgspec.structs.replace(
        made, unlinked=tuple(draw(st.permutations(others))),
        candidates=Candidates(by_name=tuple(draw(st.permutations(named)))),
        owners=dict(reversed(made.owners.items())),
    )  # fmt: skip
    return state, made, shuffled


@settings(deadline=None, max_examples=150)
@given(rows())
def test_a_plan_does_not_depend_on_the_order_of_rows(given_rows: tuple[State, Case, Case]) -> None:
    state, one, other = given_rows
    assert decide(one, context(state)) == decide(other, context(state))


@settings(deadline=None, max_examples=300)
@given(STATES)
def test_what_was_planned_and_done_asks_for_nothing_more(state: State) -> None:
    for _ in range(3):  # an update is looked at once more before it is approved
        done = written(state, DRAFT)
        state = after(state, done)
        if not done:
            break
    assert written(state, DRAFT) == set()


def after(state: State, done: set[str]) -> State:
    """The state once the ledger has done this."""
    if "approve" in done:
        return state._replace(invoice="authorised", person=False, changed=False)
    if "create" in done:
        return state._replace(invoice="draft", person=False, changed=False)
    if "update" in done:
        return state._replace(changed=False)
    return state._replace(invoice="deleted", person=False) if "delete" in done else state


@settings(deadline=None, max_examples=150)
@given(STATES)
def test_what_a_deal_was_told_is_not_told_again(state: State) -> None:
    """Another instant alone is no reason to write to a deal."""
    told = case(state, DRAFT)
    held = context(state._replace(mode="drafts_only"))
    first = fields_written(told, held)
    base = {name: Agreed(value, value) for name, value in first.items()}
    record = msgspec.structs.replace(told.deal, fields={**told.deal.fields, **first})
    known = msgspec.structs.replace(told, deal=record, deal_base=base)
    later = msgspec.structs.replace(held, stamp="2026-03-20 12:05")
    assert fields_written(known, later) == {}


def fields_written(told: Case, held: Context) -> dict[str, str | None]:
    changes = [a.payload for a in decide(told, held).actions if isinstance(a.payload, DealChange)]
    return {name: value for change in changes for name, value in change.fields.items()}


# --- customers ------------------------------------------------------------------------------------

BOTH = frozenset({"name", "tax_number", "currency", "phones", "emails"})
KINDS = {"organization": BOTH, "person": frozenset[str](), "contact": BOTH}
TEXTS = st.sampled_from([None, "", "51824", "51 824", "99"])
PHONES = st.lists(st.sampled_from(["+61299991111", "+61 2 9999 1111", "+61299992222"]), max_size=3)


def contacts(**fixed: Any) -> st.SearchStrategy[Contact]:
    return st.builds(
        lambda name, tax, currency, phones: Contact(
            name=name, tax_number=tax, currency=currency, phones=tuple(phones), **fixed
        ),
        st.sampled_from(["Acme", "Acme Ltd"]), TEXTS, st.sampled_from([None, "AUD", "EUR"]), PHONES,
    )  # fmt: skip


CRM = contacts(id="org:12", kind="organization")
LEDGER = contacts(id="u1", kind="contact", marker="NW-O12", is_customer=True)


@settings(deadline=None, max_examples=300)
@given(CRM, LEDGER, st.none() | CRM, st.sampled_from(["crm", "ledger", "ask"]), st.booleans())
def test_customers_rest_once_what_was_decided_is_written(
    crm: Contact, ledger: Contact, before: Contact | None, owner: Owner, full: bool
) -> None:
    policy = Contacts(
        update="owners" if full else "blanks", owners=Owners(**dict.fromkeys(dict(Owners()), owner))
    )
    held = ContactContext(code="NW", policy=policy, fields=KINDS)
    said = values_of(before) if before else {}
    base = {field: (said[field], said[field]) for field in BOTH if before}
    for _ in range(2):
        state = ContactCase(crm=crm, ledger=ledger, linked=True, base=base)
        decision = decide_contact(state, held)
        base |= decision.agreed
        if not decision.actions:
            break
        for action in decision.actions:
            assert isinstance(action.payload, ContactChange)
            values = action.payload.values
            ledger = with_values(ledger, values) if action.side == "ledger" else ledger
            crm = with_values(crm, values) if action.side == "crm" else crm
            now = {f: (values_of(crm)[f], values_of(ledger)[f]) for f in values}
            base |= {f: agreed(f, now[f], base.get(f), None) for f in values}
    last = decide_contact(ContactCase(crm=crm, ledger=ledger, linked=True, base=base), held)
    assert last.actions == ()

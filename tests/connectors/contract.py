"""What any connector must do, tried against its sandbox: inherit `ConnectorContract`.

A test module gives two fixtures: `world`, the vendor's side as people see and fill it, and
`connector`, spoken to over HTTP. Nothing here knows a vendor.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, Protocol

import pytest

from syncjob.connectors.base import AnyRecord, Connector, Page, Walk
from syncjob.core.actions import Action, ContactChange, NotDone, Stored, Unknown, Wave
from syncjob.core.contacts.fields import FIELDS, same, values_of
from syncjob.core.records import Contact
from syncjob.errors import RetryLater, SchemaDrift
from syncjob.transport.wire import Answer

#: Bodies that are no answer to anything, by the name of what sends them.
NO_ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "proxy page": (502, "text/html", b"<html><h1>Bad Gateway</h1></html>"),
    "page with 200": (200, "text/html", b"<html>Please log in to the wifi</html>"),
    "nothing": (200, "application/json", b""),
    "null": (200, "application/json", b"null"),
    "a list": (200, "application/json", b"[]"),
    "a text": (200, "application/json", b'"ok"'),
    "cut off": (200, "application/json", b'{"success": true, "data": {"id": 1'),
    "another shape": (200, "application/json", b'{"result": "ok"}'),
    "nulls inside": (200, "application/json", b'{"success": true, "data": null}'),
    "maintenance": (503, "application/json", b'{"error": "maintenance"}'),
}


class World(Protocol):
    """The vendor's side: people who make and change records, and a log of what was asked."""

    #: Streams that `changes` serves, and one more id stream a `get` may serve.
    streams: tuple[str, ...]
    secret: str

    def fill(self, stream: str, count: int) -> list[str]:
        """Make records that the stream delivers; their ids."""

    def touch(self, stream: str, record_id: str) -> None:
        """Change a record, as a person."""

    def pass_time(self, seconds: float) -> None: ...

    def writes(self) -> int:
        """How many requests other than GET the server has seen (tokens left out)."""

    def actions(self) -> list[Action]:
        """One good action of each kind that the connector writes."""

    def contacts_to_change(self) -> dict[str, str]:
        """An existing contact of each kind that can be changed, by the kind: its id."""

    def send(self, prepared: Any) -> Answer: ...

    def break_reads(self, status: int, kind: str, body: bytes) -> None:
        """All further reads are answered with this."""


#: Two values of each field of a contact, in the encodings of core/contacts/fields.py.
SAMPLES: dict[str, tuple[str, str]] = {
    "name": ("Ørsted & Søn 😀", "Acme Ltd"),
    "first_name": ("Maëlle", "Zoë"),
    "last_name": ("O'Neill-Ó Briain", "Lee"),
    "email": ("a.b+c@x.test", "d@x.test"),
    "emails": ("e@x.test\nf@x.test", "f@x.test"),
    "phones": ("+44 20 7946 0123\n(555) 0100\n+1 212 555 0100", "+1 212 555 0100"),
    "postal": (
        '{"lines":["Obere Str. 57","2. OG"],"city":"Berlin","region":"BE","postal_code":"12209",'
        '"country":"Germany"}',
        '{"lines":["Rue 1"],"city":"Abidjan","country":"Côte d\'Ivoire"}',
    ),
    "street": ('{"lines":["Dock 3"],"city":"Hull"}', '{"text":"1 High St, York, YO1"}'),
    "tax_number": ("GB 123 4567 89", "DE1"),
    "currency": ("EUR", "GBP"),
    "terms": ("days_after_bill:14", "of_following_month:20"),
    "people": (
        '{"first_name":"Al","email":"al@x.test"}\n{"last_name":"Bo"}',
        '{"email":"c@x.test"}',
    ),
}
#: Of a name each part follows from the others.
NAMES = ("name", "first_name", "last_name")


def contact_change(connector: Connector, contact: str, values: dict[str, str | None]) -> Action:
    crm = connector.side == "crm"
    return Action(
        side=connector.side,
        wave=Wave.CRM_CONTACTS if crm else Wave.LEDGER_CONTACTS,
        subject=f"contact:{contact}",
        target=f"contact:{contact}",
        payload=ContactChange(contact_id=contact, values=values),
        reason="a test",
    )


def walked(connector: Connector, stream: str, walk: Walk) -> list[Page]:
    return list(connector.changes(stream, walk))


def ids_of(pages: list[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


class ConnectorContract:
    """Inherited by each connector's sandbox tests."""

    # --- what it says of itself ---------------------------------------------------------------

    def test_capabilities_can_be_planned_by(self, connector: Connector) -> None:
        told = connector.capabilities
        assert told.lookback > told.clock_resolution > timedelta(0)
        assert told.patience >= timedelta(minutes=1)
        sizes = (*told.batch.values(), *told.get_batch.values(), *told.page_size.values())
        assert told.batch and all(size >= 1 for size in sizes)
        assert (told.idempotency == "none") == (told.idempotency_key_length == 0)

    def test_identity_is_stable_and_named(self, connector: Connector) -> None:
        first, second = connector.identity(), connector.identity()
        assert first == second and first.id and first.name

    def test_server_time_is_unknown_before_any_answer_and_aware_after(
        self, connector: Connector
    ) -> None:
        assert connector.server_time() is None
        connector.identity()
        seen = connector.server_time()
        assert seen is not None and seen.tzinfo is not None

    def test_a_healthy_world_has_no_problem(self, connector: Connector) -> None:
        assert [p for p in connector.check() if p.fatal] == []

    # --- walks ----------------------------------------------------------------------------------

    def test_a_full_walk_delivers_every_record_once(
        self, connector: Connector, world: World
    ) -> None:
        for stream in world.streams:
            made = world.fill(stream, connector.capabilities.page_size[stream] + 3)
            pages = walked(connector, stream, Walk(since=None))
            found = ids_of(pages)
            assert set(made) <= set(found) and len(found) == len(set(found))
            assert len(pages) >= 2, "the stream must need a second page"
            assert [p.position is None for p in pages] == [False] * (len(pages) - 1) + [True]
            assert {p.started for p in pages} == {pages[0].started}
            assert pages[0].started.utcoffset() == timedelta(0)

    def test_a_broken_walk_goes_on_where_it_stopped(
        self, connector: Connector, world: World
    ) -> None:
        stream = world.streams[0]
        made = world.fill(stream, connector.capabilities.page_size[stream] + 3)
        first = next(iter(connector.changes(stream, Walk(since=None))))
        world.pass_time(60)
        on = Walk(since=None, position=first.position, started=first.started)
        rest = walked(connector, stream, on)
        assert set(made) <= {*ids_of([first]), *ids_of(rest)}
        assert not {*ids_of([first])} & {*ids_of(rest)}
        assert {page.started for page in rest} == {first.started}

    def test_what_changed_since_then_is_delivered_and_nothing_older(
        self, connector: Connector, world: World
    ) -> None:
        for stream in world.streams:
            old, touched = world.fill(stream, 2)
            world.pass_time(3600)
            before = walked(connector, stream, Walk(since=None))[0].started
            world.touch(stream, touched)
            found = ids_of(walked(connector, stream, Walk(since=before)))
            assert touched in found and old not in found

    def test_a_change_in_the_very_second_of_the_cursor_is_delivered(
        self, connector: Connector, world: World
    ) -> None:
        stream = world.streams[0]
        (made,) = world.fill(stream, 1)
        (record,) = connector.get(stream, [made])
        assert record.updated is not None
        assert made in ids_of(walked(connector, stream, Walk(since=record.updated)))
        later = record.updated + timedelta(microseconds=1)
        assert made in ids_of(walked(connector, stream, Walk(since=later)))

    # --- by id ----------------------------------------------------------------------------------

    def test_get_leaves_out_what_is_not_there_and_repeats_nothing(
        self, connector: Connector, world: World
    ) -> None:
        stream = world.streams[0]
        made = world.fill(stream, 3)
        absent = made[0][:-3] + "977"
        found = connector.get(stream, [*made, made[0], absent])
        assert sorted(r.id for r in found) == sorted(made)
        assert connector.get(stream, []) == []

    def test_stamps_are_aware_utc(self, connector: Connector, world: World) -> None:
        made = world.fill(world.streams[0], 2)
        for record in connector.get(world.streams[0], made):
            assert record.updated is not None and record.updated.tzinfo is UTC

    def test_reading_writes_nothing(self, connector: Connector, world: World) -> None:
        made = world.fill(world.streams[0], 2)
        connector.check()
        walked(connector, world.streams[0], Walk(since=None))
        connector.get(world.streams[0], made)
        connector.prepare(world.actions())
        assert world.writes() == 0

    @pytest.mark.parametrize("kind", NO_ANSWERS)
    def test_what_is_no_answer_is_never_read_as_one(
        self, connector: Connector, world: World, kind: str
    ) -> None:
        """A wifi page or an empty list in place of records must not look like "all deleted"."""
        world.fill(world.streams[0], 1)
        walked(connector, world.streams[0], Walk(since=None))  # names are read
        world.break_reads(*NO_ANSWERS[kind])
        with pytest.raises((SchemaDrift, RetryLater)):
            walked(connector, world.streams[0], Walk(since=None))

    # --- writes ---------------------------------------------------------------------------------

    def test_each_action_stands_in_exactly_one_call_of_the_same_bytes(
        self, connector: Connector, world: World
    ) -> None:
        actions = world.actions()
        once, twice = connector.prepare(actions), connector.prepare(actions)
        carried = [action for call in once for action in call.actions]
        assert len(carried) == len(actions) and all(action in carried for action in actions)
        # An idempotency key, in a header, is new each time; what is asked for is not.
        asked, again = ([(c.request.method, c.request.url, c.request.body) for c in calls]
                        for calls in (once, twice))  # fmt: skip
        assert asked == again
        assert all(c.request.method not in ("GET", "DELETE") for c in once)

    def test_no_request_holds_the_secret(self, connector: Connector, world: World) -> None:
        for call in connector.prepare(world.actions()):
            whole = repr(call.request) + call.request.body.decode()
            assert world.secret not in whole
        assert world.secret not in repr(connector)

    def test_a_good_write_is_stored_and_reads_back_as_predicted(
        self, connector: Connector, world: World
    ) -> None:
        for call in connector.prepare(world.actions()):
            outcomes = connector.outcomes(call, world.send(call))
            assert [type(o) for o in outcomes] == [Stored] * len(call.actions)
            for action, outcome in zip(call.actions, outcomes, strict=True):
                record: AnyRecord | None = outcome.record  # type: ignore[union-attr]
                if record is not None:
                    predicted = connector.stored_form(action)
                    assert predicted.items() <= connector.current_form(action, record).items()

    @pytest.mark.parametrize("kind", NO_ANSWERS)
    def test_what_is_no_answer_leaves_every_outcome_open(
        self, connector: Connector, world: World, kind: str
    ) -> None:
        status, content_type, body = NO_ANSWERS[kind]
        answer = Answer(status=status, headers={"content-type": content_type}, body=body)
        for call in connector.prepare(world.actions()):
            outcomes = connector.outcomes(call, answer)
            assert [type(o) for o in outcomes] == [Unknown] * len(call.actions)

    @pytest.mark.parametrize("status", [401, 429])
    def test_a_refusal_before_looking_had_no_effect(
        self, connector: Connector, world: World, status: int
    ) -> None:
        answer = Answer(status=status, headers={}, body=b'{"error": "no"}')
        for call in connector.prepare(world.actions()):
            assert {type(o) for o in connector.outcomes(call, answer)} == {NotDone}

    # --- contacts -------------------------------------------------------------------------------

    def test_contacts_that_are_written_read_back_as_predicted_and_are_found(
        self, connector: Connector, world: World
    ) -> None:
        calls = [c for c in connector.prepare(world.actions()) if "contact." in c.actions[0].kind]
        assert {a.kind for c in calls for a in c.actions} >= {"contact.update", "contact.mark"}
        for call in calls:
            for action, outcome in zip(
                call.actions, connector.outcomes(call, world.send(call)), strict=True
            ):
                assert isinstance(outcome, Stored)
                made = outcome.record  # an update may be answered with its stamp alone
                assert isinstance(made, Contact) or (outcome.stamp and not action.creates)
                known = made.id if made else getattr(action.payload, "contact_id", "")
                (read,) = connector.get("contacts", [known])
                predicted = connector.stored_form(action)
                assert connector.current_form(action, read) == predicted
                if action.creates:
                    began = connector.server_time()
                    assert began is not None and action.marker is not None
                    since = began - connector.capabilities.lookback
                    found = connector.find(action.kind, [action.marker, "NW-O0"], since)
                    assert [r.id for r in found.values()] == [read.id]

    def test_each_field_that_it_says_it_holds_is_set_and_cleared_and_disturbs_no_other(
        self, connector: Connector, world: World
    ) -> None:
        for kind, contact in world.contacts_to_change().items():
            fields = connector.capabilities.contact_fields[kind]
            assert fields <= set(FIELDS)
            # "emails" before "email": without its primary address a list has another one.
            for field in sorted(fields, reverse=True):
                # A record needs a name: a part of it is cleared only while the other is there.
                cleared = () if field in ("name", "first_name") else (None,)
                held = [
                    self._changed(connector, world, contact, field, value)
                    for value in (*SAMPLES[field], *cleared)
                ]
                assert any(held[: len(SAMPLES[field])]), f"{kind} holds no {field}"

    def _changed(
        self, connector: Connector, world: World, contact: str, field: str, value: str | None
    ) -> bool:
        """One field written: read back as it was asked for; or False: refused beforehand with a
        reason (no room for so many, or it cannot be cleared)."""
        (before,) = connector.get("contacts", [contact])
        action = contact_change(connector, contact, {field: value})
        refused = connector.unfit(action)
        if refused is not None:
            assert refused.field == field and refused.next_step, refused
            return False
        (call,) = connector.prepare([action])
        (outcome,) = connector.outcomes(call, world.send(call))
        assert isinstance(outcome, Stored), outcome
        (read,) = connector.get("contacts", [contact])
        assert isinstance(before, Contact) and isinstance(read, Contact)
        was, now = values_of(before), values_of(read)
        assert same(field, now[field], value), (field, value, now[field])
        touched = {field} if field not in NAMES else set(NAMES)
        assert {f: v for f, v in now.items() if f not in touched} == {
            f: v for f, v in was.items() if f not in touched
        }
        return True

    def test_a_field_that_it_does_not_hold_is_refused_before_and_by_name(
        self, connector: Connector, world: World
    ) -> None:
        for kind, contact in world.contacts_to_change().items():
            for field in set(FIELDS) - connector.capabilities.contact_fields[kind]:
                action = contact_change(connector, contact, {field: SAMPLES[field][0]})
                refused = connector.unfit(action)
                assert refused is not None and refused.field == field and refused.next_step
                assert connector.unfit(contact_change(connector, contact, {field: None})) is None

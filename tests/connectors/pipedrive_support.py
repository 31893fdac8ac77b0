"""A Pipedrive account to test against: a sandbox behind HTTP, people, and the door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from pydantic import SecretStr

from syncjob.clock import SystemClock
from syncjob.connectors.base import Prepared
from syncjob.connectors.pipedrive.connector import PipedriveConnector
from syncjob.connectors.pipedrive.options import PipedriveOptions
from syncjob.core.actions import (
    Action,
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    NoteDraft,
    Payload,
    Task,
    Wave,
)
from syncjob.core.needs import NOTHING, Needs
from syncjob.core.rules.settlement import STATE_WORDS
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Entropy, Fault, FaultBook
from syncjob.sandbox.pipedrive import Options, PipedriveServer
from syncjob.transport.auth import ApiToken
from syncjob.transport.client import HttpChannel
from syncjob.transport.limits import no_limits
from syncjob.transport.wire import Answer, Call, Request

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN = "5ecret-t0ken-5ecret-t0ken"
WAVES = {
    DealChange: Wave.DEAL_STATUS,
    MarkerChange: Wave.CRM_CONTACTS,
    ContactChange: Wave.CRM_CONTACTS,
    CrmContactDraft: Wave.CRM_CONTACTS,
    Task: Wave.NOTICES,
    NoteDraft: Wave.NOTICES,
}


#: What people call the records of a stream, by which name they are told, how our ids begin.
_CONTACTS = {"organizations": ("org", "org", "org:"), "persons": ("person", "person", "person:")}


class OpenDoor:
    """Admits every write: journaling is tested elsewhere."""

    def admit(self, calls: Sequence[Call]) -> None: ...

    def sent(self, calls: Sequence[Call], token_generation: int) -> None: ...


class QuickClock(SystemClock):
    """A clock whose naps take no time."""

    def sleep(self, seconds: float) -> None: ...


def options_for(api_url: str, **changed: Any) -> PipedriveOptions:
    told = {"type": "pipedrive", "api_url": api_url, "api_token": SecretStr(TOKEN)}
    return PipedriveOptions.model_validate({**told, "plan": "growth", **changed})


def channel_for(options: PipedriveOptions, token: str = "") -> HttpChannel:
    clock = QuickClock()
    secret = SecretStr(token) if token else options.api_token
    return HttpChannel(
        "Pipedrive",
        side="crm",
        mode="full",
        clock=clock,
        auth=ApiToken("x-api-token", secret),
        limits=no_limits(clock),
        door=OpenDoor(),
        origins=(options.api_url,),
    )


def action_of(payload: Payload) -> Action:
    subject = getattr(payload, "contact_id", None) or f"deal:{getattr(payload, 'deal_id', '')}"
    return Action(
        side="crm", wave=WAVES[type(payload)], subject=subject, target=subject,
        payload=payload, reason="a test",
    )  # fmt: skip


class PipedriveWorld:
    """People at work in the sandbox; the `World` of the contract suite."""

    streams = ("deals", "archived_deals", "organizations", "persons")
    secret = TOKEN

    def __init__(self, **chosen: Any) -> None:
        self.clock, self.faults = Clock(NOON), FaultBook()
        told = {"limits": False, "search_lag_max_s": 0.0, "api_token": TOKEN, **chosen}
        self.server = PipedriveServer(self.clock, Entropy(7), Options(**told), self.faults)
        self.sandbox = Sandbox([self.server], self.clock, self.faults)
        self.api_url = f"{self.sandbox.start()}/pipedrive"
        self.options = options_for(self.api_url)
        self._calls = 0

    def act(self, act: str, **payload: Any) -> dict[str, Any]:
        with self.sandbox.host.locked("pipedrive"):
            return self.server.people(act, payload)

    def found_fields(self) -> None:
        """The fields that `syncjob init` would make, made by hand."""
        kinds = {"total": "monetary", "due": "monetary", "paid": "double", "credited": "monetary"}
        kinds |= {"due_date": "date", "paid_on": "date", "reason": "text"}
        kinds |= {"overdue_amount": "monetary"}
        for key, name in self.options.fields.names().items():
            options = list(STATE_WORDS) if key == "status" else None
            kind = "enum" if options else kinds.get(key, "varchar")
            self.act("create_field", name=name, type=kind, options=options)
        for kind in ("organizations", "persons"):
            self.act("create_field", kind=kind, name="syncjob key")

    def connect(self, *, token: str = "", needs: Needs = NOTHING, **changed: Any) -> Any:
        options = options_for(self.api_url, **changed)
        self.channel = channel_for(options, token)
        return PipedriveConnector(options, self.channel, needs=needs)

    def calls(self, method: str = "", path: str = "") -> list[Any]:
        """Requests seen since `mark`, by method and a part of the path."""
        found = self.sandbox.host.log.find("pipedrive", method or None, path, self._calls)
        return list(found)

    def mark(self) -> None:
        known = self.sandbox.host.log.find("pipedrive", None, "", 0)
        self._calls = max((c.n for c in known), default=0)

    # --- the contract's World --------------------------------------------------------------------

    def fill(self, stream: str, count: int) -> list[str]:
        if stream in _CONTACTS:
            act, _, prefix = _CONTACTS[stream]
            rows = [self.act(f"create_{act}", name=f"{act} {n}") for n in range(count)]
            return [f"{prefix}{row['id']}" for row in rows]
        archived = stream == "archived_deals"
        made = [
            self.act("create_deal", title=f"Deal {n}", is_archived=archived) for n in range(count)
        ]
        return [str(deal["id"]) for deal in made]

    def touch(self, stream: str, record_id: str) -> None:
        if stream in _CONTACTS:
            act, name, prefix = _CONTACTS[stream]
            self.act(f"edit_{act}", **{name: int(record_id.removeprefix(prefix)), "name": "new"})
        elif stream == "archived_deals":
            self.act("unarchive_deal", deal=int(record_id))
            self.act("archive_deal", deal=int(record_id))
        else:
            self.act("edit_deal", deal=int(record_id), title="touched")

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def writes(self) -> int:
        return sum(call.method != "GET" for call in self.calls())

    def actions(self) -> list[Action]:
        deal = self.act("create_deal", title="One", currency="GBP")["id"]
        org = self.act("create_org", name="Ørsted & Søn")["id"]
        values = {
            "Invoice status": "part-paid",
            "Invoice total": "120.50",
            "Invoice note": " a\nb ",
        }
        values |= {"Invoice due date": "2026-04-01", "Invoice paid": "7", "Invoice link": None}
        change = DealChange(deal_id=str(deal), fields=values, currency="GBP")
        mark = MarkerChange(contact_id=f"org:{org}", marker="NW-O12")
        return [action_of(p) for p in (change, mark, self.task(deal), *self.contacts())]

    def contacts_to_change(self) -> dict[str, str]:
        """Lone ones, so that nothing else of them changes; with fields that they have already."""
        emails, phones = [{"value": "old@x.test", "label": "home"}, "b@x.test"], ["1"]
        person = self.act("create_person", name="Ann Lee", emails=emails, phones=phones)["id"]
        org = self.act("create_org", name="Acme", address="1 High St, Hull")["id"]
        return {"person": f"person:{person}", "organization": f"org:{org}"}

    def contacts(self) -> list[Payload]:
        """Each kind of write to a contact, with each field that an account has by itself."""
        person = self.act("create_person", name="Ann Lee", phone="1", email="a@x.test")["id"]
        org = self.act("create_org", name="Acme", address="Hull")["id"]
        named = {"first_name": "Mary Ann", "last_name": "Lee", "name": "Mary Ann Lee"}
        ways = {"email": "m@x.test", "emails": "n@x.test", "phones": "+44 20 7946 0123\n2"}
        home = '{"lines":["1 High St"],"city":"York","country":"United Kingdom"}'
        return [
            ContactChange(contact_id=f"person:{person}", values={**named, **ways}),
            ContactChange(contact_id=f"org:{org}", values={"name": " New\tname ", "postal": None}),
            CrmContactDraft(
                kind="organization", marker="NW-L1", values={"name": "Ørsted", "postal": home}
            ),
            CrmContactDraft(
                kind="person",
                marker="NW-L2",
                values={**named, **ways},
                organization_id=f"org:{org}",
            ),
        ]

    def task(self, deal: int, marker: str = "NW-1-A1", **more: Any) -> Task:
        owner = str(self.server.tokens[TOKEN])
        told = {"subject": "Überfällig: INV-1", "note": "5 < 6 & so", "due": date(2026, 3, 3)}
        return Task(marker=marker, deal_id=str(deal), owner_id=owner, **{**told, **more})

    def send(self, prepared: Prepared) -> Answer:
        return self.send_request(prepared.request)

    def send_request(self, request: Request) -> Answer:
        return self.channel.write(Call(id=1, request=request, fence=1))

    def break_reads(self, status: int, kind: str, body: bytes) -> None:
        self.faults.add(
            Fault(
                "status", method="GET", times=99, status=status, body=body.decode(),
                headers={"Content-Type": kind},
            )
        )  # fmt: skip

    def close(self) -> None:
        self.sandbox.stop()

"""A HubSpot account to test against: a sandbox behind HTTP, people, and the door."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from pydantic import SecretStr

from syncjob.connectors.base import Prepared
from syncjob.connectors.hubspot.client import READS
from syncjob.connectors.hubspot.connector import HubSpotConnector
from syncjob.connectors.hubspot.limits import limit_rules
from syncjob.connectors.hubspot.options import HubSpotOptions
from syncjob.core.actions import (
    Action,
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    NoteDraft,
    Payload,
    Task,
)
from syncjob.core.needs import NOTHING, Needs
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.hubspot import HubSpotServer, Options
from syncjob.sandbox.kernel import Clock, Entropy, Fault, FaultBook
from syncjob.transport.auth import ApiToken
from syncjob.transport.client import HttpChannel
from syncjob.transport.limits import Limits, no_limits
from syncjob.transport.wire import Answer, Call, Request
from tests.transport.kit import FakeClock

from .pipedrive_support import OpenDoor, QuickClock, action_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOKEN = "pat-eu1-5ecret-5ecret-5ecret"
#: What people call the records of a stream, and how our ids begin.
_CONTACTS = {"organizations": ("org", "org:"), "persons": ("person", "person:")}


def options_for(api_url: str, **changed: Any) -> HubSpotOptions:
    told = {"type": "hubspot", "api_url": api_url, "access_token": SecretStr(TOKEN)}
    return HubSpotOptions.model_validate({**told, "plan": "professional", **changed})


def channel_for(
    options: HubSpotOptions, token: str = "", limited: FakeClock | None = None
) -> HttpChannel:
    """`limited`: the account's limits hold, by this clock."""
    clock = limited or QuickClock()
    return HttpChannel(
        "HubSpot",
        side="crm",
        mode="full",
        clock=clock,
        auth=ApiToken("Authorization", SecretStr(token or TOKEN), prefix="Bearer "),
        limits=Limits(limit_rules(options), clock=clock) if limited else no_limits(clock),
        door=OpenDoor(),
        origins=(options.api_url,),
        reads=READS,
    )


class HubSpotWorld:
    """People at work in the sandbox; the `World` of the contract suite."""

    streams = ("deals", "deleted_deals", "organizations", "persons")
    secret = TOKEN

    def __init__(self, **chosen: Any) -> None:
        self.clock, self.faults = Clock(NOON), FaultBook()
        told = {"limits": False, "index_lag_max_s": 0, "access_token": TOKEN, **chosen}
        self.server = HubSpotServer(self.clock, Entropy(7), Options(**told), self.faults)
        self.sandbox = Sandbox([self.server], self.clock, self.faults)
        self.api_url = f"{self.sandbox.start()}/hubspot"
        self.options = options_for(self.api_url)
        self._calls = 0

    def act(self, act: str, **payload: Any) -> dict[str, Any]:
        with self.sandbox.host.locked("hubspot"):
            return self.server.people(act, payload)

    def found_fields(self) -> None:
        """The properties that `syncjob init` makes, by the requests that it would send."""
        connector = self.connect()
        wishes = connector.missing_fields(connector.reference())
        for request in connector.create_fields(wishes):
            answer = self.send_request(request)
            assert answer.status < 300, answer.body
        self.mark()

    def connect(
        self, *, token: str = "", needs: Needs = NOTHING, limited: FakeClock | None = None,
        **changed: Any,
    ) -> Any:  # fmt: skip
        options = options_for(self.api_url, **changed)
        self.channel = channel_for(options, token, limited)
        return HubSpotConnector(options, self.channel, needs=needs)

    def calls(self, method: str = "", path: str = "") -> list[Any]:
        """Requests seen since `mark`, by method and a part of the path."""
        return list(self.sandbox.host.log.find("hubspot", method or None, path, self._calls))

    def paths(self) -> list[str]:
        """The paths asked since `mark`, without version and mount."""
        return [
            c.path.replace("/2026-09", "").removeprefix("/hubspot/").removeprefix("crm/")
            for c in self.calls()
        ]

    def mark(self) -> None:
        known = self.sandbox.host.log.find("hubspot", None, "", 0)
        self._calls = max((c.n for c in known), default=0)

    # --- the contract's World --------------------------------------------------------------------

    def fill(self, stream: str, count: int) -> list[str]:
        if stream in _CONTACTS:
            act, prefix = _CONTACTS[stream]
            rows = [self.act(f"create_{act}", name=f"{act} {n}") for n in range(count)]
            return [f"{prefix}{row['id']}" for row in rows]
        made = [str(self.act("create_deal", title=f"Deal {n}")["id"]) for n in range(count)]
        for deal in made if stream == "deleted_deals" else ():
            self.act("delete_deal", deal=int(deal))
        return made

    def touch(self, stream: str, record_id: str) -> None:
        if stream in _CONTACTS:
            act, prefix = _CONTACTS[stream]
            self.act(f"edit_{act}", **{act: int(record_id.removeprefix(prefix)), "name": "new"})
        elif stream == "deleted_deals":
            self.act("restore_deal", deal=int(record_id))
            self.act("delete_deal", deal=int(record_id))
        else:
            self.act("edit_deal", deal=int(record_id), title="touched")

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def writes(self) -> int:
        asks = [c for c in self.calls() if c.method == "POST" and c.path.endswith(READS)]
        return sum(call.method != "GET" for call in self.calls()) - len(asks)

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
        note = NoteDraft(
            marker=f"NW-{deal}-A1.paid", deal_id=str(deal), text="Paid", happening="paid",
            invoice_id="i1",
        )  # fmt: skip
        return [action_of(p) for p in (change, mark, self.task(deal), note, *self.contacts())]

    def contacts_to_change(self) -> dict[str, str]:
        """Lone ones, so that nothing else of them changes; with fields that they have already."""
        person = self.act("create_person", name="Ann Lee", email="old@x.test", phone="1")["id"]
        org = self.act("create_org", name="Acme", address="1 High St, Hull")["id"]
        return {"person": f"person:{person}", "organization": f"org:{org}"}

    def contacts(self) -> list[Payload]:
        """Each kind of write to a contact, with each field that an account has by itself."""
        person = self.act("create_person", name="Ann Lee", phone="1", email="a@x.test")["id"]
        org = self.act("create_org", name="Acme", address="Hull")["id"]
        named = {"first_name": "Mary Ann", "last_name": "Lee", "name": "Mary Ann Lee"}
        home = '{"lines":["1 High St"],"city":"York","country":"United Kingdom"}'
        phones = {"phones": "+44 20 7946 0123\n2"}
        return [
            ContactChange(
                contact_id=f"person:{person}", values={**named, **phones, "email": "m@x.test"}
            ),
            ContactChange(contact_id=f"org:{org}", values={"name": " New\tname ", "postal": None}),
            CrmContactDraft(
                kind="organization", marker="NW-L1", values={"name": "Ørsted", "postal": home}
            ),
            CrmContactDraft(
                kind="person",
                marker="NW-L2",
                values={**named, **phones, "email": "n@x.test"},
                organization_id=f"org:{org}",
            ),
        ]

    def task(self, deal: int, marker: str = "", **more: Any) -> Task:
        owner = str(next(iter(self.server.store.owners)))
        told = {"subject": "Überfällig: INV-1", "note": "5 < 6 & so", "due": date(2026, 3, 3)}
        marker = marker or f"NW-{deal}-A1.260302.3.9"
        return Task(marker=marker, deal_id=str(deal), owner_id=owner, **{**told, **more})

    def send(self, prepared: Prepared) -> Answer:
        return self.send_request(prepared.request)

    def send_request(self, request: Request) -> Answer:
        return self.channel.write(Call(id=1, request=request, fence=1))

    def break_reads(self, status: int, kind: str, body: bytes) -> None:
        for method in ("GET", "POST"):
            self.faults.add(
                Fault(
                    "status", method=method, times=99, status=status, body=body.decode(),
                    headers={"Content-Type": kind},
                )
            )  # fmt: skip

    def close(self) -> None:
        self.sandbox.stop()

"""A sandbox HubSpot without a socket, on a clock that stands until it is moved."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from syncjob.sandbox.host import Host
from syncjob.sandbox.hubspot import HubSpotServer, Options
from syncjob.sandbox.kernel import Clock, Entropy, FaultBook, Reply, Request

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WIDGET = {"name": "Widget", "price": 100, "quantity": 1, "tax": 20}


class Hub:
    """One account, with the calls of an app and the deeds of people."""

    def __init__(self, **options: Any) -> None:
        given = {"limits": False, "index_lag_max_s": 0, **options}
        self.clock, self.faults = Clock(NOON), FaultBook()
        self.server = HubSpotServer(self.clock, Entropy(3), Options(**given), self.faults)
        self.host = Host([self.server], self.clock, self.faults)
        self.token = self.server.options.access_token

    def call(
        self, method: str, path: str, body: Any = None, *, version: str = "2026-09",
        token: str | None = None, raw: bytes | None = None,
    ) -> Reply:  # fmt: skip
        """`path` has `@` where the version stands."""
        path, _, query = path.replace("/@", f"/{version}").partition("?")
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        headers = (("Authorization", f"Bearer {token or self.token}"),)
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        return self.host.exchange(Request(method, f"/hubspot/{path}", pairs, headers, sent))

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        reply = self.call(method, path, body, **more)
        assert reply.status < 300, (reply.status, reply.body)
        return reply.json() if reply.body else None

    def refused(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        reply = self.call(method, path, body, **more)
        assert reply.status == status, (reply.status, reply.body)
        return reply.json()

    def act(self, deed: str, /, **payload: Any) -> dict[str, Any]:
        return self.server.people(deed, payload)

    def deal(self, **more: Any) -> int:
        """A deal of a person's making, with one line of 100.00."""
        given = {"title": "Spring order", "lines": [WIDGET], **more}
        return int(self.act("create_deal", **given)["id"])

    def search(self, kind: str, *filters: dict[str, Any], **body: Any) -> dict[str, Any]:
        groups = [{"filters": list(filters)}] if filters else []
        sent = {"filterGroups": groups, "limit": 200, **body}
        return self.ok("POST", f"crm/objects/@/{kind}/search", sent)  # type: ignore[no-any-return]

    def found(self, kind: str, *filters: dict[str, Any], **body: Any) -> list[str]:
        return [r["id"] for r in self.search(kind, *filters, **body)["results"]]

    def props(self, kind: str, key: Any, *names: str) -> dict[str, Any]:
        path = f"crm/objects/@/{kind}/{key}?properties={','.join(names)}"
        return self.ok("GET", path)["properties"]  # type: ignore[no-any-return]

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """One filter of a search."""
    made = {"propertyName": name, "operator": operator, **more}
    return made if value is None else {**made, "value": value}


def codes(body: dict[str, Any]) -> dict[str, str]:
    """What is wrong with each property of a refused write."""
    return {e["context"]["propertyName"][0]: e["code"] for e in body["errors"]}

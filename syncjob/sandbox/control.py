"""The control door: a test, a judge or a user acts as the people, moves time, injects faults."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from syncjob.sandbox.host import Host
from syncjob.sandbox.kernel import ActError, Fault, Reply, Request

PREFIX = "/control"


class Control:
    """Answers everything under /control of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def handle(self, request: Request) -> Reply:
        try:
            return Reply.of_json(self._dispatch(request))
        except (ActError, TypeError, ValueError, KeyError) as error:
            return Reply.of_json({"error": f"{type(error).__name__}: {error}"}, 400)

    def _dispatch(self, request: Request) -> Any:
        parts = request.path[len(PREFIX) :].strip("/").split("/")
        match request.method, *parts:
            case "GET", "state", name:
                return self._state(name)
            case "GET", "calls":
                return self._calls(request)
            case "DELETE", "calls":
                self._host.log.clear()
                return {}
            case "GET", "clock":
                return self._clock()
            case "POST", "clock":
                return self._move_clock(_payload(request))
            case "GET", "faults":
                return [asdict(f) for f in self._host.faults.pending()]
            case "POST", "faults":
                return asdict(self._host.faults.add(Fault(**_payload(request))))
            case "DELETE", "faults":
                self._host.faults.clear()
                return {}
            case "POST", name, act:
                return self.act(name, act, _payload(request))
        raise ActError(f"no such control: {request.method} {request.path}")

    def act(self, name: str, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One deed of a person on one server."""
        self._host.settle_late()
        self._known(name)
        with self._host.locked(name) as server:
            return server.people(act, payload)

    def _known(self, name: str) -> None:
        if name not in self._host.servers:
            raise ActError(f"no server {name!r}; there are {sorted(self._host.servers)}")

    def _state(self, name: str) -> dict[str, Any]:
        self._known(name)
        self._host.settle_late()
        with self._host.locked(name) as server:
            return server.dump()

    def _calls(self, request: Request) -> list[dict[str, Any]]:
        found = self._host.log.find(
            request.arg("server"),
            request.arg("method"),
            request.arg("path") or "",
            int(request.arg("since") or 0),
        )
        return [c.to_json() for c in found]

    def _clock(self) -> dict[str, Any]:
        return {"now": self._host.clock.now().isoformat(), "frozen": self._host.clock.frozen}

    def _move_clock(self, payload: dict[str, Any]) -> dict[str, Any]:
        if not payload or payload.keys() - {"set", "advance_seconds"}:
            raise ActError('a clock is moved by {"set": TIME} or {"advance_seconds": NUMBER}')
        if "set" in payload:
            instant = datetime.fromisoformat(payload["set"])
            self._host.clock.set(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
        self._host.clock.advance(float(payload.get("advance_seconds", 0)))
        self._host.settle_late()
        return self._clock()


def _payload(request: Request) -> dict[str, Any]:
    value = json.loads(request.body or b"{}")
    if not isinstance(value, dict):
        raise ActError("the body must be a JSON object")
    return value

"""The kernel: time, routing, the log without secrets, and each kind of fault over real sockets."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from typing import Any, ClassVar

import pytest
import requests

from syncjob.sandbox.host import Host
from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock, Dropped, Entropy, Fault, Reply, Request

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Counter:
    """A server that counts its POSTs."""

    name = "counter"
    prefixes: ClassVar = {"/counter/api": "counter", "/counter/token": "counter-identity"}

    def __init__(self) -> None:
        self.count = 0

    def handle(self, request: Request) -> Reply:
        if request.method == "POST":
            self.count += 1
            return Reply.of_json({"count": self.count}, effect="applied")
        return Reply.of_json({"count": self.count, "in_flight": request.in_flight})

    def people(self, act: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.count = payload["to"]
        return {"act": act}

    def dump(self) -> dict[str, Any]:
        return {"count": self.count}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([Counter()], Clock(T0)) as running:
        yield running


def post(sandbox: Sandbox, **more: Any) -> requests.Response:
    return requests.post(sandbox.base_url + "/counter/api/x", timeout=5, **more)


def truth(sandbox: Sandbox) -> int:
    count: int = requests.get(sandbox.base_url + "/control/state/counter", timeout=5).json()[
        "count"
    ]
    return count


def test_answers_with_the_sandbox_date(sandbox: Sandbox) -> None:
    answer = post(sandbox)
    assert parsedate_to_datetime(answer.headers["Date"]) == T0
    assert answer.raw.version == 11
    sandbox.host.clock.advance(60)
    assert parsedate_to_datetime(post(sandbox).headers["Date"]).minute == 1


def test_keeps_the_connection_alive(sandbox: Sandbox) -> None:
    connection = HTTPConnection(sandbox.base_url.removeprefix("http://"), timeout=5)
    ports = set()
    for _ in range(3):
        connection.request("POST", "/counter/api/x", body=iter([b"ab", b"cde"]))
        connection.getresponse().read()
        ports.add(connection.sock.getsockname())
    connection.close()
    assert (len(ports), truth(sandbox)) == (1, 3)
    assert sandbox.host.log.find()[0].body == b"abcde"


@pytest.mark.parametrize(
    ("kind", "count"), [("refuse", 0), ("lost", 1), ("truncate", 1), ("late", 0)]
)
def test_faults_that_cut_the_connection(sandbox: Sandbox, kind: str, count: int) -> None:
    sandbox.host.faults.add(Fault(kind, delay_s=30))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(sandbox)
    assert truth(sandbox) == count
    assert sandbox.host.log.find("counter")[0].fault == kind
    sandbox.host.clock.advance(31)
    assert truth(sandbox) == (0 if kind == "refuse" else 1)
    effect = "none" if kind == "refuse" else "applied"
    assert sandbox.host.log.find("counter")[0].effect == effect


def test_a_status_fault_before_or_after_the_effect(sandbox: Sandbox) -> None:
    url = sandbox.base_url + "/control/faults"
    fault = {"kind": "status", "status": 503, "headers": {"Retry-After": "7"}, "skip": 1}
    assert requests.post(url, json=fault, timeout=5).ok
    requests.post(url, json={"kind": "html", "status": 502, "when": "after", "skip": 1}, timeout=5)
    assert post(sandbox).status_code == 200
    answer = post(sandbox)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert truth(sandbox) == 1
    assert post(sandbox).text.startswith("<!DOCTYPE")
    assert truth(sandbox) == 2
    assert [c.effect for c in sandbox.host.log.find()] == ["applied", "none", "applied"]


def test_a_timeout_applies_all_the_same(sandbox: Sandbox) -> None:
    sandbox.host.faults.add(Fault("timeout", delay_s=0.3))
    with pytest.raises(requests.ReadTimeout):
        requests.post(sandbox.base_url + "/counter/api/x", timeout=0.1)
    other = requests.get(sandbox.base_url + "/counter/api/x", timeout=5)
    assert other.json()["in_flight"] == 2
    sandbox.host._sleep(0.4)
    assert truth(sandbox) == 1


def test_an_unknown_fault_is_refused(sandbox: Sandbox) -> None:
    url = sandbox.base_url + "/control/faults"
    assert requests.post(url, json={"kind": "boom"}, timeout=5).status_code == 400
    assert requests.post(url, json={"sort": "lost"}, timeout=5).status_code == 400


def test_control_acts_and_moves_the_clock(sandbox: Sandbox) -> None:
    url = sandbox.base_url + "/control"
    assert requests.post(url + "/counter/put", json={"to": 7}, timeout=5).json() == {"act": "put"}
    assert truth(sandbox) == 7
    moved = requests.post(url + "/clock", json={"advance_seconds": 90}, timeout=5).json()
    assert moved["now"] == "2026-03-01T12:01:30+00:00"
    requests.post(url + "/clock", json={"set": "2026-04-01T00:00:00"}, timeout=5)
    assert sandbox.host.clock.now() == datetime(2026, 4, 1, tzinfo=UTC)
    assert requests.post(url + "/nobody/act", json={}, timeout=5).status_code == 400


def test_the_log_holds_no_secret(sandbox: Sandbox) -> None:
    url = sandbox.base_url + "/counter/token?api_token=hush1"
    form = {"client_secret": "hush2", "refresh_token": "hush3", "grant_type": "refresh_token"}
    requests.post(url, data=form, headers={"Authorization": "Bearer hush4"}, timeout=5)
    requests.post(url, json={"access_token": "hush5", "a": 1}, timeout=5)
    calls = requests.get(sandbox.base_url + "/control/calls", timeout=5)
    assert "hush" not in calls.text
    assert "grant_type=refresh_token" in calls.text
    assert sandbox.host.log.count("counter-identity", "POST", "/counter/token") == 2


def test_a_host_without_sockets_copies_deeply() -> None:
    host = Host([Counter()], Clock(T0))
    host.exchange(Request("POST", "/counter/api/x"))
    host.faults.add(Fault("lost"))
    twin = copy.deepcopy(host)
    with pytest.raises(Dropped):
        twin.exchange(Request("POST", "/counter/api/x"))
    assert [s.dump()["count"] for h in (host, twin) for s in h.servers.values()] == [1, 2]


def test_entropy_repeats_itself() -> None:
    one, two = Entropy(5), Entropy(5)
    assert [one.uuid() for _ in range(3)] == [two.uuid() for _ in range(3)]
    assert one.uuid()[14] == "4"

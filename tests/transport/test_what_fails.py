"""What goes wrong on the way to a vendor, a monitor or a message's way is an answer of its own."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import requests
import responses
from pydantic import SecretStr

from syncjob.errors import AuthFailed, OutcomeUnknown, SyncJobError, Unreachable
from syncjob.transport.exchange import Exchange, NeverLeft
from syncjob.transport.hands import Hands
from syncjob.transport.heartbeat import ping
from syncjob.transport.post import OTHER, PostChannel
from syncjob.transport.wire import Answer, Call, Request
from tests.transport.kit import URL, FakeClock, RecordingDoor, call, get, make_channel


def test_what_one_of_several_jobs_raises_is_raised_once_all_have_ended() -> None:
    ended: list[int] = []

    def job(number: int) -> int:
        ended.append(number)
        if number % 2:
            raise ArithmeticError(str(number))
        return number

    hands: Hands[int] = Hands()
    with pytest.raises(ArithmeticError, match="1"):
        hands.all([lambda n=n: job(n) for n in range(4)])  # type: ignore[misc]
    assert sorted(ended) == [0, 1, 2, 3]
    assert hands.all([lambda: 7, lambda: 8]) == [7, 8]
    hands.close()


def test_requests_that_no_adapter_carries_fail_each_by_itself() -> None:
    exchange = Exchange("Pipedrive", clock=FakeClock(), session=requests.Session())
    brought = exchange.send_all([get("gopher://a.test/1"), get("gopher://a.test/2")], {})
    assert len(brought) == 2
    assert not any(isinstance(one.what, Answer) for one in brought)
    exchange.close()


def test_a_monitor_whose_address_is_none_is_told_of_and_raises_nothing() -> None:
    said = ping(SecretStr("gopher://ping.test/secret-key"), "success", clock=FakeClock())
    assert said is not None and "secret-key" not in said


# --- credentials that fail in the middle ----------------------------------------------------------


class Credentials:
    """Gives a token until it is told not to, and fails to renew it."""

    def __init__(self, *, first: SyncJobError | None = None) -> None:
        self.first = first

    def headers(self) -> dict[str, str]:
        if self.first:
            raise self.first
        return {"x-api-token": "t"}

    def generation(self) -> int:
        return 1

    def refused(self, generation: int) -> bool:
        raise Unreachable("The identity server is away.")


def test_without_credentials_no_write_leaves() -> None:
    door = RecordingDoor()
    channel = make_channel(auth=Credentials(first=AuthFailed("The token is gone.")), door=door)
    for written in channel.write_all([call(), call()]):
        assert isinstance(written, AuthFailed)
    assert door.events == []


@responses.activate
def test_a_refused_token_that_cannot_be_renewed_now_is_tried_later() -> None:
    responses.post(URL, status=401, json={})
    (written,) = make_channel(auth=Credentials()).write_all([call()])
    assert isinstance(written, Unreachable) and "identity server" in str(written)


# --- messages -------------------------------------------------------------------------------------


def post(address: str, **more: Any) -> PostChannel:
    hooks = {"other": SecretStr(address)}
    return PostChannel(
        mode="full", clock=FakeClock(), door=RecordingDoor(), server=None, hooks=hooks, **more
    )


def message(kind: str) -> Call:
    return Call(id=1, request=Request(method="POST", url=f"{kind}:other", body=b"hi"), fence=1)


def test_ways_whose_library_is_not_installed_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (written,) = post("ntfy://topic").write_all([message(OTHER)])
    assert isinstance(written, Unreachable)
    assert "Apprise library, which is not installed" in str(written)


def test_one_message_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer stands in its message's place."""

    class Library:
        class Apprise:
            def add(self, _: str) -> bool:
                return True

            def notify(self, **_: str) -> bool:
                return False

    monkeypatch.setitem(sys.modules, "apprise", Library())
    first, second = post("ntfy://topic").write_all([message(OTHER), message(OTHER)])
    assert isinstance(first, OutcomeUnknown) and isinstance(second, OutcomeUnknown)


def test_what_never_left_is_no_lost_answer() -> None:
    (one,) = Exchange("Pipedrive", clock=FakeClock()).send_all([get("http://127.0.0.1:9/x")], {})
    assert isinstance(one.what, NeverLeft)

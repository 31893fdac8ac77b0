"""Several writes at once: each as if it were alone, the limits counted for all."""

from __future__ import annotations

import threading

import pytest
import responses

from syncjob.errors import (
    AuthFailed,
    OutcomeUnknown,
    Paused,
    RefusedAtDoor,
    StateError,
    Throttled,
    Unreachable,
)
from syncjob.transport.hands import Hands
from syncjob.transport.limits import LimitRules, Limits, Window
from syncjob.transport.wire import Answer, Call, Request

from .kit import URL, FakeClock, RecordingDoor, make_channel
from .test_writes import Rotating

BURST = Window(name="burst", seconds=2, allowed=20, remaining_header="x-left")


@pytest.fixture
def http():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def calls(count, method="PATCH"):
    return [
        Call(id=n, request=Request(method=method, url=f"{URL}/{n}", body=b"{}"), fence=1)
        for n in range(1, count + 1)
    ]


def limited(clock, **more):
    return Limits(LimitRules(windows=(BURST,), headroom_percent=0, **more), clock=clock)


def test_answers_stand_in_the_order_of_their_calls(http):
    for n in range(1, 6):
        http.patch(f"{URL}/{n}", json={"n": n})
    door = RecordingDoor()
    came = make_channel(door=door).write_all(calls(5))
    assert [answer.json()["n"] for answer in came] == [1, 2, 3, 4, 5]
    assert door.events == [
        *[("admit", n) for n in range(1, 6)], *[("sent", n, 0) for n in range(1, 6)]
    ]  # fmt: skip


def test_what_befalls_one_stands_in_its_place(http):
    http.patch(f"{URL}/1", json={})
    http.patch(f"{URL}/2", body=ConnectionResetError())
    http.patch(f"{URL}/3", status=429, headers={"Retry-After": "7"})
    http.patch(f"{URL}/4", status=402, json={})
    http.patch(f"{URL}/5", status=500, json={})
    channel = make_channel()
    came = channel.write_all(calls(5))
    assert [type(one) for one in came] == [Answer, OutcomeUnknown, Throttled, AuthFailed, Answer]
    assert channel.usage().writes == 5


def test_all_leave_at_the_same_time_and_none_waits_for_another(http):
    together = threading.Barrier(4, timeout=20)

    def meet(_request):
        together.wait()
        return 200, {}, "{}"

    for n in range(1, 5):
        http.add_callback(responses.PATCH, f"{URL}/{n}", callback=meet)
    assert all(isinstance(one, Answer) for one in make_channel().write_all(calls(4)))


def test_a_token_that_is_refused_is_renewed_once_for_all(http):
    for n in range(1, 4):
        http.patch(f"{URL}/{n}", status=401, json={})
        http.patch(f"{URL}/{n}", json={"n": n})
    auth, door = Rotating(), RecordingDoor()
    came = make_channel(auth=auth, door=door).write_all(calls(3))
    assert [answer.status for answer in came] == [200, 200, 200]
    assert auth.now == 4  # this double renews each time that it is told of the first token
    assert [event for event in door.events if event[0] == "sent"][:3] == [
        ("sent", 1, 1), ("sent", 2, 1), ("sent", 3, 1)
    ]  # fmt: skip


def test_a_token_that_stays_refused_is_tried_once_for_all(http):
    for n in range(1, 4):
        http.patch(f"{URL}/{n}", status=401, json={})
    auth = Rotating(most=1)
    came = make_channel(auth=auth).write_all(calls(3))
    assert [type(one) for one in came] == [AuthFailed] * 3
    assert auth.refusals == [1]


@pytest.mark.parametrize("error", [Paused("stop"), StateError("full")])
def test_what_the_door_refuses_keeps_all_of_them_back(http, error):
    clock = FakeClock()
    limits = limited(clock)
    channel = make_channel(clock=clock, door=RecordingDoor(error), limits=limits)
    assert channel.write_all(calls(4)) == [error] * 4
    assert len(http.calls) == 0
    assert limits.room(1, 5) == 5  # their turns were given back


def test_one_that_must_not_leave_keeps_all_of_them_back(http):
    door = RecordingDoor()
    came = make_channel(door=door).write_all([*calls(2), *calls(1, method="DELETE")])
    assert [type(one) for one in came] == [RefusedAtDoor] * 3
    assert door.events == [] and len(http.calls) == 0


def test_room_is_what_fits_without_a_wait():
    clock = FakeClock()
    limits = limited(clock, concurrency=8)
    assert limits.room(1, 20) == 8
    for _ in range(15):
        limits.before()
        limits.after(None)
    assert limits.room(1, 8) == 5
    for _ in range(5):
        limits.before()
        limits.after(None)
    assert limits.room(1, 8) == 1  # the next one waits
    clock.pass_(2)
    assert limits.room(1, 8) == 8
    limits.block(30, "the vendor said so")
    assert limits.room(1, 8) == 1


def test_a_round_asks_for_a_used_up_day_with_one_call():
    clock = FakeClock()
    day = Window(name="day", seconds=86_400, allowed=10)
    limits = Limits(LimitRules(windows=(day,), headroom_percent=0), clock=clock)
    for _ in range(8):
        limits.before()
        limits.after(None)
    assert limits.room(1, 5) == 2
    for _ in range(2):
        limits.before()
        limits.after(None)
    assert limits.room(1, 5) == 1


def test_of_what_the_answers_say_is_left_the_least_holds():
    limits = limited(FakeClock())
    for _ in range(3):
        limits.before()
    said = [Answer(status=200, headers={"x-left": left}, body=b"") for left in ("3", "1", "2")]
    limits.after_all(said)
    assert limits.room(1, 5) == 1


def test_a_round_takes_a_turn_for_each_call(http):
    for n in range(1, 7):
        http.patch(f"{URL}/{n}", json={})
    clock = FakeClock()
    channel = make_channel(clock=clock, limits=limited(clock, concurrency=6))
    channel.write_all(calls(6))
    assert clock.naps == [] and channel.room(1, 20) == 6
    for _ in range(2):
        channel.write_all(calls(6))
    assert clock.naps == [] and channel.room(1, 20) == 2


def test_an_address_that_cannot_be_used_leaves_the_others_alone(http):
    http.patch(f"{URL}/1", json={})
    other = Call(id=9, request=Request(method="PATCH", url="gopher://x/", body=b"{}"), fence=1)
    came = make_channel().write_all([*calls(1), other])
    assert isinstance(came[0], Answer) and "cannot be requested" in str(came[1])


def test_what_never_left_is_not_counted(http):
    http.patch(f"{URL}/1", json={})
    channel = make_channel()
    down = Call(
        id=9, request=Request(method="PATCH", url="http://127.0.0.1:1/", body=b"{}"), fence=1
    )
    http.add_passthru("http://127.0.0.1:1/")
    came = channel.write_all([*calls(1), down])
    assert [type(one) for one in came] == [Answer, Unreachable]
    assert channel.usage().calls == 1


def test_hands_bring_back_all_before_they_raise():
    done = []

    def job(n):
        def do():
            if n == 1:
                raise ValueError("one of them")
            done.append(n)
            return n

        return do

    hands = Hands()
    with pytest.raises(ValueError, match="one of them"):
        hands.all([job(n) for n in range(4)])
    assert sorted(done) == [0, 2, 3]
    assert hands.all([job(n) for n in (5, 6)]) == [5, 6] and hands.all([]) == []
    hands.close()

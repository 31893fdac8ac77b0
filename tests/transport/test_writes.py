"""A write is admitted, recorded, sent once; what may have happened is never called certain."""

from __future__ import annotations

import ssl
import threading
from datetime import timedelta

import pytest
import requests
import responses
import urllib3.exceptions

from syncjob.errors import (
    AuthFailed,
    ConfigError,
    LockHeld,
    OutcomeUnknown,
    Paused,
    RefusedAtDoor,
    StateError,
    Throttled,
    Unreachable,
)
from syncjob.transport.limits import LimitRules, Limits, no_limits

from . import kit
from .kit import START, TOKEN, URL, FakeClock, RecordingDoor, call, make_channel, serving


@pytest.fixture
def http():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


class Rotating:
    """Credentials whose generation rises when refused, up to `most`."""

    def __init__(self, most: int = 9) -> None:
        self.now, self.most, self.refusals = 1, most, []

    def headers(self):
        return {"Authorization": f"Bearer {TOKEN}-{self.now}"}

    def generation(self):
        return self.now

    def refused(self, generation):
        self.refusals.append(generation)
        if self.now >= self.most:
            return False
        self.now += 1
        return True


@pytest.mark.parametrize("status", [200, 207, 400, 403, 404, 409, 422, 500, 502, 503])
def test_the_answer_is_returned_whatever_its_status_and_sent_once(http, status):
    http.post(URL, status=status, json={"said": status})
    door = RecordingDoor()
    answer = make_channel(door=door).write(call())
    assert answer.status == status and answer.json() == {"said": status}
    assert len(http.calls) == 1 and http.calls[0].request.body == b'{"a":1}'
    assert door.events == [("admit", 7), ("sent", 7, 0)]


@pytest.mark.parametrize("error", [RefusedAtDoor("no"), Paused("stop"), LockHeld("not ours")])
def test_what_the_door_refuses_does_not_leave(http, error):
    door = RecordingDoor(error)
    with pytest.raises(type(error)):
        make_channel(door=door).write(call())
    assert len(http.calls) == 0 and door.events == [("admit", 7)]


def test_nothing_leaves_that_could_not_be_recorded(http):
    class FullDisk(RecordingDoor):
        def sent(self, call, token_generation):
            raise StateError("disk full")

    channel = make_channel(door=FullDisk())
    with pytest.raises(StateError):
        channel.write(call())
    assert len(http.calls) == 0 and channel.usage().calls == 0


def test_the_mode_is_asked_before_the_door(http):
    door = RecordingDoor()
    with pytest.raises(RefusedAtDoor, match="read_only"):
        make_channel(mode="read_only", door=door).write(call())
    assert door.events == [] and len(http.calls) == 0


def test_a_get_is_not_a_write(http):
    with pytest.raises(RefusedAtDoor):
        make_channel().write(call(method="GET", body=b""))
    assert len(http.calls) == 0


def test_a_write_goes_nowhere_else(http):
    with pytest.raises(RefusedAtDoor):
        make_channel(origins=["https://api.other.test"]).write(call())
    assert len(http.calls) == 0


def test_a_429_has_no_effect_and_is_not_repeated(http):
    http.post(URL, status=429, headers={"Retry-After": "7"})
    clock = FakeClock()
    with pytest.raises(Throttled) as caught:
        make_channel(clock=clock).write(call())
    assert len(http.calls) == 1 and clock.naps == []
    assert caught.value.resume_at == START + timedelta(seconds=7)


def test_a_firewall_page_has_no_effect(http):
    http.post(URL, status=403, body="<html>blocked", content_type="text/html")
    with pytest.raises(Throttled):
        make_channel().write(call())


def test_a_refused_token_is_renewed_once_and_the_write_recorded_again(http):
    http.post(URL, status=401, json={})
    http.post(URL, json={"ok": True})
    door, auth = RecordingDoor(), Rotating()
    assert make_channel(door=door, auth=auth).write(call()).status == 200
    assert door.events == [("admit", 7), ("sent", 7, 1), ("admit", 7), ("sent", 7, 2)]
    assert http.calls[1].request.headers["Authorization"].endswith("-2")


def test_a_second_401_stops_and_renews_no_more(http):
    http.post(URL, status=401, json={})
    auth = Rotating()
    with pytest.raises(AuthFailed):
        make_channel(auth=auth).write(call())
    assert len(http.calls) == 2 and auth.refusals == [1]


@pytest.mark.parametrize("word", ["insufficient_scope", "insufficent_scope"])
def test_a_missing_scope_is_named_and_not_cured_by_a_new_token(http, word):
    http.post(URL, status=401, headers={"WWW-Authenticate": f'Bearer error="{word}"'})
    auth = Rotating()
    with pytest.raises(AuthFailed, match="scope"):
        make_channel(auth=auth).write(call())
    assert auth.refusals == [] and len(http.calls) == 1


def test_a_replay_under_another_token_is_not_sent(http):
    auth = Rotating()
    auth.now = 3
    door = RecordingDoor()
    with pytest.raises(OutcomeUnknown):
        make_channel(auth=auth, door=door).write(call(token_generation=2))
    assert len(http.calls) == 0 and door.events == []


def test_a_replay_whose_token_is_refused_is_not_sent_under_a_new_one(http):
    http.post(URL, status=401, json={})
    with pytest.raises(OutcomeUnknown):
        make_channel(auth=Rotating()).write(call(token_generation=1))
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    "script",
    [kit.hang_up, kit.reset, kit.cut_length, kit.cut_chunks, kit.cut_open_end, kit.two_lengths,
     kit.silence],
)  # fmt: skip
def test_a_lost_answer_is_unknown_and_the_write_not_repeated(script):
    with serving(script, kit.ok) as server:
        channel = make_channel(timeout=(1, 0.3))
        with pytest.raises(OutcomeUnknown) as caught:
            channel.write(call(server.url))
        assert len(server.requests) == 1
        assert channel.usage().writes == 1
        assert caught.value.where == server.url.removeprefix("http://")
        assert TOKEN not in str(caught.value)


def test_a_kept_connection_that_is_reset_on_reuse_is_unknown():
    with serving(kit.keep_then_reset, kit.ok) as server:
        channel = make_channel()
        channel.write(call(server.url))
        with pytest.raises(OutcomeUnknown):
            channel.write(call(server.url))
        assert len(server.requests) == 2  # one for each write


@pytest.mark.parametrize(
    "script", [kit.hang_up, kit.reset, kit.cut_length, kit.cut_chunks, kit.cut_open_end]
)
def test_a_read_that_was_cut_is_repeated(script):
    with serving(script, kit.ok) as server:
        assert make_channel().read(kit.get(server.url)).body == b"{}"
        assert len(server.requests) == 2


def closed_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_write_without_a_connection_certainly_has_no_effect(host):
    channel = make_channel()
    with pytest.raises(Unreachable, match="nothing was sent"):
        channel.write(call(f"http://{host}:{closed_port()}/v2/deals"))
    assert channel.usage().calls == 0


def test_a_proxy_that_is_down_certainly_has_no_effect(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://joe:hunter22@127.0.0.1:{closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(Unreachable) as caught:
        make_channel().write(call("http://api.example.test/v2/deals"))
    assert "hunter22" not in str(caught.value)


def test_a_proxy_that_refuses_a_tunnel_certainly_has_no_effect(monkeypatch):
    def refuse(server, peer):
        server.take_request(peer)
        peer.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with serving(refuse) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url.removesuffix("/v2/deals"))
        with pytest.raises(Unreachable, match="proxy"):
            make_channel().write(call())


def test_a_write_cut_behind_a_proxy_is_unknown(monkeypatch):
    with serving(kit.hang_up) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v2/deals"))
        with pytest.raises(OutcomeUnknown):
            make_channel().write(call("http://api.example.test/v2/deals"))
        assert server.requests[0].startswith(b"POST http://api.example.test/v2/deals ")


def untrusted():
    reason = urllib3.exceptions.SSLError(ssl.SSLCertVerificationError(1, "self-signed"))
    return requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", reason))


def broken_tls():
    reason = urllib3.exceptions.SSLError(ssl.SSLError(1, "bad record mac"))
    return requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", reason))


def broken_behind_a_proxy():
    reason = urllib3.exceptions.ProxyError("Unable to connect to proxy", ConnectionResetError())
    return requests.exceptions.ProxyError(urllib3.exceptions.MaxRetryError(None, "/", reason))


@pytest.mark.parametrize(
    "failure, verdict",
    [
        (untrusted(), Unreachable),
        (requests.ConnectTimeout("slow"), Unreachable),
        (broken_tls(), OutcomeUnknown),
        (broken_behind_a_proxy(), OutcomeUnknown),
        (requests.ReadTimeout("slow"), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError("cut"), OutcomeUnknown),
        (urllib3.exceptions.HTTPError("odd"), OutcomeUnknown),
        (ConnectionResetError("reset"), OutcomeUnknown),
        (requests.exceptions.InvalidProxyURL("?"), ConfigError),
    ],
)
def test_only_what_certainly_never_left_is_called_so(http, failure, verdict):
    http.post(URL, body=failure)
    with pytest.raises(verdict):
        make_channel().write(call())
    assert len(http.calls) <= 1


@pytest.mark.parametrize("url", ["ftp://api.test/x", "https:///x", "api.test", "https://a..b/x"])
def test_an_address_that_cannot_be_requested_is_a_config_error(url):
    with pytest.raises(ConfigError, match="cannot be requested"):
        make_channel().write(call(url))


def test_a_throttle_before_the_write_says_where_and_records_nothing(http):
    limits = no_limits(FakeClock())
    limits.block(3600, "come back later")
    door = RecordingDoor()
    with pytest.raises(Throttled) as caught:
        make_channel(limits=limits, door=door).write(call())
    assert caught.value.where == "api.example.test/v2/deals" and door.events == []


def test_an_error_keeps_no_secret_from_the_address(http):
    secret = "sesame-open-9"
    url = f"https://joe:{secret}@api.example.test/v2/deals?api_token={secret}"
    http.post(url, body=requests.ConnectionError(f"Max retries exceeded with url: {url}"))
    with pytest.raises(OutcomeUnknown) as caught:
        make_channel().write(call(url))
    error = caught.value
    assert secret not in f"{error!r} {error} {error.where} {error.__cause__}"
    assert error.where == "api.example.test/v2/deals"


def drip(server, peer):
    """Send a byte now and then, for ever as far as the client's patience goes."""
    server.take_request(peer)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        peer.sendall(b"x")
        threading.Event().wait(0.01)


def test_an_answer_that_drips_is_given_up_though_each_read_is_in_time():
    class Racing(FakeClock):
        def monotonic(self):
            self.elapsed += 100
            return self.elapsed

    with serving(drip) as server, pytest.raises(OutcomeUnknown, match="did not end in time"):
        make_channel(clock=Racing()).write(call(server.url))


def test_an_answer_without_end_is_given_up(http, monkeypatch):
    monkeypatch.setattr("syncjob.transport.exchange.ANSWER_BYTES_MAX", 10)
    http.post(URL, body=b"x" * 11)
    with pytest.raises(OutcomeUnknown, match="larger"):
        make_channel().write(call())


def test_each_turn_is_given_back_whatever_happens(http):
    limits = Limits(LimitRules(concurrency=1), clock=FakeClock())
    door = RecordingDoor(Paused("stop"))
    http.post(URL, body=ConnectionResetError("reset"))
    for _ in range(2):
        with pytest.raises(Paused):
            make_channel(limits=limits, door=door).write(call())
        with pytest.raises(OutcomeUnknown):
            make_channel(limits=limits).write(call())
    with pytest.raises(Unreachable):
        http.get(URL, status=500)
        make_channel(limits=limits).read(kit.get())

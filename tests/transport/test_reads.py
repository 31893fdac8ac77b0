"""Reads are repeated within bounds, and every answer that cannot be mended has its own words."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
import responses

from syncjob.errors import AuthFailed, RefusedAtDoor, Throttled, Unreachable
from syncjob.transport.limits import LimitRules, Limits, Window
from syncjob.transport.wire import Call, Request

from .kit import START, TOKEN, URL, FakeClock, get, logged, make_channel

DATE = "Sun, 22 Nov 2026 09:00:10 GMT"
BURST = Window(
    name="burst",
    seconds=2,
    allowed=20,
    remaining_header="x-ratelimit-remaining",
    reset_header="x-ratelimit-reset",
)


@pytest.fixture
def http():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_an_answer_comes_with_lower_case_headers_and_its_date(http):
    http.get(URL, json={"a": 1}, headers={"Date": DATE, "X-Thing": "1"})
    answer = make_channel().read(get())
    assert answer.json() == {"a": 1}
    assert answer.headers["x-thing"] == "1"
    assert answer.server_time == START + timedelta(seconds=10)
    assert answer.url == "api.example.test/v2/deals"


def test_server_time_is_carried_forward(http):
    http.get(URL, json={}, headers={"Date": DATE})
    clock = FakeClock()
    channel = make_channel(clock=clock)
    assert channel.server_time() is None
    channel.read(get())
    clock.pass_(5)
    assert channel.server_time() == START + timedelta(seconds=15)


@pytest.mark.parametrize(
    "said",
    ["yesterday", "Mon, 23 Nov 99999999999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2300"],
)
def test_an_odd_date_is_no_date(http, said):
    http.get(URL, json={}, headers={"Date": said})
    channel = make_channel()
    assert channel.read(get()).server_time is None
    assert channel.server_time() is None


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 521])
def test_a_server_error_is_tried_three_times_and_then_unreachable(http, status):
    http.get(URL, status=status, body="<html>oops", headers={"X-Correlation-Id": "r-77"})
    clock = FakeClock()
    with pytest.raises(Unreachable) as caught:
        make_channel(clock=clock).read(get())
    assert len(http.calls) == 3
    assert len(clock.naps) == 2 and sum(clock.naps) < 60
    assert str(status) in str(caught.value) and "r-77" in str(caught.value)
    assert caught.value.where == "api.example.test/v2/deals"


def test_a_passing_error_is_forgotten(http):
    http.get(URL, status=502)
    http.get(URL, json={"fine": True})
    assert make_channel().read(get()).json() == {"fine": True}


def test_the_same_seed_draws_the_same_waits(http):
    http.get(URL, status=500)
    naps = []
    for _ in range(2):
        clock = FakeClock()
        with pytest.raises(Unreachable):
            make_channel(clock=clock).read(get())
        naps.append(clock.naps)
    assert naps[0] == naps[1]


def test_maintenance_of_an_hour_is_not_waited_for(http):
    http.get(URL, status=503, headers={"Retry-After": "3600"})
    clock = FakeClock()
    with pytest.raises(Unreachable) as caught:
        make_channel(clock=clock).read(get())
    assert clock.naps == [] and caught.value.resume_at == START + timedelta(hours=1)


def test_a_short_retry_after_is_waited_for(http):
    http.get(URL, status=429, headers={"Retry-After": "20", "X-Rate-Limit-Problem": "minute"})
    http.get(URL, json={})
    clock = FakeClock()
    assert make_channel(clock=clock).read(get()).status == 200
    assert 20 <= sum(clock.naps) <= 21


def test_a_day_limit_ends_the_run_and_says_when_to_come_back(http):
    http.get(URL, status=429, headers={"Retry-After": "86400", "X-Rate-Limit-Problem": "day"})
    clock = FakeClock()
    channel = make_channel(clock=clock)
    with pytest.raises(Throttled) as caught:
        channel.read(get())
    assert caught.value.resume_at == START + timedelta(days=1)
    assert "day" in str(caught.value) and clock.naps == []
    with pytest.raises(Throttled):  # and nothing more is sent until then
        channel.read(get())
    assert len(http.calls) == 1


def test_retry_after_may_be_a_date(http):
    when = "Sun, 22 Nov 2026 09:00:40 GMT"
    http.get(URL, status=429, headers={"Retry-After": when, "Date": DATE})
    http.get(URL, json={})
    clock = FakeClock()
    make_channel(clock=clock).read(get())
    assert 30 <= sum(clock.naps) <= 31


def test_waits_of_one_request_never_exceed_a_minute_together(http):
    http.get(URL, status=429, headers={"Retry-After": "35"})
    clock = FakeClock()
    with pytest.raises(Throttled):
        make_channel(clock=clock).read(get())
    assert sum(clock.naps) <= 60 and len(http.calls) == 2


def test_a_429_without_retry_after_backs_off_a_few_seconds(http):
    http.get(URL, status=429)
    http.get(URL, json={})
    clock = FakeClock()
    make_channel(clock=clock).read(get())
    assert 1 <= sum(clock.naps) <= 10


def pipedrive_limits(clock):
    return Limits(LimitRules(windows=(BURST,)), clock=clock)


def test_a_burst_is_waited_for(http):
    http.get(URL, status=429, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"})
    http.get(URL, json={})
    clock = FakeClock()
    make_channel(clock=clock, limits=pipedrive_limits(clock)).read(get())
    assert 2 <= sum(clock.naps) <= 6


def test_a_used_up_daily_budget_is_not_taken_for_a_burst(http):
    http.get(URL, status=429, headers={"x-ratelimit-remaining": "17", "x-ratelimit-reset": "2"})
    clock = FakeClock()
    with pytest.raises(Throttled) as caught:
        make_channel(clock=clock, limits=pipedrive_limits(clock)).read(get())
    assert "budget of the day" in str(caught.value)
    assert caught.value.resume_at >= START + timedelta(minutes=30) and clock.naps == []


def test_a_firewall_page_is_a_throttle_and_not_a_credential_problem(http):
    page = "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>"
    http.get(URL, status=403, body=page, content_type="text/html")
    with pytest.raises(Throttled, match="Cloudflare"):
        make_channel().read(get())
    assert len(http.calls) == 1


def test_a_disconnected_organisation_stops(http):
    body = {"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}
    http.get(URL, status=403, json=body)
    with pytest.raises(AuthFailed, match="disconnected"):
        make_channel().read(get())


def test_other_403s_are_for_the_connector(http):
    http.get(URL, status=403, json={"code": "feature_capping_deals_limit"})
    assert make_channel().read(get()).status == 403


def test_a_closed_account_stops(http):
    http.get(URL, status=402, json={})
    with pytest.raises(AuthFailed, match="trial"):
        make_channel().read(get())


def test_a_proxy_that_wants_credentials_is_named(http):
    http.get(URL, status=407, body="")
    with pytest.raises(Unreachable, match="proxy"):
        make_channel().read(get())


@pytest.mark.parametrize("status", [200, 301, 304, 400, 404, 422])
def test_answers_are_handed_over_and_redirects_not_followed(http, status):
    body = "" if status == 304 else "{}"
    http.get(URL, status=status, body=body, headers={"Location": "https://elsewhere.test/"})
    assert make_channel().read(get()).status == status
    assert len(http.calls) == 1


def test_a_fixed_token_that_is_refused_stops_at_once(http):
    http.get(URL, status=401, json={"error": "unauthorized access"})
    with pytest.raises(AuthFailed, match="unauthorized access"):
        make_channel().read(get())
    assert len(http.calls) == 1


def test_only_a_get_is_a_read(http):
    from syncjob.transport.wire import Request

    with pytest.raises(RefusedAtDoor):
        make_channel().read(Request(method="POST", url=URL, body=b"{}"))
    assert len(http.calls) == 0


def test_credentials_go_nowhere_else(http):
    channel = make_channel(origins=["https://api.example.test/v2"])
    http.get(URL, json={})
    channel.read(get())
    for url in ("https://evil.test/v2/deals", "http://api.example.test/v2/deals"):
        with pytest.raises(RefusedAtDoor):
            channel.read(get(url))
    assert len(http.calls) == 1


def test_netrc_and_cookies_add_nothing(http, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.test login joe password hunter22\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    http.get(URL, json={}, headers={"Set-Cookie": "session=abc; Path=/"})
    channel = make_channel()
    channel.read(get())
    channel.read(get())
    for sent in http.calls:
        assert "Authorization" not in sent.request.headers
        assert "Cookie" not in sent.request.headers
        assert sent.request.headers["x-api-token"] == TOKEN
        assert sent.request.headers["User-Agent"].startswith("syncjob/")


def test_a_compressed_body_is_opened(http):
    body = gzip.compress(b'{"a":1}')
    http.get(URL, body=body, headers={"Content-Encoding": "gzip"}, content_type="application/json")
    assert make_channel().read(get()).json() == {"a": 1}


def test_usage_counts_every_exchange_with_its_cost(http):
    http.get(URL, status=500)
    http.get(URL, json={})
    channel = make_channel()
    channel.read(get(cost=10))
    usage = channel.usage()
    assert (usage.calls, usage.cost, usage.writes) == (2, 20, 0)


def test_each_exchange_is_logged_without_query_or_token(http):
    http.get(URL, json={}, headers={"Xero-Correlation-Id": "c-1"})
    with logged() as events:
        make_channel().read(get(URL + "?term=secret-name"))
    assert [event["event"] for event in events] == ["exchange.done"]
    event = events[0]
    assert (event["method"], event["path"], event["status"]) == ("GET", "/v2/deals", 200)
    assert event["vendor"] == "Pipedrive" and event["request_id"] == "c-1"
    assert event["duration_ms"] == 0 and event["log_level"] == "debug"
    assert TOKEN not in str(events) and "secret-name" not in str(events)


@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_a_page_that_echoes_the_token_gives_nothing_away(http, status):
    http.get(URL, status=status, body=f"<html>you sent {TOKEN}", content_type="text/html")
    try:
        text = str(make_channel().read(get()).body)
    except (AuthFailed, Throttled, Unreachable) as error:
        text = str(error)
    assert TOKEN not in text


SEARCH = "https://api.example.test/crm/deals/search"
ASKS = {"reads": ("/search", "/batch/read")}


def post(url: str = SEARCH) -> Request:
    return Request(method="POST", url=url, body=b"{}")


def test_a_post_that_only_asks_is_read_and_repeated_and_is_no_write(http):
    http.post(SEARCH, status=502)
    http.post(SEARCH, json={"results": []})
    channel = make_channel(**ASKS)
    assert channel.read(post()).json() == {"results": []}
    assert (channel.usage().calls, channel.usage().writes) == (2, 0)
    with pytest.raises(RefusedAtDoor, match="a read is not a write"):
        channel.write(Call(id=1, request=post(), fence=1))


@pytest.mark.parametrize("url", [URL, f"{SEARCH}/1", f"{URL}?next=/search", f"{URL}/search-more"])
def test_any_other_post_is_never_read(http, url):
    with pytest.raises(RefusedAtDoor, match="POST is not a read"):
        make_channel(**ASKS).read(post(url))
    with pytest.raises(RefusedAtDoor, match="POST is not a read"):
        make_channel().read(post())
    assert not http.calls


@pytest.mark.parametrize(
    ("policy", "waits_s"),
    [("TEN_SECONDLY_ROLLING", 10), ("secondly", 1), ("DAILY", None), ("OTHER", 3), (None, 3)],
)
def test_a_limit_that_the_body_names_says_how_long_to_wait(http, policy, waits_s):
    body = {"errorType": "RATE_LIMIT", **({"policyName": policy} if policy else {})}
    http.get(URL, status=429, json=body)
    http.get(URL, json={})
    clock = FakeClock()
    rules = LimitRules(policies={"TEN_SECONDLY_ROLLING": 10, "SECONDLY": 1, "DAILY": 3600})
    channel = make_channel(clock=clock, limits=Limits(rules, clock=clock))
    if waits_s is None:
        with pytest.raises(Throttled, match="DAILY") as error:
            channel.read(get())
        assert error.value.resume_at == START + timedelta(hours=1) and not clock.naps
    else:
        channel.read(get())
        assert waits_s <= sum(clock.naps) <= waits_s + 1


def test_a_status_that_means_try_later_is_tried_again(http):
    http.get(URL, status=423, json={"message": "locked"})
    http.get(URL, json={})
    clock = FakeClock()
    limits = Limits(LimitRules(try_later=frozenset({423, 477})), clock=clock)
    make_channel(clock=clock, limits=limits).read(get())
    assert clock.elapsed >= 2
    http.get(URL, status=477, headers={"Retry-After": "86400"})
    with pytest.raises(Unreachable) as error:
        make_channel(clock=clock, limits=limits).read(get())
    assert error.value.resume_at == clock.now() + timedelta(days=1)

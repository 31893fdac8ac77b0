"""What is looked up once is what requests would have found each time."""

from __future__ import annotations

from random import Random

import pytest
import requests
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from syncjob.transport.session import _PLAIN, Adapter, Preparer, new_session
from syncjob.transport.wire import Request

BASE = {"User-Agent": "syncjob/1", "Accept": "application/json"}
SECRET = {"x-api-token": "tok-1"}
#: Pieces of addresses, the plain and the strange, of which each test's are put together.
PLACES = ("https://api.example.test", "http://127.0.0.1:8080", "https://a.b-c.test:443",
          "HTTPS://api.example.test", "https://Example.test", "https://me:pw@api.example.test",
          "https://api.example.test:080", "https://bücher.test", "https://api.example.test:65535",
          "https://xn--bcher-kva.test", "https://[::1]:80", "https://-a.test")  # fmt: skip
PATHS = ("", "/", "/v2/deals/12", "/a/../b", "/a/./b", "/a//b", "/.hidden", "/x%20y", "/x y",
         "/ä", "/a;b=c", "/~u/(x)", "/a'b*!", "/%7Eu", "/a|b", '/a"b', "/a..b", "/...")  # fmt: skip
QUERIES = ("", "?", "?a=1&b=2", "?a=%2F", "?a=b c", "?a=[1]", "?ids=1,2&x=a:b@c/d?e", "?a=ü",
           "?#part", "?a=1#part", "#part", "?a={1}")  # fmt: skip


def slowly(request: Request) -> PreparedRequest:
    """As requests prepares it."""
    headers = {**BASE, **dict(request.headers), **SECRET}
    body = request.body if request.body or request.method != "GET" else None
    return requests.Request(request.method, request.url, headers=headers, data=body).prepare()


def same(one: PreparedRequest, other: PreparedRequest) -> bool:
    told = (one.method, one.url, list(one.headers.items()), one.body, one.hooks, one.path_url)
    return told == (
        other.method, other.url, list(other.headers.items()), other.body, other.hooks,
        other.path_url,
    )  # fmt: skip


def tried(preparer: Preparer, request: Request) -> PreparedRequest | str:
    try:
        return preparer.prepare(request, SECRET)
    except (requests.RequestException, UnicodeError) as error:
        return type(error).__name__


@pytest.mark.parametrize("place", PLACES)
def test_every_address_is_sent_as_requests_sends_it(place: str) -> None:
    preparer = Preparer(BASE)
    for path in PATHS:
        for query in QUERIES:
            request = Request(method="GET", url=f"{place}{path}{query}")
            found = tried(preparer, request)
            try:
                wanted = slowly(request)
            except (requests.RequestException, UnicodeError) as error:
                assert found == type(error).__name__, request.url
            else:
                assert isinstance(found, PreparedRequest), request.url
                assert same(found, wanted), request.url


def test_letters_at_random_are_sent_as_requests_sends_them() -> None:
    rng, preparer, plain = Random(9), Preparer(BASE), 0
    letters = "abzAZ019-._~!$&'()*+,;=:@/?%#[]{}|\\^ \"<>ü\t"
    for _ in range(3_000):
        tail = "".join(rng.choices(letters, k=rng.randrange(9)))
        request = Request(method="POST", url=f"https://api.example.test/{tail}", body=b"{}")
        plain += _PLAIN.fullmatch(request.url) is not None
        assert same(preparer.prepare(request, SECRET), slowly(request)), request.url
    assert 100 < plain < 2_900, "one of the two ways was not taken"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "patch"])
@pytest.mark.parametrize("body", [b"", b"{}", "{}".encode("utf-16")])
@pytest.mark.parametrize("headers", [(), (("Idempotency-Key", "k-1"), ("accept", "text/html"))])
def test_methods_bodies_and_headers_are_as_requests_has_them(
    method: str, body: bytes, headers: tuple[tuple[str, str], ...]
) -> None:
    request = Request(method=method, url="https://api.example.test/a", headers=headers, body=body)
    assert same(Preparer(BASE).prepare(request, SECRET), slowly(request))


def test_the_headers_of_one_request_are_never_anothers() -> None:
    preparer, url = Preparer(BASE), "https://api.example.test/a"
    made = [
        preparer.prepare(Request(method="PUT", url=url, headers=(("Key", key),), body=body), token)
        for key, body, token in (
            ("1", b"a", SECRET), ("1", b"abc", SECRET), ("2", b"abc", SECRET),
            ("2", b"abc", {"x-api-token": "tok-2"}), ("1", b"", SECRET),
        )
    ]  # fmt: skip
    told = [(m.headers["Key"], m.headers["Content-Length"], m.headers["x-api-token"]) for m in made]
    assert told == [
        ("1", "1", "tok-1"), ("1", "3", "tok-1"), ("2", "3", "tok-1"), ("2", "3", "tok-2"),
        ("1", "0", "tok-1"),
    ]  # fmt: skip
    made[0].headers["Key"] = "changed"
    assert preparer.prepare(Request(method="PUT", url=url, headers=(("Key", "1"),)), SECRET).headers
    assert made[1].headers["Key"] == "1"


def test_a_header_that_would_be_two_is_refused_each_time() -> None:
    preparer = Preparer(BASE)
    request = Request(method="GET", url="https://api.example.test/a", headers=(("A", "b\r\nC: d"),))
    for _ in range(2):
        with pytest.raises(requests.exceptions.InvalidHeader):
            preparer.prepare(request, SECRET)


def test_each_server_and_proxy_has_a_pool_of_its_own_as_with_requests() -> None:
    ours, theirs = Adapter(), HTTPAdapter()
    proxy = {"https": "http://proxy.test:3128"}
    pairs: list[tuple[object, object]] = []
    for url in ("https://a.test/x", "https://a.test/y?z", "https://b.test/x", "http://a.test/x",
                "https://a.test:8443/x"):  # fmt: skip
        for verify, proxies in ((True, {}), (False, {}), (True, proxy)):
            request = requests.Request("GET", url).prepare()
            pool = ours.get_connection_with_tls_context(request, verify, proxies)
            wanted = theirs.get_connection_with_tls_context(request, verify, proxies)
            assert (pool.scheme, pool.host, pool.port) == (wanted.scheme, wanted.host, wanted.port)
            assert ours.get_connection_with_tls_context(request, verify, proxies) is pool
            pairs.append((pool, wanted))
    for one, theirs_one in pairs:
        assert [one is pool for pool, _ in pairs] == [theirs_one is pool for _, pool in pairs]


def test_a_session_that_was_closed_finds_new_connections() -> None:
    session = new_session()
    adapter = session.get_adapter("https://a.test/")
    assert isinstance(adapter, Adapter)
    request = requests.Request("GET", "https://a.test/x").prepare()
    before = adapter.get_connection_with_tls_context(request, True)
    session.close()
    assert adapter.get_connection_with_tls_context(request, True) is not before

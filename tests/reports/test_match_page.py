"""The page of a match: sound HTML that asks nothing of the network and believes no name."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.review import Face, MatchReport, Proposal, ReviewRow
from syncjob.reports.match_page import PAIRS_MAX, match_page

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
VOID = {"meta", "br", "hr", "img", "input", "link"}
#: HTML lets these stay open.
MAY_STAY_OPEN = {"p", "li", "tr", "td", "th"}


class Sound(HTMLParser):
    """Fails on a tag that is closed without being open, and keeps what is there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag and self.open[-1] in MAY_STAY_OPEN:
            self.open.pop()
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def row(
    name: str = "Acme", other: str = "ACME Ltd", page: str | None = None, **more: object
) -> ReviewRow:
    made = {
        "kind": "pair", "first": "org:1", "second": "c1", "first_name": name, "second_name": other,
        "score": 998, "band": "near", "agrees": ("same phone",), "differs": ("town",), **more,
    }  # fmt: skip
    lines = (("name", name), ("phone", "02 1"), ("town", "Perth"))
    others = (("name", other), ("phone", "02 1"), ("town", "Cairns"), ("e-mail", "a@b.test"))
    return ReviewRow(
        proposal=Proposal(**made),
        first=Face(id="org:1", name=name, page=page, lines=lines),
        second=Face(id="c1", name=other, page=page, lines=others),
    )


def page(*rows: ReviewRow, **more: object) -> str:
    report = MatchReport(
        connection="main", what="contacts", first=2, second=3, known=1, rows=rows,
        waiting=len(rows), **more,
    )  # fmt: skip
    return match_page(report, at=AT)


def read(text: str) -> Sound:
    sound = Sound()
    sound.feed(text)
    sound.close()
    assert [tag for tag in sound.open if tag not in MAY_STAY_OPEN] == []
    return sound


def test_both_records_stand_side_by_side_with_what_agrees_and_differs() -> None:
    text = page(row())
    sound = read(text)
    said = " ".join(sound.text)
    for words in ("Acme", "ACME Ltd", "same phone", "town", "Perth", "Cairns", "a@b.test", "0.998"):
        assert words in said
    marks = {a["class"] for tag, a in sound.tags if tag == "tr" and "class" in a}
    assert marks == {"agrees", "differs", "alone"}


def test_one_value_in_two_forms_agrees() -> None:
    first = (("name", "Café Übersee"), ("phone", "(02) 9555 1234"), ("address", "1, Long St."))
    second = (("name", "Cafe Übersee GmbH"), ("phone", "+61 295551234"), ("address", "1 long st"))
    made = msgspec.structs.replace(
        row(),
        first=Face(id="a", name="A", lines=first),
        second=Face(id="b", name="B", lines=second),
    )
    marks = [a["class"] for tag, a in read(page(made)).tags if tag == "tr" and "class" in a]
    assert marks == ["agrees"] * 3


def test_the_page_asks_nothing_of_the_network() -> None:
    sound = read(page(row(page="https://acme.pipedrive.com/organization/1")))
    assert not {tag for tag, _ in sound.tags} & {"script", "img", "link", "iframe", "object"}
    assert not [a for tag, a in sound.tags if tag != "a" and ("src" in a or "href" in a)]
    text = page(row())
    assert "default-src 'none'" in text
    assert "url(" not in text and "@import" not in text


def test_light_dark_and_paper_are_provided_for() -> None:
    text = page(row())
    assert "color-scheme: light dark" in text
    assert "@media (prefers-color-scheme: dark)" in text
    assert "@media print" in text


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</td></tr></table><h1>",
    "&lt;b&gt;", "<!--", "]]>", "' onmouseover='x", "</style><script>x</script>",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    plain = [tag for tag, _ in read(page(row())).tags]
    sound = read(page(row(name, name, differs=(name,), because=name, advice=name)))
    more = ["p", "p", "strong"]
    assert sorted(tag for tag, _ in sound.tags) == sorted([*plain, *more])
    assert name in sound.text


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_is_text(name: str, other: str) -> None:
    assert len(read(page(row(name, other))).tags) == len(read(page(row())).tags)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"])
def test_a_link_leads_to_a_page_or_is_none(link: str) -> None:
    assert not [a for tag, a in read(page(row(page=link))).tags if tag == "a"]
    good = "https://go.xero.com/Contacts/View/1?a=1&b=\"2'"
    links = [a["href"] for tag, a in read(page(row(page=good))).tags if tag == "a"]
    assert links == [good, good]


def test_kinds_have_headings_of_their_own() -> None:
    kinds = ("pair", "crm_double", "ledger_double", "invoice")
    rows = [row(kind=kind, first=f"org:{n}") for n, kind in enumerate(kinds)]
    assert sum(tag == "h2" for tag, _ in read(page(*rows)).tags) == len(kinds)


def test_a_page_of_very_many_says_what_it_leaves_out() -> None:
    rows = [row(first=f"org:{n}") for n in range(PAIRS_MAX + 2)]
    text = page(*rows)
    assert len(re.findall("<article", text)) == PAIRS_MAX
    assert "2 more stand in the CSV file only" in text

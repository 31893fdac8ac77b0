"""The owner of a deal is told of its overdue invoice, once a step, and never in vain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.engine.scenes import awaiting, codes, number_of
from tests.engine.world import World
from tests.transport.mailserver import MailServer, mail_server

#: Invoices of the scene are due on 23 December in Sydney; this is noon of the day after.
LATE = datetime(2026, 12, 24, 1, 0, tzinfo=UTC)


class Hook(BaseHTTPRequestHandler):
    """A chat's incoming webhook, which can be cut before or after it took the message."""

    bodies: ClassVar[list[bytes]] = []
    cut: ClassVar[str] = ""
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.cut == "before":
            self.close_connection = True
            return
        type(self).bodies.append(body)
        if self.cut == "after":
            self.close_connection = True
            return
        self.send_response(self.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """No lines on the terminal."""


@contextmanager
def webhook() -> Iterator[str]:
    Hook.bodies, Hook.cut, Hook.status = [], "", 200
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/secret"
        server.shutdown()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def world_with(folder: Path, notices: dict[str, Any]) -> World:
    w = World(
        folder,
        config={
            "mode": "full",
            "invoices": {"status": "authorised"},
            "notices": {"steps": [1, 7, 14], **notices},
        },
    )
    w.init()
    return w


def by_mail(server: MailServer) -> dict[str, Any]:
    email = {"host": "127.0.0.1", "port": server.port, "security": "none"}
    return {"by": ["email"], "ways": {"email": {**email, "sender": "books@example.com"}}}


def tasks(w: World) -> list[dict[str, Any]]:
    return list(w.crm_state()["activities"].values())


def late(w: World, to: datetime = LATE) -> None:
    """Long after: what a state that was away for so long may create it creates only after the
    ledger's patience."""
    w.time.set(to)
    w.run()
    w.advance(timedelta(minutes=16))
    w.run()


def days(w: World, count: int) -> None:
    w.advance(timedelta(days=count))


# --- tasks in the CRM ---------------------------------------------------------------------------


def test_a_task_at_each_step_and_none_between(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        late(w)
        (task,) = tasks(w)
        assert task["deal_id"] == deal
        assert "1 day overdue" in task["subject"]
        for _ in range(5):
            days(w, 1)
            late(w, w.time.now())
        assert len(tasks(w)) == 1
        days(w, 1)
        late(w, w.time.now())
        assert len(tasks(w)) == 2
        w.run()
        assert len(tasks(w)) == 2
    finally:
        w.close()


def test_steps_that_were_missed_make_one_notice_not_three(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        awaiting(w)
        late(w, LATE + timedelta(days=20))
        w.run()
        (task,) = tasks(w)
        assert "21 days overdue" in task["subject"]
    finally:
        w.close()


def test_nothing_is_told_of_what_was_paid_a_minute_before(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        w.time.set(LATE - timedelta(hours=14))
        w.run()
        w.time.set(LATE)
        w.books("pay", invoice=number_of(w, deal))
        late(w)
        assert tasks(w) == []
    finally:
        w.close()


def test_a_lost_answer_makes_no_second_task(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        awaiting(w)
        w.time.set(LATE)
        w.fault(server="pipedrive", method="POST", path="/activities", kind="lost")
        w.run()
        for _ in range(3):
            w.advance(timedelta(minutes=6))
            w.run()
        assert len(tasks(w)) == 1
    finally:
        w.close()


# --- e-mail and chat ----------------------------------------------------------------------------


def test_an_email_with_everything_in_it(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, by_mail(mail))
    try:
        deal = awaiting(w)
        w.time.set(LATE)
        w.run()
        w.run()
        ((_, to, message),) = mail.taken
        assert "@" in to[0]
        assert message["Message-ID"]
        text = message.get_payload(decode=True).decode()
        assert number_of(w, deal) in text
        assert "No payment yet." in text
    finally:
        w.close()


@pytest.mark.parametrize("cut", ["greeting", "rcpt", "data"])
def test_what_never_left_is_sent_when_the_server_is_back(
    tmp_path: Path, mail: MailServer, cut: Any
) -> None:
    w = world_with(tmp_path, by_mail(mail))
    try:
        awaiting(w)
        w.time.set(LATE)
        mail.cut = cut
        assert "way_down" in codes(w.run())
        mail.cut = None
        w.advance(timedelta(minutes=5))
        report = w.run()
        assert len(mail.taken) == 1
        assert "way_down" not in codes(report)
        w.run()
        assert len(mail.taken) == 1
    finally:
        w.close()


@pytest.mark.parametrize("cut", ["within", "after"])
def test_what_may_have_arrived_is_never_sent_again_and_named_in_the_next(
    tmp_path: Path, mail: MailServer, cut: Any
) -> None:
    w = world_with(tmp_path, by_mail(mail))
    try:
        awaiting(w)
        w.time.set(LATE)
        mail.cut = cut
        w.run()
        mail.cut = None
        came = len(mail.taken)
        for _ in range(3):
            w.advance(timedelta(minutes=20))
            w.run()
        assert len(mail.taken) == came
        days(w, 6)
        w.run()
        assert len(mail.taken) == came + 1
        text = mail.taken[-1][2].get_payload(decode=True).decode()
        assert "may not have reached you" in text
    finally:
        w.close()


@pytest.mark.parametrize(("cut", "kept"), [("before", 0), ("after", 1)])
def test_a_webhook_is_called_at_most_once(
    tmp_path: Path, cut: str, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with webhook() as url:
        w = world_with(tmp_path, {"by": ["slack"], "ways": {"slack": url}})
        try:
            awaiting(w)
            w.time.set(LATE)
            Hook.cut = cut
            w.run()
            Hook.cut = ""
            for _ in range(3):
                w.advance(timedelta(minutes=20))
                w.run()
            assert len(Hook.bodies) == kept
            assert "/services/T0" not in caplog.text
        finally:
            w.close()


@pytest.mark.parametrize("status", [403, 404, 410, 429])
def test_a_webhook_that_is_closed_is_one_issue_and_no_deals(tmp_path: Path, status: int) -> None:
    with webhook() as url:
        w = world_with(tmp_path, {"by": ["slack"], "ways": {"slack": url}})
        try:
            awaiting(w)
            awaiting(w, org="Bolt Ltd")
            w.time.set(LATE)
            Hook.status = status
            assert codes(w.run()) == ["way_down"]
            tried = len(Hook.bodies)
            Hook.status = 200
            assert codes(w.run()) == []
            assert len(Hook.bodies) == tried + 2
        finally:
            w.close()


def test_a_digest_is_one_message_a_person_and_day(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "digest": True})
    try:
        first, second = awaiting(w), awaiting(w, org="Bolt Ltd")
        w.time.set(LATE)
        w.run()
        w.run()
        ((_, _, message),) = mail.taken
        text = message.get_payload(decode=True).decode()
        assert number_of(w, first) in text
        assert number_of(w, second) in text
    finally:
        w.close()


def test_a_muted_deal_is_flagged_and_nobody_is_told(tmp_path: Path) -> None:
    w = world_with(tmp_path, {})
    try:
        deal = awaiting(w)
        with w.connection() as handle:
            handle.answer(kind="mute:", subject=f"deal:{deal}", who="me", reason="disputed")
        late(w)
        assert tasks(w) == []
        assert w.deal_fields(deal)["Invoice overdue"] == "yes"
        with w.connection() as handle:
            handle.answer(kind="unmute", subject=f"deal:{deal}", who="me", reason="settled")
        w.run()
        assert len(tasks(w)) == 1
    finally:
        w.close()


def test_notices_alone_can_be_paused_and_nothing_is_forgotten(
    tmp_path: Path, mail: MailServer
) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "by": ["task", "email"]})
    try:
        deal = awaiting(w)
        with w.connection() as handle:
            handle.pause(only="notices", until=None, reason="month end", who="Ann")
        late(w)
        assert w.run().result == "paused"
        assert w.deal_fields(deal)["Invoice overdue"] == "yes"  # the flag is no notice
        assert (tasks(w), mail.taken) == ([], [])
        with w.connection() as handle:
            handle.resume(only="notices", who="Ann")
        w.run()
        assert (len(tasks(w)), len(mail.taken)) == (1, 1)
        w.run()
        assert (len(tasks(w)), len(mail.taken)) == (1, 1)
    finally:
        w.close()


def test_a_stop_file_holds_notices_too(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "by": ["task", "email"]})
    try:
        awaiting(w)
        w.time.set(LATE)
        with w.connection() as handle:
            stop = handle.path.parent / "STOP"
        stop.touch()
        for _ in range(2):
            assert w.run().result == "paused"
            w.advance(timedelta(minutes=16))
        assert (tasks(w), mail.taken) == ([], [])
        stop.unlink()
        w.run()
        assert (len(tasks(w)), len(mail.taken)) == (1, 1)
    finally:
        w.close()


# --- managers and operators ---------------------------------------------------------------------


def test_a_manager_gets_one_summary_a_week(tmp_path: Path, mail: MailServer) -> None:
    boss = {"summary": {"to": ["boss@example.com"]}, "steps": []}
    w = world_with(tmp_path, {**by_mail(mail), **boss})
    try:
        deal = awaiting(w)
        for _ in range(9 * 7):
            days(w, 1)
            w.run()
        weeks = [m for _, _, m in mail.taken]
        assert len(weeks) == 5  # due on 23 December, looked at until 25 January
        assert {to for _, tos, _ in mail.taken for to in tos} == {"boss@example.com"}
        assert number_of(w, deal) in weeks[0].get_payload(decode=True).decode()
    finally:
        w.close()


def test_the_operator_hears_once_a_day_that_it_is_broken_and_once_that_it_is_well(
    tmp_path: Path, mail: MailServer
) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "operator": {"to": ["ops@example.com"]}})
    try:
        w.run()
        w.crm("revoke_token")
        for _ in range(3):
            w.advance(timedelta(minutes=5))
            w.run()
        days(w, 1)
        w.run()
        assert [m["Subject"] for _, _, m in mail.taken] == ["syncjob test needs a look"] * 2
        said = mail.taken[0][2].get_payload(decode=True).decode()
        assert "credentials are refused" in said
        w.crm("regenerate_token", token="sandbox-token")
        w.run()
        w.run()
        assert [m["Subject"] for _, _, m in mail.taken][2:] == ["syncjob test is well again"]
    finally:
        w.close()


def test_check_tries_each_way_and_names_what_is_wrong(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, by_mail(mail))
    try:
        w.overrides["notices"] |= {"fallback": "Nobody", "text": "{amuont}"}
        with w.connection() as handle:
            wrong = {problem.where for problem in handle.check(messages=True)}
        assert wrong == {"notices.fallback", "notices.text", "notices.operator.heartbeat"}
        assert [m["Subject"] for _, _, m in mail.taken] == ["syncjob test: a test"]
        mail.cut = "greeting"
        with w.connection() as handle:
            (problem,) = [p for p in handle.check(messages=True) if "ways" in p.where]
        assert problem.where == "notices.ways.email"
        assert not problem.fatal
    finally:
        w.close()


def test_any_other_way_by_its_library(tmp_path: Path) -> None:
    with webhook() as url:
        address = url.replace("http://", "json://")
        w = world_with(tmp_path, {"by": ["other"], "ways": {"other": address}})
        try:
            deal = awaiting(w)
            w.time.set(LATE)
            w.run()
            w.run()
            (body,) = Hook.bodies
            assert number_of(w, deal) in body.decode()
            days(w, 6)
            Hook.status = 500
            w.run()
            Hook.status = 200
            w.advance(timedelta(minutes=20))
            w.run()
            assert len(Hook.bodies) == 2  # a no says nothing of what it did: never again
        finally:
            w.close()

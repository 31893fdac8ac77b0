"""Ways to people that are set up wrongly, are dead, or lead to odd addresses hold up nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncjob.config import load_config
from syncjob.errors import ConfigError
from tests.engine.scenes import awaiting, codes, number_of
from tests.engine.test_notices import LATE, Hook, by_mail, late, tasks, webhook, world_with
from tests.engine.world import World
from tests.transport.mailserver import MailServer, mail_server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def subjects(mail: MailServer) -> list[str]:
    return [str(message["Subject"]) for _, _, message in mail.taken]


@pytest.mark.parametrize(
    "address", ["ann@b\nBcc: x@y.example", "jörg@exämple.com", "ann@b.com, x@y.com", "ann\ud800@b"]
)
def test_a_user_whose_address_no_server_takes_is_an_issue(
    tmp_path: Path, mail: MailServer, address: str
) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "by": ["email", "task"]})
    try:
        w.crm("create_user", name="Ann Lee", email=address)
        awaiting(w, owner="Ann Lee")
        awaiting(w, org="Bolt Ltd")
        late(w)
        assert "no_email_address" in codes(w.run())
        assert len(tasks(w)) == 2
        assert len(mail.taken) == 1  # the other deal's owner
    finally:
        w.close()


@pytest.mark.parametrize("odd", [{"host": "smtp..example.com"}, {"user": "me", "password": "pä"}])
def test_a_mail_server_set_up_wrongly_holds_up_nothing(
    tmp_path: Path, mail: MailServer, odd: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    notices = {**by_mail(mail), "by": ["email", "task"]}
    notices["ways"]["email"] |= odd
    mail.login = "PLAIN"
    w = world_with(tmp_path, notices)
    try:
        awaiting(w)
        late(w)
        report = w.run()
        assert codes(report) == ["way_down"]
        assert len(tasks(w)) == 1
        assert "pä" not in str(report) + caplog.text
    finally:
        w.close()


@pytest.mark.parametrize("address", ["hooks.example/T0/secret", "https://", "ftp://a/secret"])
def test_a_webhook_that_is_no_web_address_is_refused_at_load(
    tmp_path: Path, address: str, make_world: Any
) -> None:
    w = make_world(init=False, config={"notices": {"by": ["slack"], "ways": {"slack": address}}})
    with pytest.raises(ConfigError) as refused:
        load_config(w.write_config())
    assert "notices.ways.slack" in str(refused.value)
    assert "secret" not in str(refused.value).replace("ways.slack", "")


def test_a_dead_server_is_tried_a_few_times_a_batch_not_once_a_message(
    tmp_path: Path, mail: MailServer
) -> None:
    w = world_with(tmp_path, by_mail(mail))
    try:
        for name in "ABCDE":
            awaiting(w, org=f"{name} Ltd")
        w.time.set(LATE)
        mail.cut = "greeting"
        assert codes(w.run()) == ["way_down"]
        assert mail.dialogues == 3
        mail.cut = None
        assert codes(w.run()) == []
        assert len(mail.taken) == 5
        w.run()
        assert len(mail.taken) == 5
    finally:
        w.close()


def test_the_operators_alarm_is_tried_again_while_nothing_left(
    tmp_path: Path, mail: MailServer
) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "operator": {"to": ["ops@example.com"]}})
    try:
        w.run()
        w.crm("revoke_token")
        mail.cut = "greeting"
        step(w)
        mail.cut = None
        step(w, 3)
        assert subjects(mail) == ["syncjob test needs a look"]
        w.crm("regenerate_token", token="sandbox-token")
        mail.cut = "greeting"
        step(w)
        mail.cut = None
        step(w, 3)
        assert subjects(mail)[1:] == ["syncjob test is well again"]
    finally:
        w.close()


def test_an_alarm_that_may_have_arrived_is_not_sent_again(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "operator": {"to": ["ops@example.com"]}})
    try:
        w.run()
        w.crm("revoke_token")
        mail.cut = "after"
        step(w)
        mail.cut = None
        step(w, 3)
        assert subjects(mail) == ["syncjob test needs a look"]
    finally:
        w.close()


def test_paid_says_the_cash_and_not_what_was_credited(tmp_path: Path, mail: MailServer) -> None:
    w = world_with(tmp_path, {**by_mail(mail), "paid": True})
    try:
        deal = awaiting(w)
        w.books("credit", invoice=number_of(w, deal), amount=40)
        w.books("pay", invoice=number_of(w, deal))
        late(w, w.time.now() + timedelta(minutes=5))
        assert [s.rpartition("is paid: ")[2] for s in subjects(mail)] == ["70.00 AUD"]
    finally:
        w.close()


def test_names_break_no_header_and_no_markup(tmp_path: Path, mail: MailServer) -> None:
    name = "Zoë <!channel> & Söhne 💶 " + "x" * 180
    with webhook() as url:
        ways = by_mail(mail)
        ways["ways"]["slack"] = url
        w = world_with(tmp_path, {**ways, "by": ["email", "slack", "task"]})
        try:
            awaiting(w, org=name, title="Deal\r\nBcc: x@y.example <script>")
            late(w)
            (body,), ((_, to, message),), (task,) = Hook.bodies, mail.taken, tasks(w)
            assert b"<!channel" not in body
            assert (len(to), message["Bcc"]) == (1, None)
            assert "<script" not in task["note"]
            assert "<!channel" not in task["note"]
        finally:
            w.close()


def step(w: World, count: int = 1) -> None:
    for _ in range(count):
        w.advance(timedelta(minutes=5))
        w.run()

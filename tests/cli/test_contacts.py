"""`resolve contact` and `forget`: what they say, and what the next batch makes of it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from syncjob.cli.app import app
from tests.engine.contacts.kit import acme, at_rest, batch, contact, edit, person, world
from tests.engine.scenes import codes
from tests.engine.world import World


def say(w: World, *words: str, answer: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["-c", str(w.folder / "config.yaml"), *words], input=answer)
    return result.exit_code, f"{result.output}{result.exception or ''}"


def test_a_conflict_is_settled_on_the_command_line(tmp_path: Path) -> None:
    with world(tmp_path, owners={"email": "ask"}) as w:
        acme(w)
        w.crm("edit_person", person="Ann Smith", email="sales@acme.example")
        edit(w, EmailAddress="accounts@acme.example")
        assert codes(batch(w)) == ["contact_conflict"]
        code, text = say(w, "resolve", "contact", "org:1", "--take", "crm", "--field", "email")
        assert code == 0
        assert "email of org:1 as the CRM has it" in text
        assert batch(w).exit_code == 0
        assert contact(w)["email"] == person(w)["emails"][0] == "sales@acme.example"
        at_rest(w)


def test_answers_that_can_mean_nothing_are_refused(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        w.crm("create_org", name="Beta Pty")
        batch(w)
        for words, said in (
            (("contact", "org:99", "--take", "crm"), "No batch has read a contact org:99"),
            (("contact", "org:1", "--take", "crm", "--field", "colour"), "no field 'colour'"),
            (("contact", "org:2", "--take", "crm"), "no partner"),
        ):
            code, text = say(w, "resolve", *words)
            assert code != 0
            assert said in text


def test_forgetting_asks_first(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        acme(w)
        code, _ = say(w, "forget", "org:1", answer="n\n")
        assert code != 0
        batch(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 2222"])
        batch(w)
        assert contact(w)["phones"] == ["(02) 9999 2222"]
        code, text = say(w, "forget", "org:1", "--yes")
        assert code == 0
        assert "forgotten by the next batch" in text
        batch(w)
        w.crm("edit_person", person="Ann Smith", phones=["(02) 9999 3333"])
        at_rest(w)

"""A person edits a customer within the very second in which we wrote to it: both versions bear one
stamp, so the list's is not believed, and the record is read by its id (DESIGN 5.5)."""

from __future__ import annotations

from pathlib import Path

from tests.engine.contacts.kit import acme, at_rest, batch, contact, world

OWNERS = dict.fromkeys(("name", "email", "phones", "tax_number"), "ask")


def test_an_edit_in_the_second_of_our_own_write_is_not_lost(tmp_path: Path) -> None:
    with world(tmp_path / "w", owners=OWNERS) as w:
        acme(w)
        batch(w)
        known = next(c["id"] for c in w.contacts() if c["name"] == "Acme Pty")
        w.books("edit_contact", contact=known, fields={"EmailAddress": "one@acme.example"})
        assert batch(w).counts["contact.update"] == 1
        w.crm("edit_person", person="Ann Smith", email="two@acme.example")
        batch(w)
        assert contact(w)["email"] == "two@acme.example"
        at_rest(w)

"""A digest that is too long for a chat comes in several messages; an e-mail is one."""

from __future__ import annotations

from datetime import date

import pytest

from syncjob.core.actions import Action, Message, Tell, Wave
from syncjob.core.telling import CHAT_LINES_MAX, gathered

TODAY = date(2026, 12, 24)


def notice(number: int, way: str) -> Action:
    tell = Tell(marker=f"SJ-{number}-A1", due=TODAY, step=1, person="7", way=way)
    message = Message(
        marker=f"SJ-{number:03}", way=way, to="", person="Ann", subject="One", text="text",
        line=f"- INV-{number:03}", tells=(tell,),
    )  # fmt: skip
    return Action(
        side="people", wave=Wave.NOTICES, subject="deal:1", target=f"message:{number}",
        payload=message, reason="a test",
    )  # fmt: skip


@pytest.mark.parametrize(("way", "pages"), [("slack", 3), ("teams", 3), ("email", 1)])
def test_each_invoice_stands_in_one_message(way: str, pages: int) -> None:
    number = 2 * CHAT_LINES_MAX + 1
    made = gathered([notice(n, way) for n in reversed(range(number))], TODAY, {}, digest=True)
    messages = [action.payload for action in made if isinstance(action.payload, Message)]
    assert len(made) == len(messages) == pages
    assert len({action.target for action in made}) == len({m.marker for m in messages}) == pages
    lines = [line for message in messages for line in message.text.split("\n")]
    assert lines == [f"- INV-{n:03}" for n in range(number)]
    assert len({tell for message in messages for tell in message.tells}) == number
    assert messages[-1].subject == ("One" if pages > 1 else f"{number} invoices need a look")

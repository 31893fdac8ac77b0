"""Who answers an interview: the flags, else a person at a terminal, else the defaults."""

from __future__ import annotations

import click

from syncjob.cli.screen import echo
from syncjob.engine.firststeps.questions import Answer, Question, Said


class Keyboard:
    """A driver of interviews. `given` holds what flags say, by question; a flag answers once."""

    def __init__(self, given: dict[str, tuple[str, ...]], *, ask: bool) -> None:
        self._given, self._ask = {key: texts for key, texts in given.items() if texts}, ask

    def answer(self, question: Question) -> Answer:
        """What the flag says, what a person types until it means something, or the default.

        Raises UsageError for a flag that means nothing, Abort on Ctrl-C.
        """
        texts = self._given.pop(question.key, None)
        try:
            if texts is not None:
                return tuple(part for text in texts for part in question.read(text))
            if not self._ask:
                return question.read(question.default if question.alone is None else question.alone)
        except ValueError as error:
            raise click.UsageError(f"--{question.key}: {error}") from None
        return self._asked(question)

    def say(self, said: Said) -> None:
        echo(f"! {said.text}" if said.bad else said.text, err=True)

    def unused(self) -> list[str]:
        """The flags that no question asked for."""
        return [f"--{key}" for key in self._given]

    def _asked(self, question: Question) -> Answer:
        echo("", err=True)
        if question.kind in ("one", "many"):
            echo(f"{question.text}:", err=True)
            for number, choice in enumerate(question.choices, 1):
                echo(f"{number:>4}  {choice.label}", err=True)
        if question.help:
            echo(question.help, err=True)
        prompt = "Number or name" if question.choices else question.text
        while True:
            text = click.prompt(
                prompt, default=question.default, show_default=bool(question.default),
                hide_input=question.kind == "secret", err=True,
            )  # fmt: skip
            try:
                return question.read(text)
            except ValueError as error:
                echo(f"! {error}", err=True)

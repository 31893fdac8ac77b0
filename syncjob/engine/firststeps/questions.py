"""What a newcomer is asked, as data: an interview yields questions, and whoever drives it answers.

An interview is a generator. It yields a Question and is sent the answer, or yields a Said and is
sent nothing; what it returns is its result. A terminal, flags and a test are drivers alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

Answer = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """One of several answers: what the config will say, how it is shown, what it is also called."""

    value: str
    label: str
    name: str = ""


@dataclass(frozen=True)
class Question:
    """One question. `key` is also the name of the flag that answers it.

    `default` is what no answer means; `alone` what is answered where nobody can be asked, if that
    is another. `needed`: there is no default. `shape` mends a text or raises ValueError.
    """

    key: str
    text: str
    kind: Literal["text", "secret", "yes", "one", "many"] = "text"
    default: str = ""
    alone: str | None = None
    needed: bool = False
    choices: tuple[Choice, ...] = ()
    help: str = ""
    shape: Callable[[str], str] = field(default=str)

    def read(self, text: str) -> Answer:
        """What a typed text means; ValueError says in words why it means nothing."""
        text = text.strip() or self.default
        if not text:
            if self.needed:
                raise ValueError(f"an answer is needed{self._offer()}")
            return ()
        if self.kind == "yes":
            return (_yes(text),)
        if self.kind == "one":
            return (self._chosen(text),)
        if self.kind == "many":
            return self._several(text)
        return (self.shape(text),)

    def _several(self, text: str) -> Answer:
        try:
            return (self._chosen(text),)  # a name may have a comma in it
        except ValueError:
            named = [part for part in text.split(",") if part.strip()]
            return tuple(dict.fromkeys(self._chosen(part) for part in named))

    def _chosen(self, text: str) -> str:
        """By value or name, in any case; else by its number in the list."""
        asked = text.strip().casefold()
        for choice in self.choices:
            if asked in [known.casefold() for known in (choice.value, choice.label, choice.name)]:
                return choice.value
        if asked.isdecimal() and 1 <= int(asked) <= len(self.choices):
            return self.choices[int(asked) - 1].value
        raise ValueError(f'"{text.strip()}" is none of them{self._offer()}')

    def _offer(self) -> str:
        names = ", ".join(choice.value for choice in self.choices)
        return f": {names}" if names else ""


def _yes(text: str) -> str:
    if text.casefold() in ("y", "yes"):
        return "yes"
    if text.casefold() in ("n", "no"):
        return "no"
    raise ValueError("write y or n")


@dataclass(frozen=True)
class Said:
    """A sentence for the person; `bad` marks what did not work."""

    text: str
    bad: bool = False


Steps = Generator[Question | Said, Answer, T]


class Driver(Protocol):
    """Whoever answers."""

    def answer(self, question: Question) -> Answer: ...

    def say(self, said: Said) -> None: ...


def drive(steps: Steps[T], driver: Driver) -> T:
    """Lead the interview to its end. What the driver raises (a Ctrl-C) ends it, nothing done."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Question):
                step = steps.send(driver.answer(step))
            else:
                driver.say(step)
                step = next(steps)
    except StopIteration as end:
        result: T = end.value
        return result


def one(question: Question) -> Steps[str]:
    """Ask for one value; an empty text if there is none."""
    answer = yield question
    return answer[0] if answer else ""

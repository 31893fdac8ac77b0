"""Which answers a person may give to an issue, and the command that gives each.

Only an answer that changes something for this issue is offered, and each that its own next step
names: what has its cause in a record is mended there, and closes by itself. `--create` holds for
what the person was asked about: the same sum, the same invoice that may be its double.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator

import msgspec

from syncjob.core.actions import Issue

#: Held as one that was invoiced before: tie it to that invoice, or say that it is another sale.
_DOUBLES = frozenset({"possible_double", "invoice_field_filled"})
#: What `--create` lets through.
_CREATE = _DOUBLES | {"unusually_large"}
#: A person has ended its invoice.
_ENDED = frozenset({"reissue_needed", "cancelled"})
#: The two sides say something else of a customer.
_TAKE = frozenset({"contact_conflict", "contact_differs"})
#: Two records may be one: answered by `syncjob match`.
_MATCH = frozenset({"contact_near_match", "contact_maybe_in_crm"})
#: While one of these is open no deal at all is invoiced: it cannot be put aside, or all would seem
#: to be well while nothing moves.
_STOPS_ALL = frozenset({"another_instance"})
#: Nor can a list that is not read, if nothing is made without it: without deals nothing is won.
#: A state without history also reads all repeating invoices before it makes anything.
_NEEDED = frozenset({"stream:ledger.invoices", "stream:ledger.contacts", "stream:crm.deals"})
_NEEDED_FIRST = _NEEDED | {"stream:ledger.templates"}


#: The word of `--create` in what the state keeps of a person's answers.
CREATE = "create"


def given_for(code: str, about: str) -> str:
    """The answer `--create` as the state keeps it: for this hold, and for what it was about."""
    return f"{CREATE}:{code}:{hashlib.sha256(about.encode()).hexdigest()[:16]}"


def given_now(issues: Iterable[Issue]) -> frozenset[str]:
    """What `--create` is given for while these issues are open. Nothing is known of one that an
    older version has raised, so that the bare word stands for whatever holds the deal."""
    found = [issue for issue in issues if issue.code in _CREATE]
    if any(not issue.about for issue in found):
        return frozenset({CREATE})
    return frozenset(given_for(i.code, about) for i in found for about in i.about.splitlines())


def released(answers: Collection[str], code: str, about: str) -> bool:
    """Whether a person has said of exactly this that the deal is to be invoiced all the same."""
    return CREATE in answers or given_for(code, about) in answers


def used_up(answers: Iterable[str]) -> frozenset[str]:
    """What is left of a person's answers once the invoice stands that `--create` was given for."""
    return frozenset(word for word in answers if word.partition(":")[0] != CREATE)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: its flag at `syncjob issues resolve`, and what it does."""

    flag: str
    does: str


def choices(issue: Issue, *, recovering: bool) -> tuple[Choice, ...]:
    """The answers that this issue takes, the likeliest first. `recovering`: see `stops_all`."""
    kind = issue.subject.partition(":")[0]
    if kind == "connection":
        return tuple(_connection(issue))
    found = [*_deal(issue)] if kind == "deal" else [*_contact(issue)] if kind == "contact" else []
    if issue.state == "note" and not stops_all(issue, recovering=recovering):
        found.append(
            Choice(flag="--seen", does="it is all right so: not told again until its cause changes")
        )
    return tuple(found)


def stops_all(issue: Issue, *, recovering: bool) -> bool:
    """Whether the whole connection stands still for it, and not one record or list. `recovering`:
    the state has no history yet, or none of a while, and waits for the ledger's lists."""
    if issue.code == "stream_unreadable":
        return issue.subject in (_NEEDED_FIRST if recovering else _NEEDED)
    return issue.code in _STOPS_ALL


def elsewhere(issue: Issue) -> str | None:
    """Another command that answers this issue; None if there is none."""
    if issue.code in _MATCH:
        return "`syncjob match` lists what may be one, `syncjob match decide` says whether it is"
    return None


def _connection(issue: Issue) -> Iterator[Choice]:
    if issue.code == "another_instance":
        yield Choice(flag="--only-instance", does="the other one is stopped; creating goes on")


def _deal(issue: Issue) -> Iterator[Choice]:
    named = issue.next_step
    if issue.code in _DOUBLES or "--link" in named:
        yield Choice(flag="--link NUMBER", does="it is invoiced already, by this invoice")
    if issue.code in _CREATE or "--create" in named:
        yield Choice(flag="--create", does="it is right and no double: invoice it")
    if issue.code in _ENDED:
        yield Choice(flag="--reissue", does="invoice it anew")
    if issue.state == "held" or "--never" in named:
        yield Choice(flag="--never", does="never invoice this deal, and leave it alone")


def _contact(issue: Issue) -> Iterator[Choice]:
    if issue.code in _TAKE:
        yield Choice(flag="--take crm", does="the CRM's value goes to the ledger")
        yield Choice(flag="--take ledger", does="the ledger's value goes to the CRM")

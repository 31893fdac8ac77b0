"""What an answer's status means for the request: pure readings of 401, 402, 403, 407, 429, 5xx."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import msgspec

from syncjob.errors import AuthFailed, SchemaDrift, SyncJobError, Unreachable
from syncjob.transport.exchange import request_id
from syncjob.transport.limits import LimitRules
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer

#: A concurrency limit frees itself as soon as a call in flight ends (facts: xero, 1).
CONCURRENCY_S = 3.0
#: A used-up daily budget is asked about again after an hour: its reset is in no header.
BUDGET_S = 3600.0
#: A firewall's block of a caller that ignored 429s; its length is not documented.
BLOCKED_S = 900.0
#: Thirty years: who asks for as many has told no time.
SECONDS_MAX = 1e9
#: Both spellings are seen (facts: xero, 2).
SCOPE_WORDS = ("insufficient_scope", "insufficent_scope")


class Pause(msgspec.Struct, frozen=True):
    """The vendor wants fewer requests: how many seconds to send none, and why."""

    seconds: float
    why: str


def pause(answer: Answer, rules: LimitRules, now: datetime, vendor: str) -> Pause | None:
    """How long a 429, or a firewall's 403 page, asks to wait; None for other answers."""
    if answer.status == 403 and is_page(answer):
        why = f"{vendor}'s firewall refuses us for now: {excerpt(answer.body)!r}."
        return Pause(retry_after_s(answer, now) or BLOCKED_S, why)
    if answer.status != 429:
        return None
    problem = answer.headers.get("x-rate-limit-problem", "")
    why = f"{vendor} allows no more requests now{f' (limit: {problem})' if problem else ''}."
    told_s = retry_after_s(answer, now)
    if told_s is not None:
        return Pause(told_s, why)
    named = _named(answer, rules)
    if named is not None:
        policy, seconds = named
        return Pause(seconds, f"{vendor} allows no more requests now (limit: {policy}).")
    return _untold(answer, rules, why)


def _named(answer: Answer, rules: LimitRules) -> tuple[str, float] | None:
    """The limit that the body names, and how long it lasts (facts: hubspot, 5f)."""
    if not rules.policies:
        return None
    try:
        body = answer.json()
    except SchemaDrift:
        return None
    policy = body.get("policyName") if isinstance(body, dict) else None
    known = {name.casefold(): seconds for name, seconds in rules.policies.items()}
    seconds = known.get(policy.casefold()) if isinstance(policy, str) else None
    return None if seconds is None else (str(policy), seconds)


def _untold(answer: Answer, rules: LimitRules, why: str) -> Pause:
    """A 429 without Retry-After: a burst that is over in `reset` seconds, the day's budget, or,
    where the vendor tells neither, too many at once (facts: pipedrive-hubspot, 2; xero, 1)."""
    for window in rules.windows:
        left = answer.headers.get(window.remaining_header)
        reset = answer.headers.get(window.reset_header)
        if left is None or reset is None:
            continue
        if _seconds(left) is not None and (_seconds(left) or 0) < 1:
            return Pause(_seconds(reset) or window.seconds, why)
        return Pause(BUDGET_S, f"{why} The budget of the day is used up.")
    return Pause(CONCURRENCY_S, why)


def refusal(answer: Answer, vendor: str) -> SyncJobError | None:
    """The error of an answer that no repeat can mend; None for all others."""
    if answer.status == 402:
        return AuthFailed(
            f"{vendor} says that the account is closed, unpaid or its trial is over (402).",
            where=answer.url,
            next_step=f"Look at the subscription in {vendor}.",
        )
    if answer.status == 403 and b"AuthenticationUnsuccessful" in answer.body:
        return AuthFailed(
            f"{vendor} no longer lets this app in: the organisation was disconnected, the user "
            "lost the role, or the organisation is gone (403 AuthenticationUnsuccessful).",
            where=answer.url,
            next_step="Connect the app to the organisation again; `syncjob check` says when it "
            "is let in.",
        )
    if answer.status == 407:
        return Unreachable(
            "The proxy asks for credentials (407).",
            where=answer.url,
            next_step="Put them into HTTPS_PROXY, or name the host in NO_PROXY.",
        )
    return None


def missing_scope(answer: Answer) -> bool:
    """Whether a 401 means a missing scope, which no new token cures."""
    told = answer.headers.get("www-authenticate", "").lower()
    return answer.status == 401 and any(word in told for word in SCOPE_WORDS)


def not_let_in(answer: Answer, vendor: str, settings: str) -> AuthFailed:
    """The error of a 401 that stays; `settings` is the config's key for the credentials."""
    if missing_scope(answer):
        return AuthFailed(
            f"{vendor} says that the token lacks a scope that this request needs "
            f"(401 insufficient_scope).",
            where=answer.url,
            next_step="`syncjob check` names it; add it to the app and to the config, then "
            "authorise the app again.",
        )
    return AuthFailed(
        f"{vendor} refuses the token (401): {excerpt(answer.body)!r}{trace(answer)}. "
        "It is wrong or revoked, or a scope is missing.",
        where=answer.url,
        next_step=f"Check {settings}; `syncjob check` says when it is right.",
    )


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """Retry-After in seconds (at least one), given as seconds or as a date; None if absent."""
    text = answer.headers.get("retry-after")
    if text is None:
        return None
    seconds = _seconds(text)
    if seconds is None:
        try:
            then = parsedate_to_datetime(text)
            seconds = (then - (answer.server_time or now)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(seconds, 1.0) if seconds < SECONDS_MAX else None


def is_page(answer: Answer) -> bool:
    """Whether the body is a page for people: a firewall's or a proxy's, not the API's."""
    kind = answer.headers.get("content-type", "")
    return "html" in kind or answer.body[:64].lstrip().startswith(b"<")


def trace(answer: Answer) -> str:
    """The vendor's id of the exchange for a message, which its support asks for; or nothing."""
    found = request_id(answer)
    return f" (request id {found})" if found else ""


def _seconds(text: str) -> float | None:
    """A number of seconds; None if it is none."""
    try:
        seconds = float(text.strip())
    except ValueError:
        return None
    return seconds if 0 <= seconds < SECONDS_MAX else None

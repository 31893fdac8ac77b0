"""What every accounting answer is made of: the call's context, the envelope, batches of writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from syncjob.sandbox.kernel import Entropy, Reply, Request
from syncjob.sandbox.xero import reading
from syncjob.sandbox.xero.where import QueryError
from syncjob.sandbox.xero.wire import (
    ZERO_ID,
    Element,
    PostDataInvalid,
    dumps,
    elements,
    ms_stamp,
    num,
    words,
)
from syncjob.sandbox.xero.world import Invalid, Organisation

Json = dict[str, Any]
NOT_FOUND = "The resource you're looking for cannot be found"


class Halved(Exception):
    """A planted internal error in the middle of a batch."""


@dataclass(frozen=True)
class Context:
    """One authorised call. `stop_after` is where a planted error ends a batch."""

    org: Organisation
    app: str
    request: Request
    entropy: Entropy
    stop_after: Callable[[int], int | None] = lambda _: None

    @property
    def unitdp(self) -> int:
        dp = reading.whole(self.request, "unitdp")
        return dp if dp in (2, 4) else 2

    def check_query(self, allowed: str) -> None:
        """A misspelt parameter would be ignored by the real Xero, and the filter lost with it."""
        known = words(allowed) | {"unitdp", "summarizeErrors"}
        strange = sorted({k for k, _ in self.request.query} - known)
        if strange and self.org.options.strict:
            raise QueryError(f"The query parameter '{strange[0]}' is not known here")


def envelope(ctx: Context, plural: str, rows: list[Json], page: reading.Page | None = None) -> Json:
    answer: Json = {
        "Id": ctx.entropy.uuid(),
        "Status": "OK",
        "ProviderName": ctx.app,
        "DateTimeUTC": ms_stamp(ctx.org.clock.now(), offset=""),
    }
    if page is not None and page.pagination is not None:
        answer["pagination"] = page.pagination
    return answer | {plural: rows}


def reply(value: Json, status: int = 200, effect: str = "none") -> Reply:
    kind = (("Content-Type", "application/json; charset=utf-8"),)
    return Reply(status, kind, dumps(value).encode(), effect)


def missing() -> Reply:
    return Reply.of_text(NOT_FOUND, 404)


def bad_request(number: int, kind: str, message: str) -> Reply:
    return reply({"ErrorNumber": number, "Type": kind, "Message": message}, 400, "refused")


def answer_list(
    ctx: Context, plural: str, page: reading.Page, view: Callable[[Any], Json]
) -> Reply:
    if not page.rows and ctx.org.options.not_modified and reading.modified_since(ctx.request):
        return Reply(304)
    return reply(envelope(ctx, plural, [view(row) for row in page.rows], page))


def write_all(
    ctx: Context,
    plural: str,
    known: frozenset[str],
    save: Callable[[Element], Json],
    id_name: str,
    error_flag: str,
) -> Reply:
    """Each element in turn. Summarised (the default): one refusal refuses all, nothing is saved."""
    ctx.check_query("")
    org = ctx.org
    sent = elements(ctx.request.body, plural, known, org.options.strict)
    summarize = (ctx.request.arg("summarizeErrors") or "true").lower() != "false"
    start, stop = org.save(), ctx.stop_after(len(sent))
    results: list[Json] = []
    for n, element in enumerate(sent):
        if n == stop:
            raise Halved
        before = org.save()
        try:
            view = save(element)
            results.append(view if summarize else view | {"StatusAttributeString": "OK"})
        except Invalid as invalid:
            org.restore(before)
            results.append(_refused(element, invalid, id_name, error_flag))
        except PostDataInvalid:
            org.restore(start)
            raise
    failed = [r for r in results if r[error_flag]]
    if failed and summarize:
        org.restore(start)
        return reply(summary(failed), 400, "refused")
    effect = "applied" if len(failed) < len(results) else "refused"
    return reply(envelope(ctx, plural, results), 200, effect)


def _refused(element: Element, invalid: Invalid, id_name: str, error_flag: str) -> Json:
    echo: Json = {k: _echo(v) for k, v in element.raw.items() if v is not None}
    return echo | {
        id_name: element.raw.get(id_name) or ZERO_ID,
        error_flag: True,
        "StatusAttributeString": "ERROR",
        "ValidationErrors": [{"Message": m} for m in invalid.messages],
    }


def summary(failed: list[Json]) -> Json:
    return {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": failed,
    }


def _echo(value: Any) -> Any:
    """What was sent, as it was sent."""
    if isinstance(value, Fraction):
        return num(value, next((n for n in range(30) if 10**n % value.denominator == 0), 30))
    if isinstance(value, dict):
        return {k: _echo(v) for k, v in value.items()}
    return [_echo(v) for v in value] if isinstance(value, list) else value

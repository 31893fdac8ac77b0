"""A route of the API: its path, what it costs, what it accepts and who answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from syncjob.sandbox.pipedrive import checks
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.paging import Order, decode, page
from syncjob.sandbox.pipedrive.schema import Types
from syncjob.sandbox.pipedrive.view import shown


@dataclass(frozen=True)
class Call:
    """One admitted request, read and checked."""

    company: Company
    user_id: int
    keys: tuple[str, ...]
    args: Record
    sent: Record
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> int:
        """The first id in the path."""
        return int(self.keys[0])


@dataclass(frozen=True)
class Answer:
    data: Any
    status: int = 200
    additional: Record | None = None


@dataclass(frozen=True)
class Route:
    method: str
    path: str  # `#` stands for a whole number, `*` for any one part
    cost: int
    handle: Callable[[Call], Answer]
    params: Types = field(default_factory=dict)
    body: Types | None = None
    required: tuple[str, ...] = ()
    search: bool = False
    lenient: bool = False  # v1 ignores what it does not know

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(
            "^" + self.path.replace("#", r"(\d{1,15})").replace("*", "([^/]+)") + "/?$"
        )


def paged(
    call: Call, kind: str, records: Any, sorts: tuple[str, ...], stream: str | None = None
) -> Answer:
    """A page of records in the asked order, with the cursor of the next."""
    stream, salt = stream or kind, call.company.options.seed
    cursor = call.args.get("cursor")
    order = decode(cursor, stream, salt) if cursor else _order(call.args, stream, sorts)
    kept, following = page(records, order, call.args["limit"], salt)
    data = [shown(call.company, kind, r, call.args) for r in kept]
    return Answer(data, additional={"next_cursor": following})


def _order(args: Record, stream: str, sorts: tuple[str, ...]) -> Order:
    by = checks.one_of("sort_by", args.get("sort_by", "id"), sorts)
    direction = checks.one_of("sort_direction", args.get("sort_direction", "asc"), ("asc", "desc"))
    return Order(stream, by, direction == "desc")

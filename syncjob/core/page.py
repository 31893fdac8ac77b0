"""What the report page shows, as values."""

from __future__ import annotations

from datetime import datetime

import msgspec

from syncjob.core.money_view import MoneyView
from syncjob.core.reports import BatchReport, StatusReport

#: Where the state keeps the money as it was counted for the page: with the names of customers.
MONEY_FACT = "page_money"
#: That something has changed since then, whichever batch stored it.
MONEY_CHANGED = "page_money_changed"


class PageReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page's content. `money` is as of `money_at`; None before the ledger was read."""

    status: StatusReport
    batches: tuple[BatchReport, ...] = ()
    money: MoneyView | None = None
    money_at: datetime | None = None

"""What a connector's factory is given from outside, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import requests

from syncjob.clock import Clock
from syncjob.connectors.base import Crm, Ledger
from syncjob.core.needs import Needs
from syncjob.core.policy import Mode
from syncjob.core.reports import Waiting, unwaited
from syncjob.transport.client import HttpChannel
from syncjob.transport.ports import BudgetStore, TokenStore
from syncjob.transport.wire import Door


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The outside of one side of one connection; nothing in it is global.

    `session` makes an HTTP session of its own. `new_key` gives a text that never repeats. `needs`
    says what the rules name of either account, so that nothing else of it is read. `waiting` is
    told when a vendor's limit, or its absence, is sat out.
    """

    clock: Clock
    session: Callable[[], requests.Session]
    tokens: TokenStore
    budgets: BudgetStore
    door: Door
    mode: Mode
    random: Random
    new_key: Callable[[], str]
    needs: Needs = Needs()
    waiting: Waiting = unwaited


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """One side, ready: the connector, and the channel that journaled writes are sent through."""

    connector: Crm | Ledger
    channel: HttpChannel

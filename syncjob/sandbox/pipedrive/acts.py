"""The people's door: one act by its name, with what was sent made exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive.company import Record
from syncjob.sandbox.pipedrive.people import DEAL_ACTS, Payload
from syncjob.sandbox.pipedrive.people_others import OTHER_ACTS
from syncjob.sandbox.pipedrive.wire import Refusal

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer

ACTS: dict[str, Callable[[Any, Payload], Record]] = {**DEAL_ACTS, **OTHER_ACTS}


def act(server: PipedriveServer, name: str, payload: Payload) -> Record:
    """Does one act; what cannot be done raises ActError with the reason."""
    doer = ACTS.get(name)
    if doer is None:
        raise ActError(f"no such act {name!r}; one of {', '.join(sorted(ACTS))}")
    try:
        with server.company.whole():
            return doer(server, exact(payload))
    except Refusal as refused:
        raise ActError(refused.error) from refused
    except KeyError as missing:
        raise ActError(f"{name}: needs {missing}") from missing


def exact(value: Any) -> Any:
    """JSON floats become decimals of the same digits."""
    if isinstance(value, dict):
        return {k: exact(v) for k, v in value.items()}
    if isinstance(value, list):
        return [exact(v) for v in value]
    return Decimal(str(value)) if isinstance(value, float) else value

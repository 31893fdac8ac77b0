"""Tables whose lists lag behind: a strong read by id, a late one by search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from syncjob.sandbox.kernel import Clock, Entropy


class Row(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)
Saved = tuple[dict[str, R], dict[str, tuple[tuple[datetime, R], ...]]]


class Table(Generic[R]):
    """Records by id. Each change shows in `visible` only when its drawn lag has passed."""

    def __init__(self, clock: Clock, entropy: Entropy, lag_max_s: float) -> None:
        self._clock, self._entropy, self._lag_max_s = clock, entropy, lag_max_s
        self._rows: dict[str, R] = {}
        self._versions: dict[str, tuple[tuple[datetime, R], ...]] = {}

    def put(self, row: R) -> R:
        now = self._clock.now()
        lag = self._entropy.uniform(0, self._lag_max_s) if self._lag_max_s else 0.0
        older = self._versions.get(row.id, ())
        shown = [i for i, (at, _) in enumerate(older) if at <= now]
        kept = older[shown[-1] :] if shown else older
        self._rows[row.id] = row
        self._versions[row.id] = (*kept, (now + timedelta(seconds=lag), row))
        return row

    def get(self, id: str) -> R | None:
        return self._rows.get(id)

    def __getitem__(self, id: str) -> R:
        return self._rows[id]

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def first(self, fits: Callable[[R], bool]) -> R | None:
        return next((row for row in self._rows.values() if fits(row)), None)

    def visible(self) -> list[R]:
        """What a list or a search shows now."""
        now = self._clock.now()
        found = []
        for versions in self._versions.values():
            shown = [row for at, row in versions if at <= now]
            if shown:
                found.append(shown[-1])
        return found

    def save(self) -> Saved[R]:
        return dict(self._rows), dict(self._versions)

    def restore(self, saved: Saved[R]) -> None:
        self._rows, self._versions = dict(saved[0]), dict(saved[1])

"""Tables whose lists lag behind: a strong read by id, a late one by search."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from syncjob.sandbox.kernel import Clock, Entropy


class Row(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Row)
#: The key by which rows are looked up: a function of a module, the same one at each question.
Key = Callable[[R], Hashable]
Saved = tuple[dict[str, R], dict[str, tuple[tuple[datetime, R], ...]]]


class Table(Generic[R]):
    """Records by id. Each change shows in `visible` only when its drawn lag has passed."""

    def __init__(self, clock: Clock, entropy: Entropy, lag_max_s: float) -> None:
        self._clock, self._entropy, self._lag_max_s = clock, entropy, lag_max_s
        self._rows: dict[str, R] = {}
        self._versions: dict[str, tuple[tuple[datetime, R], ...]] = {}
        self._forget_indexes()

    def put(self, row: R) -> R:
        now = self._clock.now()
        lag = self._entropy.uniform(0, self._lag_max_s) if self._lag_max_s else 0.0
        older = self._versions.get(row.id, ())
        shown = [i for i, (at, _) in enumerate(older) if at <= now]
        kept = older[shown[-1] :] if shown else older
        for key, index in self._indexes.items():
            self._move(index, self._rows.get(row.id), row, key)
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

    def keyed(self, key: Key[R], wanted: Hashable) -> list[R]:
        """The rows of this key, in the order in which they were first put. A load of a hundred
        thousand asks for each of them: the first question of a key makes its index."""
        if key not in self._indexes:
            index: dict[Hashable, set[str]] = {}
            for number, row in enumerate(self._rows.values()):
                self._places[row.id] = number
                index.setdefault(key(row), set()).add(row.id)
            self._indexes[key] = index
        found = sorted(self._indexes[key].get(wanted, ()), key=self._places.__getitem__)
        return [self._rows[id] for id in found]

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
        self._forget_indexes()

    def _forget_indexes(self) -> None:
        self._indexes: dict[Key[R], dict[Hashable, set[str]]] = {}
        self._places: dict[str, int] = {}

    def _move(
        self, index: dict[Hashable, set[str]], old: R | None, new: R, key: Key[R]
    ) -> None:  # fmt: skip
        self._places.setdefault(new.id, len(self._rows))
        if old is not None:
            index[key(old)].discard(new.id)
        index.setdefault(key(new), set()).add(new.id)

"""The stored killer of each planted bug: an address, and the invariant that it names there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.planted.engines import Engine
from tests.planted.invariants import PROMISES
from tests.planted.patching import PATCHES, PatchError, by_name

PATH = Path(__file__).with_name("killers.yaml")


@dataclass(frozen=True)
class Killer:
    """Played against the mutant, this address violates this invariant, and passes without it."""

    address: str
    invariant: str


def stored(path: Path = PATH) -> dict[str, Killer]:
    """All of them by the patch's name."""
    known = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {name: Killer(**given) for name, given in known.items()}


def store(name: str, killer: Killer, path: Path = PATH) -> None:
    """Put a killer in its place."""
    known = stored(path) if path.exists() else {}
    known[name] = killer
    plain = {
        n: {"address": k.address, "invariant": k.invariant} for n, k in sorted(known.items())
    }  # fmt: skip
    path.write_text(yaml.safe_dump(plain, allow_unicode=True, width=200), encoding="utf-8")


def grade(name: str, killer: Killer | None, shipped: Engine, folder: Path = PATCHES) -> str | None:
    """Why this planted bug is not caught as it should be, in words; None if it is.

    Caught is: the shipped engine passes the killer, and the mutant, in the same runner, violates
    the invariant that the killer names. Anything else, its own exception above all, is no kill.
    """
    if killer is not None and killer.invariant not in PROMISES:
        return f"{name}: {killer.invariant} is no invariant of the judge's"
    try:
        by_name(name, folder).applied()
    except PatchError as error:
        return str(error)
    if killer is None:
        return f"{name}: no killer is stored: `python -m tests.planted find {name}`"
    clean = shipped.play(killer.address)
    if clean.how != "passed":
        return f"{name}: the shipped engine does not pass {killer.address}: {clean.words}"
    with Engine(name, folder) as mutant:
        found = mutant.play(killer.address)
    if found.how == "violation" and found.invariant == killer.invariant:
        return None
    said = " ".join(word for word in (found.how, found.invariant, found.words) if word)
    return (
        f"{name}: {killer.address} no longer names {killer.invariant}, but: {said}. "
        f"`python -m tests.planted find {name}` looks for another."
    )

"""Learns the weights of syncjob/core/match/parameters.py from the labelled data.

    python -m benchmarks.match_train            the weights, as they stand in parameters.py
    python -m benchmarks.match_train --check    each set left out in turn, each fold of entities

Logistic regression with ridge, each set of equal weight. An agreement may not count against a
pair, a difference not for it. Needs numpy and scipy (the `bench` extra).
"""

from __future__ import annotations

import argparse
import sys
import zlib
from dataclasses import dataclass
from math import log2
from typing import Any

import msgspec
import numpy as np
from scipy.optimize import minimize

from benchmarks import crm_ledger, labelled
from syncjob.core.match.blocking import Blocks
from syncjob.core.match.compare import compare
from syncjob.core.match.frequencies import Frequencies
from syncjob.core.match.parameters import DEFAULT, MARKERS, SIGNS, Parameters
from syncjob.core.match.prepared import prepare
from syncjob.core.match.records import Party
from syncjob.core.match.scoring import obstacle

FOLDS = 5
#: What a pair that the rules decide counts beside one that the score decides.
BLOCKED_SHARE = 0.15
#: How strongly a weight is held to its prior where the data says little.
RIDGE = 0.5
#: The same set with fields taken away, so that each weight stands on its own feet.
MASKS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "febrl1": (("codes", {"tax_number": None, "more": ()}),),
    "febrl2": (
        ("codes", {"tax_number": None, "more": ()}),
        ("place", {"lines": (), "city": None, "postal_code": None, "tax_number": None}),
        ("names", {"first_name": None, "last_name": None, "tax_number": None}),
    ),
    "orgs": (("phone", {"phones": ()}), ("street", {"lines": ()})),
}
NAMES = sorted(SIGNS)
#: Another processor's arithmetic may end a thousandth or two elsewhere.
ROUNDING = 0.002
#: What a person would guess; it stands where no labelled set shows the finding.
PRIOR = {
    "name": 0.35, "name_same": 1.0, "name_slips": -0.2, "name_conflict": -0.2,
    "name_extra": -0.05, "name_conflict_share": -2.0, "name_extra_share": -0.5,
    "name_none": -3.0, "name_numbers": -3.0, "form": 0.3, "form_differs": -0.8,
    "human": 0.0, "tax_next": 0.0, "generation_differs": -3.0,
    "kind_differs": -2.0, "main_person": 0.2, "main_person_differs": -1.0, "first": 0.3,
    "first_initial": 1.0, "first_short": 1.5, "first_part": 0.2, "first_near": 0.25,
    "first_differs": -4.0, "last": 0.35, "last_initial": 0.3, "last_short": 0.3,
    "last_part": 0.25, "last_near": 0.25, "last_differs": -3.5, "swapped": -0.5, "phone": 0.3,
    "phone_near": 2.0, "phone_differs": -1.0, "email": 0.4, "email_role": 0.2,
    "email_near": 3.0, "email_local": 0.2, "email_differs": -0.8, "domain": 0.25,
    "domain_near": 2.0, "domain_differs": -1.0, "street": 0.25, "street_differs": -0.2,
    "number": 0.2, "number_near": -0.5, "number_differs": -1.5, "postcode": 0.2,
    "postcode_near": 0.8, "postcode_differs": -1.0, "city": 0.15, "city_near": 0.6,
    "city_differs": -0.8, "region": 0.1, "region_differs": -0.8, "country_differs": -2.0,
    "direction_differs": -1.0, "street_kind_differs": -0.5, "tax": 0.6,
    "tax_near": 3.0, "tax_differs": -3.0,
    "more": 0.4,
    "code_near": 2.0, "code_differs": -2.0, "text_near": 2.0, "text_differs": -1.0,
}  # fmt: skip
Array = Any


@dataclass
class Examples:
    """The candidate pairs of one set: findings, truth, and the fold of each pair's entities."""

    name: str
    x: Array
    y: Array
    folds: Array  # (pairs, 2)
    blocked: Array
    missed: int  # true pairs that no block brought together


def examples(name: str, parties: list[Party], split: int | None, truth: set[tuple[str, str]],
             entity: dict[str, str]) -> Examples:  # fmt: skip
    prepared = [prepare(party) for party in parties]
    frequencies = Frequencies(prepared)
    blocks = Blocks(prepared, frequencies, DEFAULT.block_max)
    rows, y, folds, found = [], [], [], 0
    crowd = log2(len(parties))
    for a, b in blocks.candidates():
        if split is not None and not a < split <= b:
            continue
        ids = (parties[a].id, parties[b].id) if split is not None else tuple(
            sorted((parties[a].id, parties[b].id)))  # fmt: skip
        findings = compare(prepared[a], prepared[b], frequencies)
        rows.append([findings.get(n, 0.0) for n in NAMES] + [crowd, 1.0])
        y.append(ids in truth)
        found += ids in truth
        folds.append([zlib.crc32(entity.get(i, i).encode()) % FOLDS for i in ids])
    x = np.array(rows)
    return Examples(name, x, np.array(y, float), np.array(folds), blocked(x), len(truth) - found)


def everything(sizes: tuple[int, ...] = (200, 3000)) -> list[Examples]:
    """The labelled sets (one file each) and made-up customers of several sizes."""
    found = []
    for data in labelled.shared():
        if data.right is None:
            parties = data.left.parties()
            found.append(examples(data.name, parties, None, data.truth, data.entity))
            for without, fields in MASKS.get(data.name, ()):
                masked = [msgspec.structs.replace(p, **fields) for p in parties]
                name = f"{data.name} -{without}"
                found.append(examples(name, masked, None, data.truth, data.entity))
    for size in sizes:
        left, right, truth = crm_ledger.made_up(size, seed=size)
        entity = {theirs: mine for mine, theirs in truth}
        found.append(examples(f"made-up {size}", [*left, *right], len(left), truth, entity))
    return found


def blocked(x: Array) -> Array:
    """Which pairs the rules of scoring.py keep from certainty, whatever their score."""
    anything = Parameters(certain=-1e9)
    names = [{n: v for n, v in zip(NAMES, row, strict=False) if v} for row in x]
    return np.array([bool(obstacle(findings, 0, anything)) for findings in names])


def learn(sets: list[tuple[Array, Array, Array]]) -> Array:
    """The weights that explain all sets (findings, truth, blocked) best, each counting alike."""
    x = np.vstack([x for x, _, _ in sets])
    y = np.concatenate([y for _, y, _ in sets])
    weight = np.concatenate([
        np.where(no, BLOCKED_SHARE, 1) / max(y.sum(), 20) * 2000 for _, y, no in sets
    ])  # fmt: skip
    scale = np.maximum(np.abs(x).max(axis=0), 1e-9)
    scaled = x / scale

    prior = np.array([PRIOR[name] for name in NAMES] + [-0.5]) * scale[:-1]

    def loss(w: Array) -> tuple[float, Array]:
        z = scaled @ w
        p = 1 / (1 + np.exp(-np.clip(z, -50, 50)))
        value = (weight * (np.logaddexp(0, z) - y * z)).sum() + RIDGE * (
            (w[:-1] - prior) ** 2
        ).sum()
        gradient = scaled.T @ (weight * (p - y))
        gradient[:-1] += 2 * RIDGE * (w[:-1] - prior)
        return float(value), gradient

    limits = {1: (0, None), -1: (None, 0), 0: (None, None)}
    bounds = [
        *((0, 0) if n in MARKERS else limits[SIGNS[n]] for n in NAMES),
        (None, -0.2 * scale[-2]),
        (None, None),
    ]
    start = np.zeros(x.shape[1])
    start[:-1] = prior
    best = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 800}
    )
    return best.x / scale


def report(sets: list[Examples], scores: list[Array]) -> None:
    """Precision and recall of the certain band, and of all that would be shown."""
    for s, z in zip(sets, scores, strict=True):
        total = s.y.sum() + s.missed
        line = f"{s.name:14} {int(total):6} true pairs"
        for band, chosen in (
            ("certain", (z >= DEFAULT.certain) & ~s.blocked), ("shown", z >= DEFAULT.near),
        ):  # fmt: skip
            hits = s.y[chosen].sum()
            line += f" | {band} P {hits / max(chosen.sum(), 1):.4f} R {hits / total:.4f}"
        print(line)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.match_train", description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    sets = everything()
    whole = learn([(s.x, s.y, s.blocked) for s in sets])
    print("all sets, in sample")
    report(sets, [s.x @ whole for s in sets])
    if options.check:
        print("by entity, 5 folds")
        report(sets, folded(sets))
        print("each set left out (febrl as one)")
        report(sets, left_out(sets))
    numbers = {name: round(float(value), 3) for name, value in
               zip([*NAMES, "crowd", "bias"], whole, strict=True)}  # fmt: skip
    print("\n".join(f'    "{name}": {value + 0.0},' for name, value in numbers.items()))
    committed = {**DEFAULT.weights, "crowd": DEFAULT.crowd, "bias": DEFAULT.bias}
    differing = [name for name, value in numbers.items() if abs(value - committed[name]) > ROUNDING]
    print("parameters.py has", f"others: {', '.join(differing)}" if differing else "the same")
    return 0


def folded(sets: list[Examples]) -> list[Array]:
    scores = [np.zeros(len(s.y)) for s in sets]
    for fold in range(FOLDS):
        w = learn(
            [
                (s.x[k], s.y[k], s.blocked[k])
                for s in sets
                if (k := (s.folds != fold).all(axis=1)).any()
            ]
        )
        for s, z in zip(sets, scores, strict=True):
            mine = s.folds[:, 0] == fold
            z[mine] = s.x[mine] @ w
    return scores


def left_out(sets: list[Examples]) -> list[Array]:
    def family(s: Examples) -> str:
        return s.name.split(" -")[0].rstrip("0123456789 ")

    scores = []
    for s in sets:
        w = learn([(o.x, o.y, o.blocked) for o in sets if family(o) != family(s)])
        scores.append(s.x @ w)
    return scores


if __name__ == "__main__":
    sys.exit(main())

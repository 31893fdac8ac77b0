"""The field's libraries on the same data: splink, dedupe and recordlinkage, each set up as its own
documentation does, on the same columns, trained (where it learns from labels) on other entities.

Each function returns a score for every pair that the library looked at.
"""

from __future__ import annotations

import io
import json
import random
import re
import zlib
from collections.abc import Callable
from itertools import combinations
from typing import Any

from benchmarks.labelled import Labelled

Pairs = dict[tuple[str, str], float]
#: Labelled data of the other fold that a learning library is given.
FOLDS = 2
TRAINING_PAIRS = 2_000

_TEXT = ("name", "first_name", "last_name", "street", "city", "region", "postal_code", "phone",
         "email", "tax_number", "url")  # fmt: skip


def fold_of(data: Labelled, key: str) -> int:
    """The half of the entities to which a row belongs."""
    return zlib.crc32(data.entity.get(key, key).encode()) % FOLDS


def frame(data: Labelled) -> tuple[list[str], dict[str, dict[str, str | None]]]:
    """(columns, cleaned rows by id): lower case, plain signs; None where empty."""
    sides = [data.left] if data.right is None else [data.left, data.right]
    columns = [role for role in _TEXT if any(side.roles.get(role) for side in sides)]
    more = sorted({column for side in sides for column in side.roles.get("more", ())})
    rows: dict[str, dict[str, str | None]] = {}
    for side in sides:
        for key, row in side.rows.items():
            cleaned: dict[str, str | None] = {}
            for role in columns:
                text = " ".join(row.get(c, "") for c in side.roles.get(role, ()))
                cleaned[role] = _clean(text, role)
            for number, column in enumerate(more):
                cleaned[f"more{number}"] = _clean(row.get(column, ""), "more")
            rows[key] = cleaned
    return columns + [f"more{n}" for n in range(len(more))], rows


def _clean(text: str, role: str) -> str | None:
    text = re.sub(r"[^\w\s@.]" if role == "email" else r"[^\w\s]", " ", text.lower())
    text = "".join(re.findall(r"\d", text)) if role == "phone" else " ".join(text.split())
    return text or None


def splink(data: Labelled) -> Pairs:
    """Unsupervised: u by sampling, m by expectation maximisation over two blocking rules."""
    import pandas
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    columns, rows = frame(data)
    comparisons = [_splink_comparison(cl, column) for column in columns]
    named = [c for c in ("name", "last_name", "first_name", "phone", "tax_number", "more0",
                         "postal_code", "city", "street", "email") if c in columns]  # fmt: skip
    rules: list[Any] = []
    for column in named:
        rare = len({row[column] for row in rows.values()}) > len(rows) / 20
        rules += [block_on(column)] if rare else []
    rules += [block_on(f"substr({a}, 1, 3)", b) for a, b in combinations(named[:4], 2)]
    settings = SettingsCreator(
        link_type="dedupe_only" if data.right is None else "link_only",
        comparisons=comparisons, blocking_rules_to_generate_predictions=rules,
        unique_id_column_name="id", retain_intermediate_calculation_columns=False,
    )  # fmt: skip
    database = DuckDBAPI()
    frames = [database.register(f) for f in _splink_frames(data, rows, pandas)]
    linker = Linker(frames, settings, log_level=40)
    linker.training.estimate_probability_two_random_records_match(rules[:1], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in rules[:3]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=0.001).as_pandas_dataframe()
    keys = zip(found["id_l"], found["id_r"], found["match_probability"], strict=True)
    return {_ordered(data, a, b): float(p) for a, b, p in keys}


def _splink_comparison(cl: Any, column: str) -> Any:
    if column in ("first_name", "last_name", "name"):
        return cl.NameComparison(column)
    if column == "email":
        return cl.EmailComparison(column)
    if column in ("street", "url"):
        return cl.JaroWinklerAtThresholds(column, [0.95, 0.88, 0.8])
    if column in ("city", "region"):
        return cl.LevenshteinAtThresholds(column, [1, 2]).configure(term_frequency_adjustments=True)
    return cl.DamerauLevenshteinAtThresholds(column, [1, 2])


def _splink_frames(data: Labelled, rows: dict[str, Any], pandas: Any) -> list[Any]:
    sides = [data.left] if data.right is None else [data.left, data.right]
    return [pandas.DataFrame([{"id": key, **rows[key]} for key in side.rows]) for side in sides]


def dedupe(data: Labelled) -> Pairs:
    """Active learning's model, given labelled pairs of the other half instead of a person."""
    import dedupe as library

    columns, rows = frame(data)
    fields = [_dedupe_variable(library, column, rows) for column in columns]
    found: Pairs = {}
    for fold in range(FOLDS):
        random.seed(fold)
        matches, others = _training(data, rows, fold)
        training = io.StringIO(json.dumps({
            "match": [_dedupe_pair(rows[a], rows[b]) for a, b in matches],
            "distinct": [_dedupe_pair(rows[a], rows[b]) for a, b in others],
        }))  # fmt: skip
        sides = [rows] if data.right is None else [
            {key: rows[key] for key in side.rows} for side in (data.left, data.right)]  # fmt: skip
        kind = library.Dedupe if data.right is None else library.RecordLink
        model: Any = kind(fields, num_cores=1)
        model.prepare_training(*sides, training_file=training, sample_size=1500)
        model.train(recall=1.0, index_predicates=False)
        scored = model.score(model.pairs(*sides))
        for (a, b), score in zip(scored["pairs"], scored["score"], strict=True):
            pair = _ordered(data, str(a), str(b))
            if fold_of(data, pair[0]) == fold:
                found[pair] = float(score)
    return found


def _dedupe_pair(one: Any, other: Any) -> dict[str, Any]:
    """A labelled pair in the form of dedupe's training files."""
    return {"__class__": "tuple", "__value__": [one, other]}


def _dedupe_variable(library: Any, column: str, rows: dict[str, Any]) -> Any:
    missing = any(row[column] is None for row in rows.values())
    short = column in ("postal_code", "region", "phone", "tax_number")
    kind = library.variables.ShortString if short else library.variables.String
    return kind(column, has_missing=missing)


def recordlinkage(data: Labelled) -> Pairs:
    """Logistic regression over string distances, on blocks and sorted neighbourhoods."""
    import pandas
    import recordlinkage as library

    columns, rows = frame(data)
    frames = [f.set_index("id") for f in _splink_frames(data, rows, pandas)]
    indexer = library.Index()
    for column in columns:
        if len({row[column] for row in rows.values()}) > len(rows) / 20:
            indexer.block(column)
    for column in [c for c in ("name", "last_name", "first_name", "street") if c in columns]:
        indexer.sortedneighbourhood(column, window=9)
    candidates = indexer.index(*frames)
    compare = library.Compare()
    for column in columns:
        method = "jarowinkler" if column in ("name", "first_name", "last_name", "city") else (
            "damerau_levenshtein")  # fmt: skip
        compare.string(column, column, method=method, label=column, missing_value=0.5)
    vectors = compare.compute(candidates, *frames)
    found: Pairs = {}
    keys = [_ordered(data, a, b) for a, b in vectors.index]
    truth = data.truth
    folds = [(fold_of(data, a), fold_of(data, b)) for a, b in keys]
    for fold in range(FOLDS):
        use = [fold not in pair for pair in folds]
        training = vectors[use]
        true = pandas.MultiIndex.from_tuples(
            [index for index, key, u in zip(vectors.index, keys, use, strict=True)
             if u and key in truth], names=training.index.names,
        )  # fmt: skip
        model = library.LogisticRegressionClassifier()
        model.fit(training, true)
        scores = model.prob(vectors)
        for key, pair, score in zip(keys, folds, scores, strict=True):
            if pair[0] == fold:
                found[key] = float(score)
    return found


def _training(data: Labelled, rows: dict[str, Any], fold: int) -> tuple[Any, Any]:
    """Labelled pairs whose entities are both outside the fold: true ones and random others."""
    dice = random.Random(fold)
    true = [p for p in sorted(data.truth) if all(fold_of(data, key) != fold for key in p)]
    matches = dice.sample(true, min(len(true), TRAINING_PAIRS // 2))
    left = [key for key in data.left.rows if fold_of(data, key) != fold]
    right = left if data.right is None else [
        key for key in data.right.rows if fold_of(data, key) != fold]  # fmt: skip
    others = []
    truth = data.truth
    while len(others) < len(matches):
        pair = _ordered(data, dice.choice(left), dice.choice(right))
        if pair[0] != pair[1] and pair not in truth:
            others.append(pair)
    return matches, others


def _ordered(data: Labelled, a: str, b: str) -> tuple[str, str]:
    if data.right is None:
        return (a, b) if a < b else (b, a)
    return (a, b) if a in data.left.rows else (b, a)


RIVALS: dict[str, Callable[[Labelled], Pairs]] = {
    "splink": splink, "dedupe": dedupe, "recordlinkage": recordlinkage,
}  # fmt: skip

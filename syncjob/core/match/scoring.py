"""A pair's score: the sum of what its findings weigh, as a probability, and the same in words."""

from __future__ import annotations

from math import exp, log2

from .compare import Findings
from .parameters import Parameters


def score(findings: Findings, total: int, parameters: Parameters) -> float:
    """The probability (0 to 1) that both are one, among `total` parties of both sides."""
    weights = parameters.weights
    odds = parameters.bias + parameters.crowd * log2(max(total, 2))
    for name in sorted(findings):
        odds += weights[name] * findings[name]
    if odds < -40:
        return 0.0
    return round(1 / (1 + exp(-odds)), 6)

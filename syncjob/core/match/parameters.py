"""Every number of the match: what each finding weighs, and where the bands begin."""

from __future__ import annotations

import msgspec

#: Learned by benchmarks/match_train.py from the labelled sets named in docs/matching.md.
#: Natural-logarithm odds: per bit for agreements that carry bits, else for the finding as such.
WEIGHTS: dict[str, float] = {
    "city": 0.155,
    "city_differs": -2.597,
    "city_near": 1.208,
    "code_differs": -3.459,
    "code_near": 2.557,
    "country_differs": -3.881,
    "direction_differs": -4.343,
    "domain": 0.067,
    "domain_differs": -4.103,
    "domain_near": 3.183,
    "email": 0.237,
    "email_differs": -0.964,
    "email_local": 0.0,
    "email_near": 0.0,
    "email_role": 0.0,
    "first": 0.159,
    "first_differs": -4.68,
    "first_initial": 1.294,
    "first_near": 0.265,
    "first_part": 0.14,
    "first_short": 0.0,
    "form": 0.0,
    "form_differs": -2.926,
    "kind_differs": -1.006,
    "last": 0.241,
    "last_differs": -3.136,
    "last_initial": 0.0,
    "last_near": 0.287,
    "last_part": 0.012,
    "last_short": 0.3,
    "main_person": 0.028,
    "main_person_differs": -4.523,
    "more": 0.69,
    "name": 0.109,
    "name_conflict": 0.0,
    "name_conflict_share": -3.852,
    "name_extra": 0.0,
    "name_extra_share": 0.0,
    "name_none": 0.0,
    "name_numbers": -1.9,
    "name_same": 2.589,
    "name_slips": 0.0,
    "number": 0.179,
    "number_differs": -4.081,
    "number_near": -2.409,
    "phone": 0.243,
    "phone_differs": -1.034,
    "phone_near": 1.885,
    "postcode": 0.128,
    "postcode_differs": -3.921,
    "postcode_near": 0.0,
    "region": 1.077,
    "region_differs": -0.881,
    "street": 0.439,
    "street_differs": 0.0,
    "street_kind_differs": -1.435,
    "swapped": -0.914,
    "tax": 0.438,
    "tax_differs": -2.265,
    "tax_near": 3.683,
    "text_differs": -1.0,
    "text_near": 2.0,
}


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may set; the defaults are one set for all kinds of data.

    `country` (two letters) tells the form of phone numbers whose party has no country.
    """

    weights: dict[str, float] = msgspec.field(default_factory=lambda: dict(WEIGHTS))
    bias: float = -0.603
    #: Weight of the bits of the number of parties: each is a stranger with the same chance.
    crowd: float = -0.200
    #: Logarithmic odds from which a pair is certain, and from which a person should look at it.
    certain: float = 2.0
    near: float = -2.0
    #: A certain link must be this much better than the next best of either party.
    margin: float = 2.0
    #: Near pairs of a party that are this much worse than its best one are left out.
    near_margin: float = 4.0
    #: Shares (0 to 1) of the names' bits that may stand unmatched in a certain pair: on both
    #: sides ("Acme Holdings", "Acme Homes"), and on one alone.
    conflict_max: float = 0.15
    extra_max: float = 0.65
    #: Bits from which the same company name is enough alone.
    name_alone: float = 14.0
    #: Parties that may share a sign before it is called too common to look at every pair.
    block_max: int = 40
    country: str | None = None
    #: Parties that stand beside those given, where a few were picked out of many: they are counted
    #: as strangers, so that few are judged as they would be among all.
    others: int = 0
    #: False: every certain pair stands, where a side holds one customer several times.
    one_to_one: bool = True


DEFAULT = Parameters()

_AGAINST = (
    "_differs", "_conflict", "_extra", "_share", "_none", "_slips", "_numbers", "swapped",
)  # fmt: skip
#: Whether a finding may speak for (1), against (-1) or either way (0); the training keeps to it.
SIGNS = {
    name: 0 if name == "number_near" else -1 if name.endswith(_AGAINST) else 1 for name in WEIGHTS
}

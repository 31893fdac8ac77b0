"""Every number of the match: what each finding weighs, and where the bands begin."""

from __future__ import annotations

import msgspec

#: Learned by benchmarks/match_train.py from the labelled sets named in docs/matching.md.
#: Natural-logarithm odds: per bit for agreements that carry bits, else for the finding as such.
WEIGHTS: dict[str, float] = {
    "city": 0.204,
    "city_differs": -1.655,
    "city_near": 1.838,
    "code_differs": -2.399,
    "code_near": 2.527,
    "country_differs": -2.313,
    "direction_differs": -1.75,
    "domain": 0.194,
    "domain_differs": -2.107,
    "domain_near": 0.507,
    "email": 0.308,
    "email_differs": -1.824,
    "email_local": 0.172,
    "email_near": 0.0,
    "email_role": 0.0,
    "first": 0.193,
    "first_differs": -4.512,
    "first_initial": 1.701,
    "first_near": 0.218,
    "first_part": 0.197,
    "first_short": 1.228,
    "form": 0.0,
    "form_differs": -1.671,
    "generation_differs": -3.0,
    "human": 0.0,
    "kind_differs": -2.054,
    "last": 0.246,
    "last_differs": -2.457,
    "last_initial": 0.356,
    "last_near": 0.188,
    "last_part": 0.238,
    "last_short": 0.3,
    "main_person": 0.097,
    "main_person_differs": -3.129,
    "more": 0.604,
    "name": 0.103,
    "name_conflict": -0.014,
    "name_conflict_share": -4.421,
    "name_extra": -0.019,
    "name_extra_share": -0.202,
    "name_none": 0.0,
    "name_numbers": -2.775,
    "name_same": 2.001,
    "name_slips": 0.0,
    "number": 0.167,
    "number_differs": -2.881,
    "number_near": -1.509,
    "phone": 0.229,
    "phone_differs": -1.115,
    "phone_near": 1.937,
    "postcode": 0.109,
    "postcode_differs": -3.027,
    "postcode_near": 0.0,
    "region": 0.5,
    "region_differs": -1.449,
    "street": 0.343,
    "street_differs": -0.091,
    "street_kind_differs": -1.221,
    "swapped": 0.0,
    "tax": 0.35,
    "tax_differs": -2.647,
    "tax_near": 3.182,
    "tax_next": 0.0,
    "text_differs": -1.0,
    "text_near": 2.0,
}


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may set; the defaults are one set for all kinds of data.

    `country` (two letters) tells the form of phone numbers whose party has no country.
    """

    weights: dict[str, float] = msgspec.field(default_factory=lambda: dict(WEIGHTS))
    bias: float = 1.001
    #: Weight of the bits of the number of parties: each is a stranger with the same chance.
    crowd: float = -0.271
    #: Logarithmic odds from which a pair is certain, and from which a person should look at it.
    certain: float = 2.0
    near: float = -2.2
    #: A certain link must be this much better than the next best of either party.
    margin: float = 2.0
    #: Near pairs of a party that are this much worse than its best one are left out.
    near_margin: float = 4.0
    #: Shares (0 to 1) of the names' bits that may stand unmatched in a certain pair: on both
    #: sides ("Acme Holdings", "Acme Homes"), and on one alone.
    conflict_max: float = 0.15
    extra_max: float = 0.65
    #: The same shares from which a name may be a branch's, where no address agrees.
    branch_words: float = 0.05
    #: Bits from which the same company name is enough alone.
    name_alone: float = 14.0
    #: Parties that may share a sign before it is called too common to look at every pair.
    block_max: int = 32
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
#: Findings that only the rules of scoring.py look at; they weigh nothing.
MARKERS = frozenset({"human", "tax_next"})
#: Whether a finding may speak for (1), against (-1) or either way (0); the training keeps to it.
SIGNS = {
    name: 0 if name == "number_near" else -1 if name.endswith(_AGAINST) else 1 for name in WEIGHTS
}

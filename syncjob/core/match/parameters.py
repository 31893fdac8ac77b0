"""Every number of the match: what each finding weighs, and where the bands begin."""

from __future__ import annotations

import msgspec

#: Natural-logarithm odds: per bit for agreements that carry bits, else for the finding as such.
WEIGHTS: dict[str, float] = {
    "name": 0.55, "name_same": 1.0, "name_slips": -0.2, "name_conflict": -0.45,
    "name_extra": -0.12, "name_none": -4, "name_numbers": -4, "form": 0.3, "form_differs": -0.8,
    "kind_differs": -3, "main_person": 0.4, "main_person_differs": -1,
    "first": 0.6, "first_initial": 1, "first_short": 2, "first_part": 0.3, "first_near": 0.35,
    "first_differs": -4, "last": 0.6, "last_initial": 0.5, "last_short": 0.5, "last_part": 0.4,
    "last_near": 0.4, "last_differs": -4, "swapped": -0.5,
    "phone": 0.5, "phone_near": 2.5, "phone_differs": -1.2,
    "email": 0.7, "email_role": 0.3, "email_near": 4, "email_local": 0.3, "email_differs": -1,
    "domain": 0.4, "domain_differs": -1,
    "street": 0.3, "street_differs": -0.25, "number": 0.2, "number_near": 0, "number_differs": -1.5,
    "postcode": 0.3, "postcode_near": 0.8, "postcode_differs": -1,
    "city": 0.2, "city_near": 0.5, "city_differs": -0.8, "region": 0.1, "region_differs": -0.8,
    "country_differs": -2, "tax": 0.8, "tax_near": 4, "tax_differs": -4,
    "more": 0.6, "code_near": 3, "code_differs": -3, "text_near": 2, "text_differs": -0.8,
}  # fmt: skip


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may set; the defaults are one set for all kinds of data.

    `country` (two letters) tells the form of phone numbers whose party has no country.
    """

    weights: dict[str, float] = msgspec.field(default_factory=lambda: dict(WEIGHTS))
    bias: float = -1.0
    #: Weight of the bits of the number of parties: each is a stranger with the same chance.
    crowd: float = -0.69
    certain: float = 0.995
    near: float = 0.5
    #: Parties that may share a sign before it is called too common to look at every pair.
    block_max: int = 40
    country: str | None = None
    #: Parties that stand beside those given, where a few were picked out of many: they are counted
    #: as strangers, so that few are judged as they would be among all.
    others: int = 0
    #: False: every certain pair stands, where a side holds one customer several times.
    one_to_one: bool = True


DEFAULT = Parameters()

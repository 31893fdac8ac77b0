"""Where goods and services go: country and region, the delivery address before the billing one.

Only what an address says counts; a country that none names is unknown, and whoever must know it
holds the deal. Groups of countries have names: `EU`, `home`, and those of the config.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from syncjob.core.contacts.countries import country_code
from syncjob.core.policy import DealInputs
from syncjob.core.records import Address, Contact, Deal
from syncjob.core.rules.texts import one_line

#: The 27 members of the European Union (europa.eu, since 2020-02-01), by ISO code.
_EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
EU = frozenset(_EU.split())

#: Postal codes of the United States, Canada and Australia (ISO 3166-2), for addresses that spell
#: a state out: `California` and `CA` are one region.
_REGIONS = {
    "US": "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|"
    "DE Delaware|DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|"
    "IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|"
    "MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|"
    "NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|"
    "OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico|RI Rhode Island|"
    "SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|"
    "WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming",
    "CA": "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|"
    "NL Newfoundland and Labrador|NS Nova Scotia|NT Northwest Territories|NU Nunavut|ON Ontario|"
    "PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon",
    "AU": "ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|"
    "QLD Queensland|SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia",
}
_NAMED = {
    country: {
        part.partition(" ")[2].casefold(): part.partition(" ")[0] for part in table.split("|")
    }
    for country, table in _REGIONS.items()
}
_REGION_CODES = frozenset(code for table in _NAMED.values() for code in table.values())
_REGION_NAMES = frozenset(name for table in _NAMED.values() for name in table)
#: Addresses repeat from deal to deal, and are looked at several times for each.
_PARTS_KEPT = 4096
_POSTCODE = re.compile(r"\b[\dA-Z]*\d[\dA-Z-]*\b", re.IGNORECASE)


class Place(msgspec.Struct, frozen=True):
    """A country (ISO code) and a region as it is written, each None where nothing names it;
    `source` says in words which address this is."""

    country: str | None
    region: str | None
    source: str


class Groups(msgspec.Struct, frozen=True):
    """What names of places mean: the config's groups, and the organisation's own country."""

    home: str | None
    named: Mapping[str, Sequence[str]] = {}

    def codes(self, name: str) -> frozenset[str]:
        """The countries that a name in a rule stands for; empty for a name that means nothing."""
        wanted = name.strip()
        if wanted.casefold() == "home":
            return frozenset({self.home} if self.home else ())
        group = next((v for k, v in self.named.items() if k.casefold() == wanted.casefold()), None)
        if group is not None:
            members = (self.codes(m) for m in group if m.casefold() != wanted.casefold())
            return frozenset().union(*members)
        if wanted.casefold() == "eu":
            return EU
        code = country_code(wanted)
        return frozenset({code} if code else ())


def delivered_to(
    deal: Deal, inputs: DealInputs, ledger: Contact | None, crm: Contact | None, default: str | None
) -> Place:
    """Where this deal goes: the deal's own fields, the ledger contact's delivery address, its
    billing address, the CRM's. The first that names a country decides; `default` is the ISO code
    of addresses that name none."""
    known = None
    for place in _asked(deal, inputs, ledger, crm):
        if place.country:
            return place
        if place.region and known is None:
            known = place
    if known is not None:
        return Place(default, known.region, known.source)
    return Place(default, None, "no address")


def _asked(
    deal: Deal, inputs: DealInputs, ledger: Contact | None, crm: Contact | None
) -> Iterator[Place]:
    if inputs.delivery_address or inputs.delivery_country or inputs.delivery_region:
        yield _from_fields(deal, inputs)
    if ledger is not None:
        yield _at(ledger.street, "the contact's delivery address in the ledger")
        yield _at(ledger.address, "the contact's billing address in the ledger")
    if crm is not None:
        yield _at(crm.address, "the customer's address in the CRM")


def _from_fields(deal: Deal, inputs: DealInputs) -> Place:
    def said(name: str | None) -> str:
        return one_line(deal.fields.get(name)) if name else ""

    whole = _at(Address(text=said(inputs.delivery_address) or None), "")
    country = country_code(said(inputs.delivery_country)) or whole.country
    return Place(country, said(inputs.delivery_region) or whole.region, "the deal's delivery field")


def _at(address: Address | None, source: str) -> Place:
    """A place by the parts of an address; one that is a text alone says its country last.

    A ledger's contact that was made from such a text has it as a line, and no region beside it.
    """
    if address is None:
        return Place(None, None, source)
    country, region = country_code(address.country), one_line(address.region) or None
    text = address.text or ", ".join(address.lines)
    parts = [p.strip() for p in text.split(",") if p.strip()]
    if parts and not country:
        country = country_code(parts[-1]) if len(parts) > 1 else None
        parts = parts[:-1] if country else parts
    if parts and not region:
        region = next((r for r in map(_region_in, reversed(parts[1:])) if r), None)
    return Place(country, region, source)


@lru_cache(maxsize=_PARTS_KEPT)
def _region_in(part: str) -> str | None:
    """A state in a part of an address such as "CA 94103" or "New York 10001"."""
    words = " ".join(_POSTCODE.sub(" ", part).split())
    known = words.upper() in _REGION_CODES or words.casefold() in _REGION_NAMES
    return words if words and known else None


def same_region(one: str, other: str, country: str | None) -> bool:
    """Whether two ways to write a region mean one; codes count where the country has them."""
    return _region_key(one, country) == _region_key(other, country)


def _region_key(region: str, country: str | None) -> str:
    text = " ".join(region.replace(".", "").split())
    code = _NAMED.get(country or "", {}).get(text.casefold())
    return (code or text).casefold()

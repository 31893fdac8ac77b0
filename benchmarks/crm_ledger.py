"""A made-up firm's customers on both sides, as CRM and ledger really differ, with the hard cases.

Everything follows from a seed. Names are skewed as in life: a few very common ones, a long tail of
names that occur once. Each hard case (branches, groups, families, near namesakes) is its own
entity per customer, so that a match that joins them is wrong.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field, replace

from benchmarks.made_up_words import (
    CITIES,
    ENDS,
    FIRST,
    FORMS,
    LAST,
    MIDDLES,
    NOUNS,
    ROLES,
    STARTS,
    STREET_KINDS,
    STREETS,
    TRADES,
)  # fmt: skip
from syncjob.core.match.records import Party

#: Shares of the customers that are each kind of case.
SHARES = (
    ("company", 0.58), ("person", 0.22), ("branches", 0.05), ("group", 0.04), ("family", 0.04),
    ("namesakes", 0.05), ("common_names", 0.02),
)  # fmt: skip
#: Customers that only one side has.
ONLY_ONE_SIDE = 0.2


@dataclass(frozen=True)
class Customer:
    """A customer as it truly is."""

    person: bool
    name: str
    form: str
    first: str
    last: str
    email: str
    phone: str
    number: str
    street: str
    kind: str
    city: str
    postcode: str
    country: str
    tax: str
    site: str
    tags: frozenset[str] = field(default_factory=frozenset)


def made_up(size: int, seed: int = 1) -> tuple[list[Party], list[Party], set[tuple[str, str]]]:
    """About `size` customers a side: the CRM's, the ledger's and the true pairs of ids."""
    maker = _Maker(random.Random(seed))
    customers: list[Customer] = []
    while len(customers) < size * (1 + ONLY_ONE_SIDE / 2):
        customers += maker.case()
    left, right, truth = [], [], set()
    for customer in customers:
        draw = maker.dice.random()
        crm, ledger = f"c{len(left)}", f"l{len(right)}"
        if draw > ONLY_ONE_SIDE / 2:
            left.append(maker.in_crm(crm, customer))
        if not ONLY_ONE_SIDE / 2 < draw <= ONLY_ONE_SIDE:
            right.append(maker.in_ledger(ledger, customer))
        if draw > ONLY_ONE_SIDE:
            truth.add((crm, ledger))
    return left, right, truth


class _Maker:
    """Draws customers and writes them down as each side's people would."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.taken: set[str] = set()

    def skewed(self, words: list[str]) -> str:
        """A few of the words very often, the others ever more rarely; at times a new one."""
        if self.dice.random() < 0.35:
            return self.new_name()
        return words[min(int(self.dice.paretovariate(0.6)) - 1, len(words) - 1) % len(words)]

    def new_name(self) -> str:
        """A family name that nobody else has, by syllables."""
        word = self.dice.choice(STARTS) + self.dice.choice(MIDDLES) + self.dice.choice("aeiou")
        return (word + self.dice.choice(["", "", "l", "n", "r"]) + self.dice.choice(ENDS)).title()

    def free(self, start: str, end: str) -> str:
        """A domain or mailbox that nobody else has: the second "anna.meyer" gets a number."""
        found, number = f"{start}{end}", 1
        while found in self.taken:
            number += 1
            found = f"{start}{number}{end}"
        self.taken.add(found)
        return found

    def case(self) -> list[Customer]:
        """One case: a customer, or several that are easily taken for one."""
        kind = self.dice.choices([k for k, _ in SHARES], [s for _, s in SHARES])[0]
        if kind == "company":
            return [self.company()]
        if kind == "person":
            return [self.human()]
        return list(getattr(self, f"_{kind}")())

    def place(self) -> dict[str, str]:
        country, city, code = self.dice.choice(CITIES)
        digits = "".join(
            self.dice.choice(string.digits) if c == "9"
            else self.dice.choice("ABDEFGHJLNPQRSTUW") if c == "A" else c for c in code
        )  # fmt: skip
        street = self.dice.choice([*STREETS, self.new_name(), self.new_name()])
        kind = self.dice.choice(STREET_KINDS)
        number = str(int(self.dice.paretovariate(0.9)) + self.dice.randrange(60))
        return {
            "country": country, "city": city, "postcode": digits, "street": street, "kind": kind,
            "number": number, "phone": self.phone(country),
        }  # fmt: skip

    def phone(self, country: str) -> str:
        def digits(n: int) -> str:
            return "".join(self.dice.choice(string.digits) for _ in range(n))

        forms = {
            "GB": f"+4420{self.dice.choice('378')}{digits(7)}", "DE": f"+4930{digits(8)}",
            "US": f"+1312{self.dice.choice('23456789')}{digits(6)}", "AU": f"+612{digits(8)}",
            "FR": f"+331{digits(8)}", "ES": f"+3491{digits(7)}",
        }  # fmt: skip
        return forms[country]

    def company(self) -> Customer:
        place = self.place()
        core = self.core_name()
        domain = "".join(c for c in core.lower() if c.isalnum())[:18]
        endings = {"GB": ".co.uk", "DE": ".de", "US": ".com", "AU": ".com.au"}
        domain = self.free(domain, endings.get(place["country"], ".eu"))
        first, last = self.skewed(FIRST), self.skewed(LAST)
        return Customer(
            person=False, name=core, form=self.dice.choice(FORMS[place["country"]]), first=first,
            last=last, email=f"{first}.{last}@{domain}".lower(), site=f"www.{domain}",
            tax=place["country"] + "".join(self.dice.choice(string.digits) for _ in range(9)),
            **place,
        )  # fmt: skip

    def core_name(self) -> str:
        draw = self.dice.random()
        if draw < 0.45:
            return f"{self.skewed(LAST)} {self.dice.choice(TRADES)}"
        if draw < 0.6:
            return f"{self.skewed(LAST)} & {self.skewed(LAST)}"
        if draw < 0.8:
            return f"{self.dice.choice(NOUNS)} {self.dice.choice(NOUNS)} {self.dice.choice(TRADES)}"
        if draw < 0.9:
            return f"{self.new_name()}{self.dice.choice(['tec', 'soft', 'med', 'plan', 'net', ''])}"
        return f"{self.dice.choice(NOUNS)} {self.dice.choice(TRADES)}"

    def human(self) -> Customer:
        first, last = self.skewed(FIRST), self.skewed(LAST)
        free = self.dice.choice(["gmail.com", "yahoo.com", "gmx.de", "outlook.com"])
        number = self.dice.choice(["", str(self.dice.randrange(100))])
        return Customer(
            person=True, name=f"{first} {last}", form="", first=first, last=last, tax="", site="",
            email=self.free(f"{first}.{last}{number}".lower(), f"@{free}"), **self.place(),
        )  # fmt: skip

    # --- cases that are easily taken for one ---

    def _branches(self) -> list[Customer]:
        """One company with three branches, each a customer of its own."""
        head = self.company()
        found = []
        for _ in range(3):
            place = self.place()
            while place["city"] in {c.city for c in found}:
                place = self.place()
            name = f"{head.name} {place['city']}" if self.dice.random() < 0.5 else head.name
            first, last = self.skewed(FIRST), self.skewed(LAST)
            email = f"{first}.{last}@{head.site[4:]}".lower()
            found.append(replace(
                head, name=name, first=first, last=last, email=email, **place,
                tags=frozenset({"branch"}),
            ))  # fmt: skip
        return found

    def _group(self) -> list[Customer]:
        """Parent and subsidiaries with one accounts@ address, one phone, often one address."""
        head = self.company()
        shared = {"email": f"accounts@{head.site[4:]}", "phone": head.phone, "site": head.site}
        word = head.name.split()[0]
        names = [f"{word} {kind}" for kind in self.dice.sample(TRADES, 3)]
        tags = frozenset({"group"})
        group = [replace(head, name=f"{word} Holdings", tags=tags, **shared)]
        for name in names:
            tax = head.tax[:2] + "".join(self.dice.choice(string.digits) for _ in range(9))
            place = self.place() if self.dice.random() < 0.5 else {}
            group.append(replace(head, name=name, tax=tax, tags=tags, **{**place, **shared}))
        return group

    def _family(self) -> list[Customer]:
        """Two people of one family at one address with one phone."""
        one = self.human()
        first = self.skewed(FIRST)
        while first[:2] == one.first[:2]:
            first = self.skewed(FIRST)
        email = one.email
        if self.dice.random() >= 0.3:
            email = self.free(f"{first}.{one.last}".lower(), "@gmail.com")
        return [one, replace(one, first=first, name=f"{first} {one.last}", email=email)]

    def _namesakes(self) -> list[Customer]:
        """Acme Holdings Ltd and Acme Homes Ltd: strangers to each other."""
        one, other = self.company(), self.company()
        word = one.name.split()[0]
        kinds = self.dice.sample(TRADES, 2)
        return [replace(one, name=f"{word} {kinds[0]}"), replace(other, name=f"{word} {kinds[1]}")]

    def _common_names(self) -> list[Customer]:
        """Two people with one common name."""
        one, other = self.human(), self.human()
        first, last = FIRST[self.dice.randrange(4)], LAST[self.dice.randrange(4)]
        return [
            replace(c, first=first, last=last, name=f"{first} {last}",
                    email=self.free(f"{first[0]}{last}".lower(), "@gmail.com"))
            for c in (one, other)
        ]  # fmt: skip

    # --- how each side writes it down ---

    def in_crm(self, key: str, truth: Customer) -> Party:
        """The CRM: names as sales write them, direct phones, seldom a tax number."""
        name = (
            truth.name if truth.person or self.dice.random() < 0.5 else f"{truth.name} {truth.form}"
        )
        return self.written(key, truth, name, "person" if truth.person else "organization", {
            "email": 0.75, "phone": 0.8, "street": 0.55, "city": 0.65, "tax": 0.1, "site": 0.5,
            "contact": 0.6, "slips": 0.12, "role": 0.25,
        })  # fmt: skip

    def in_ledger(self, key: str, truth: Customer) -> Party:
        """The ledger: legal names, billing mailboxes, billing addresses."""
        name = (
            truth.name if truth.person or self.dice.random() < 0.2 else f"{truth.name} {truth.form}"
        )
        return self.written(key, truth, name, "contact", {
            "email": 0.7, "phone": 0.55, "street": 0.6, "city": 0.65, "tax": 0.5, "site": 0.15,
            "contact": 0.5, "slips": 0.08, "role": 0.5,
        })  # fmt: skip

    def written(
        self, key: str, truth: Customer, name: str, kind: str, shares: dict[str, float]
    ) -> Party:
        def has(part: str) -> bool:
            return self.dice.random() < shares[part]

        slips = shares["slips"]
        known_person = truth.person or has("contact")
        email = truth.email
        if not truth.person and has("role"):
            # A firm has one such mailbox, as a rule; at times each side knows another.
            own = ROLES[len(truth.site) % len(ROLES)]
            mailbox = own if self.dice.random() < 0.8 else self.dice.choice(ROLES)
            email = f"{mailbox}@{truth.email.partition('@')[2]}"
        first, last = self.slip(truth.first, slips), self.slip(truth.last, slips)
        if truth.person:
            if self.dice.random() < 0.06:
                first = first[0]
            if self.dice.random() < 0.03:
                first, last = last, first
            name = f"{first} {last}"
        else:
            name = self.slip(self.shortened(name), slips)
        city = has("city")
        return Party(
            id=key, kind=kind, name=name,  # type: ignore[arg-type]
            first_name=first if known_person else None, last_name=last if known_person else None,
            emails=(self.slip(email, slips / 4),) if has("email") else (),
            phones=(self.dialled(truth),) if has("phone") else (),
            lines=(self.street(truth, slips),) if has("street") else (),
            city=self.slip(truth.city, slips / 2) if city else None,
            postal_code=self.code(truth, slips) if city and self.dice.random() < 0.85 else None,
            country=truth.country if city and self.dice.random() < 0.8 else None,
            tax_number=truth.tax if truth.tax and has("tax") else None,
            url=truth.site if truth.site and has("site") else None,
        )  # fmt: skip

    def slip(self, text: str, share: float) -> str:
        """One slip of the keyboard, with the given chance."""
        if self.dice.random() >= share or len(text) < 4:
            return text
        at = self.dice.randrange(1, len(text) - 1)
        letter = self.dice.choice(string.ascii_lowercase)
        return self.dice.choice([
            text[:at] + text[at + 1] + text[at] + text[at + 2:], text[:at] + text[at + 1:],
            text[:at] + letter + text[at:], text[:at] + letter + text[at + 1:],
        ])  # fmt: skip

    def shortened(self, name: str) -> str:
        short = {"International": "Intl", "Engineering": "Eng.", "Services": "Svcs", "&": "and",
                 "Brothers": "Bros", "Limited": "Ltd", "Systems": "Sys",
                 "Consulting": "Consultants"}  # fmt: skip
        words = [short.get(w, w) if self.dice.random() < 0.3 else w for w in name.split()]
        name = " ".join(words)
        return name.upper() if self.dice.random() < 0.08 else name

    def dialled(self, truth: Customer) -> str:
        """The same number in one of the forms in which people type it; at times another one."""
        number = truth.phone if self.dice.random() < 0.88 else self.phone(truth.country)
        code = {"GB": 2, "DE": 2, "US": 1, "AU": 2, "FR": 2, "ES": 2}[truth.country]
        national = number[1 + code :]
        trunk = "" if truth.country in ("US", "ES") else "0"
        return self.dice.choice([
            number, f"{trunk}{national}", f"{trunk}{national[:3]} {national[3:6]} {national[6:]}",
            f"+{number[1:1 + code]} ({national[:2]}) {national[2:]}", f"00{number[1:]}",
        ])  # fmt: skip

    def street(self, truth: Customer, slips: float) -> str:
        long, short = truth.kind.split("|")
        kind = self.dice.choice([long, short])
        return self.slip(f"{truth.number} {truth.street} {kind}", slips)

    def code(self, truth: Customer, slips: float) -> str:
        code = truth.postcode
        if self.dice.random() < slips / 2:
            code = code[:-2] + code[-1] + code[-2]
        return code.replace(" ", "") if self.dice.random() < 0.2 else code

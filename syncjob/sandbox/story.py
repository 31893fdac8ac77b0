"""A believable small firm for the demo, whatever its CRM: its customers, products and deals."""

from __future__ import annotations

USERS = (
    ("Nora Whitfield", "nora@brightwater.example"),
    ("Tom Okafor", "tom@brightwater.example"),
    ("Lea Brandt", "lea@brightwater.example"),
)
PIPELINES = (
    ("Projects", ("Enquiry", "Site visit", "Quote sent", "Agreed")),
    ("Service contracts", ("Enquiry", "Offer sent", "Signed")),
)
ORGANIZATIONS = (
    (
        "Harbour Coffee Roasters",
        "14 Quay Street, Bristol BS1 4DA",
        "accounts@harbourcoffee.example",
    ),
    ("Fernhill Primary School", "Fernhill Lane, Bath BA2 5RT", "office@fernhill.example"),
    ("Müller & Söhne GmbH", "Lindenstraße 8, 50674 Köln, Germany", "buchhaltung@mueller.example"),
    ("Oakline Joinery", "Unit 3 Mill Road, Frome BA11 2PQ", "hello@oakline.example"),
    ("Café Émile", "22 Park Row, Bristol BS1 5LJ", "emile@cafe-emile.example"),
    ("Northgate Dental", "5 Northgate, Wells BA5 1TT", "practice@northgate.example"),
    ("The Larder", "71 High Street, Taunton TA1 3PX", "pay@thelarder.example"),
    ("Westbury Town Council", "Town Hall, Westbury BA13 3BY", "finance@westbury.example"),
)
PERSONS = (
    ("Iris Hale", "Harbour Coffee Roasters", "iris@harbourcoffee.example", "+44 117 496 0112"),
    ("Jonas Müller", "Müller & Söhne GmbH", "jonas@mueller.example", "+49 221 5550 17"),
    ("Émile Garnier", "Café Émile", "emile@cafe-emile.example", "+44 117 496 0188"),
    ("Priya Nair", "Northgate Dental", "priya@northgate.example", "+44 1749 555 201"),
    ("Sam Doyle", None, "sam.doyle@post.example", "+44 7700 900431"),
)
PRODUCTS = (
    ("Water filter, under sink", "WF-100", 189.00),
    ("Water filter, commercial", "WF-400", 1240.00),
    ("Cartridge, 12 months", "CT-12", 64.50),
    ("Installation, per hour", "SV-INST", 72.00),
    ("Annual service visit", "SV-ANN", 145.00),
    ("Cooler, free-standing", "CL-20", 419.00),
)
Line = tuple[str, float, float, int]  # code, price, quantity, discount in percent
# title, organization, person, owner, pipeline, currency, status, decided days ago, lines
Deal = tuple[str, str | None, str | None, int, int, str, str, int, tuple[Line, ...]]
DEALS: tuple[Deal, ...] = (
    ("Filters for the roastery", "Harbour Coffee Roasters", "Iris Hale", 0, 0, "GBP", "won", 3,
     (("WF-400", 1240.00, 2, 10), ("SV-INST", 72.00, 6.5, 0), ("CT-12", 64.50, 4, 0))),
    ("Drinking water, six classrooms", "Fernhill Primary School", None, 1, 0, "GBP", "won", 5,
     (("WF-100", 189.00, 6, 15), ("SV-INST", 72.00, 9, 0))),
    ("Büroküche Köln", "Müller & Söhne GmbH", "Jonas Müller", 2, 0, "EUR", "won", 2,
     (("WF-400", 1390.00, 1, 0), ("CT-12", 75.00, 3, 5))),
    ("Workshop cooler", "Oakline Joinery", None, 0, 0, "GBP", "won", 9,
     (("CL-20", 419.00, 1, 0), ("SV-INST", 72.00, 1.5, 0))),
    ("Espresso bar filter", "Café Émile", "Émile Garnier", 1, 0, "GBP", "won", 1,
     (("WF-400", 1240.00, 1, 12), ("CT-12", 64.50, 2, 0))),
    ("Annual service, practice", "Northgate Dental", "Priya Nair", 2, 1, "GBP", "won", 4,
     (("SV-ANN", 145.00, 2, 0), ("CT-12", 64.50, 2, 10))),
    ("Kitchen filter at home", None, "Sam Doyle", 0, 0, "GBP", "won", 6,
     (("WF-100", 189.00, 1, 0), ("SV-INST", 72.00, 2, 0))),
    ("Stall at the spring fair", None, None, 1, 0, "GBP", "won", 7, (("CL-20", 419.00, 1, 0),)),
    ("Goodwill visit", "The Larder", None, 1, 1, "GBP", "won", 8, (("SV-ANN", 145.00, 1, 100),)),
    ("Old kitchen refit", "The Larder", None, 0, 0, "GBP", "won", 75, (("WF-100", 189.00, 2, 0),)),
    ("Coolers for the town hall", "Westbury Town Council", None, 2, 0, "GBP", "open", 0,
     (("CL-20", 419.00, 3, 5), ("SV-INST", 72.00, 4, 0))),
    ("Second practice", "Northgate Dental", "Priya Nair", 2, 0, "GBP", "lost", 11,
     (("WF-400", 1240.00, 1, 0),)),
)  # fmt: skip


def line_of(line: Line, currency: str) -> dict[str, object]:
    """A line in the words of the people's door; the firm's tax is 20% at home, none abroad."""
    code, price, quantity, percent = line
    tax = 20 if currency == "GBP" else 0
    return {"code": code, "price": price, "quantity": quantity, "discount": percent, "tax": tax}

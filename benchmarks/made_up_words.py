"""The words that made-up customers are named with, the most common first."""

from __future__ import annotations


def _listed(text: str) -> list[str]:
    """The words of a written list."""
    return text.split()


FIRST = _listed("""
    James John Maria Anna Michael David Sarah Thomas Laura Peter William Robert Emma Daniel Susan
    Paul Mark Julia Andrew Karen Stephen Lisa Christopher Helen Richard Claudia Martin Elizabeth
    Katherine Matthew Patricia Anthony Joseph Margaret Alexander Nicholas Jennifer Benjamin Jürgen
    Klaus Hans José Juan Carlos Luis Pierre Jean Michel Sophie Camille Léa Hugo Giulia Marco Luca
    Olga Dmitri Fatima Ahmed Mohammed Priya Rahul Wei Ling Yuki Kenji Aisha Omar Nadia Ivan Petra
    Søren Astrid Björn Ingrid Zofia Krzysztof Małgorzata Jan Eva Tomáš Zoltán Ilse Gareth Siobhan
""")
LAST = _listed("""
    Smith Jones Müller Garcia Brown Taylor Schmidt Martin Williams Johnson Wilson Davies Evans
    Thomas Roberts Walker Wright Thompson White Hall Green Wood Harris Clark Lewis Young King Baker
    Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Richter Klein Wolf Schröder
    López González Rodríguez Fernández Sánchez Pérez Martínez Bernard Dubois Durand Moreau Laurent
    Lefebvre Roux Fournier Rossi Russo Ferrari Bianchi Kowalski Nowak Novák Horváth Ivanov Petrov
    Khan Patel Singh Kumar Nguyen Chen Wang Li Kim Tanaka Suzuki Hansen Johansen Andersson Nilsson
    O'Brien O'Neill MacDonald Campbell Stewart Murray Fraser Hughes Owen Griffiths Price Bennett
    Shaw Kelly Murphy Walsh Byrne Ryan Collins Ward Cooper Turner Hill Moore Scott Adams Mitchell
""")
TRADES = _listed("""
    Holdings Homes Construction Engineering Consulting Services Logistics Systems Solutions Media
    Design Plumbing Electrical Bakery Catering Transport Motors Properties Lettings Dental Legal
    Accounting Software Technology Energy Foods Printing Packaging Landscapes Roofing Cleaning
    Security Recruitment Travel Interiors Architects Partners Group International Trading Imports
    Manufacturing Plastics Tools Timber Flooring Kitchens Glazing Heating Pharma Medical Fitness
""")
NOUNS = _listed("""
    Acme Summit Harbour Northern Silver Oak Riverside Apex Blue Green Red Bright Stone Bridge Castle
    Crown Eagle Falcon Fern Forest Golden Granite Highland Horizon Island Iron Ivy Juniper Keystone
    Lake Lion Lotus Maple Meadow Mercury Moon Mountain Nova Ocean Orchid Pacific Park Phoenix Pine
    Pioneer Polar Prime Quantum Rapid Raven River Rock Rose Royal Sapphire Shore Sky Solar Spring
    Star Sun Swan Swift Thistle Tiger Titan Valley Vector Vertex Willow Windmill Wolf Zenith
""")
STREETS = _listed("""
    High Station Church Park Victoria Main Green Mill Queen King George London Albert Bridge School
    North Market Castle Garden Spring Oak Maple Elm Cedar Washington Lincoln Goethe Schiller Bahnhof
    Mozart Kirch Hugo Gambetta Pasteur Mayor Real Cervantes Rose Lime Chestnut
""")
STREET_KINDS = ["Street|St", "Road|Rd", "Avenue|Ave", "Lane|Ln", "Drive|Dr", "Close|Cl"]
FORMS = {
    "GB": ["Ltd", "Limited", "PLC", "LLP"], "DE": ["GmbH", "AG", "GmbH & Co. KG", "UG"],
    "US": ["Inc.", "LLC", "Corp.", "Inc"], "AU": ["Pty Ltd", "Pty Limited"],
    "FR": ["SARL", "SAS", "S.A."], "ES": ["S.L.", "S.A.", "SL"],
}  # fmt: skip
ROLES = ["accounts", "info", "office", "billing", "invoices", "finance"]
#: Country, town, the postcode's form (9 a digit, A a letter).
CITIES = [
    ("GB", "London", "A99 9AA"), ("GB", "Manchester", "M9 9AA"), ("GB", "Leeds", "LS9 9AA"),
    ("GB", "Bristol", "BS9 9AA"), ("GB", "Glasgow", "G9 9AA"), ("GB", "Cardiff", "CF9 9AA"),
    ("DE", "Berlin", "10999"), ("DE", "München", "80999"), ("DE", "Köln", "50999"),
    ("US", "Chicago", "60699"), ("US", "Springfield", "62799"), ("US", "Portland", "97299"),
    ("AU", "Sydney", "2099"), ("AU", "Melbourne", "3099"), ("FR", "Paris", "75099"),
    ("FR", "Lyon", "69099"), ("ES", "Madrid", "28099"), ("ES", "Sevilla", "41099"),
]  # fmt: skip
#: Syllables of family names that nobody else has.
STARTS = _listed("""
    ba be bro ca cha da de dra fa fi ga gro ha he ja ka ke kra la le lo ma me mo na ne no pa pe pra
    ra re ro sa sche si sta ta te tho va ve vi wa we wi za ze
""")
MIDDLES = _listed("n r l s rn ll ss tt nd rt st ng mb lk v d g m z")
ENDS = _listed("er mann ski son a o i ez ini ard wood ley ton berg stein ov en us ic ak el")

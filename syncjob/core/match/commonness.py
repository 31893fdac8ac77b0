"""How common the most common words of names are, so that ten contacts need no statistics.

Shares are of parties of any kind, rounded; from the known heads of national name lists and of
company registers, by hand. An order of magnitude is enough.
"""

from __future__ import annotations

_SHARES = {
    0.02: "and company group holding services",
    0.01: """
        international systems solutions technology consulting management school center john david
        michael james smith""",
    0.005: """
        robert mary william richard thomas maria anna jose juan ali mohammed jones brown williams
        johnson garcia muller schmidt martin lee kim wang zhang li chen singh kumar nguyen patel
        trading construction engineering industries enterprises media design house partners
        properties property investments capital global digital medical health care foods food
        academy association community restaurant hotel cafe bar church saint national children
        learning university hospital foundation institute""",
    0.002: """
        peter paul mark daniel andrew stephen george edward brian kevin jason susan linda karen
        elizabeth patricia jennifer sarah laura emma lisa sandra nancy helen julia claudia thomas
        jean pierre michel philippe hans klaus wolfgang jurgen giuseppe antonio marco luca carlos
        luis miguel jan pieter davis miller wilson moore taylor anderson jackson white harris
        thompson martinez robinson clark rodriguez lewis walker hall allen young king wright scott
        green baker adams nelson hill campbell mitchell roberts carter phillips evans turner parker
        collins edwards stewart morris cook rogers murphy kelly hughes wood watson lopez gonzalez
        hernandez perez sanchez ramirez torres flores silva santos schneider fischer weber meyer
        wagner becker schulz hoffmann rossi russo ferrari bianchi dubois bernard moreau laurent
        jansen devries ivanov petrov hansen johansen olsen larsen andersson nilsson
        logistics transport motors energy electric electrical marketing software security insurance
        real estate home homes store stores shop market supply products development research
        studio studios press books music film art arts auto automotive equipment tools plastics
        steel metal paper print printing packaging chemical water green blue red black white golden
        royal star sun city north south east west new old best first american european british
        early elementary kindergarten nursery daycare preschool house park lake river street""",
}

COMMON: dict[str, float] = {
    word: share for share in sorted(_SHARES) for word in _SHARES[share].split()
}

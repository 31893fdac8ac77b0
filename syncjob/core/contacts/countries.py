"""Countries by code and by name, so that "Germany", "Deutschland" and "DE" agree."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: Countries repeat from address to address, and are looked at several times for each deal.
TEXTS_KEPT = 4096


@lru_cache(maxsize=TEXTS_KEPT)
def country_code(text: str | None) -> str | None:
    """The ISO 3166 code of a country given as a code or a name; None for anything else."""
    return _CODES.get(_key(text or ""))


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalpha())


#: CODE:English name|other names; names in other languages for the countries firms write most.
_TABLE = (
    "AD:Andorra;AE:United Arab Emirates|UAE|ARE;AF:Afghanistan;AG:Antigua and Barbuda;"
    "AI:Anguilla;AL:Albania;AM:Armenia;AN:Netherlands Antilles;AO:Angola;AQ:Antarctica;"
    "AR:Argentina|ARG;AS:American Samoa;AT:Austria|AUT|Österreich|Autriche|Oostenrijk|"
    "Österrike;AU:Australia|AUS|Australien|Australie;AW:Aruba;AX:Åland Islands;AZ:Azerbaijan;"
    "BA:Bosnia and Herzegovina;BB:Barbados;BD:Bangladesh;BE:Belgium|Belgique|BEL|Belgien|"
    "Bélgica|Belgio|België|Belgia;BF:Burkina Faso;BG:Bulgaria|Bulgarien|Bulgarie|Bulgarije|"
    "Bułgaria|България;BH:Bahrain;BI:Burundi;BJ:Benin;BL:Saint Barthélemy;BM:Bermuda;BN:Brunei;"
    "BO:Bolivia;BQ:Bonaire, Sint Eustatius and Saba;BR:Brazil|BRA|Brasilien|Brésil|Brasil|"
    "Brasile|Brazilië|Brasilia|Brazylia;BS:Bahamas;BT:Bhutan;BV:Bouvet Island;BW:Botswana;"
    "BY:Belarus;BZ:Belize;CA:Canada|CAN|Kanada;CC:Cocos Islands;"
    "CD:The Democratic Republic Of Congo;CF:Central African Republic;CG:Congo;CH:Switzerland|"
    "Schweiz|Suisse|Svizzera|CHE|Suiza|Zwitserland|Suíça|Sveitsi|Szwajcaria;CI:Côte d'Ivoire;"
    "CK:Cook Islands;CL:Chile;CM:Cameroon;CN:China|CHN|PRC|Chine|Cina|Kina|Kiina|Chiny|中国;"
    "CO:Colombia;CR:Costa Rica;CU:Cuba;CV:Cape Verde;CW:Curaçao;CX:Christmas Island;CY:Cyprus;"
    "CZ:Czech Republic|CZE|Tschechische Republik|République Tchèque|Chequia|Repubblica Ceca|"
    "Tsjechië|República Tcheca|Tjeckiska republiken|Tsekin tasavalta|Republika Czeska|"
    "Česká republika;DE:Germany|Deutschland|DEU|Federal Republic of Germany|Allemagne|Alemania|"
    "Germania|Duitsland|Alemanha|Tyskland|Saksa|Niemcy;DJ:Djibouti;DK:Denmark|DNK|Dänemark|"
    "Dinamarca|Danimarca|Denemarken|Danmark|Tanska|Dania;DM:Dominica;DO:Dominican Republic;"
    "DZ:Algeria;EC:Ecuador;EE:Estonia|Eesti;EG:Egypt;EH:Western Sahara;ER:Eritrea;ES:Spain|ESP|"
    "Spanien|Espagne|España|Spagna|Spanje|Espanha|Espanja|Hiszpania;ET:Ethiopia;FI:Finland|FIN|"
    "Finnland|Finlande|Finlandia|Suomi;FJ:Fiji;FK:Falkland Islands;FM:Micronesia;"
    "FO:Faroe Islands;FR:France|FRA|Frankreich|Francia|Frankrijk|França|Frankrike|Ranska|"
    "Francja;GA:Gabon;GB:United Kingdom|UK|Great Britain|England|Scotland|Wales|"
    "Northern Ireland|GBR|Vereinigtes Königreich|Royaume-Uni|Reino Unido|Regno Unito|"
    "Verenigd Koninkrijk|Storbritannien|Iso-Britannia|Wielka Brytania;GD:Grenada;GE:Georgia;"
    "GF:French Guiana;GG:Guernsey;GH:Ghana;GI:Gibraltar;GL:Greenland;GM:Gambia;GN:Guinea;"
    "GP:Guadeloupe;GQ:Equatorial Guinea;GR:Greece|Griechenland|Grèce|Grecia|Griekenland|"
    "Grekland|Kreikka|Grecja|Ελλάδα;GS:South Georgia And The South Sandwich Islands;"
    "GT:Guatemala;GU:Guam;GW:Guinea-Bissau;GY:Guyana;HK:Hong Kong|HKG;"
    "HM:Heard Island And McDonald Islands;HN:Honduras;HR:Croatia|Kroatien|Croatie|Croacia|"
    "Croazia|Kroatië|Chorwacja|Hrvatska;HT:Haiti;HU:Hungary|Ungarn|Hongrie|Hungría|Ungheria|"
    "Hongarije|Ungern|Węgry|Magyarország;ID:Indonesia;IE:Ireland|Eire|Republic of Ireland|IRL|"
    "Irland|Irlande|Irlanda|Ierland|Irlanti|Irlandia;IL:Israel;IM:Isle Of Man;IN:India|IND|"
    "Indien|Inde|Indie;IO:British Indian Ocean Territory;IQ:Iraq;IR:Iran;IS:Iceland|Ísland;"
    "IT:Italy|ITA|Italien|Italie|Italia|Włochy;JE:Jersey;JM:Jamaica;JO:Jordan;JP:Japan|JPN|"
    "Japon|Giappone|Japão|Japani|Japonia|日本;KE:Kenya;KG:Kyrgyzstan;KH:Cambodia;KI:Kiribati;"
    "KM:Comoros;KN:Saint Kitts And Nevis;KP:North Korea;KR:South Korea|Korea|Republic of Korea|"
    "KOR|대한민국;KW:Kuwait;KY:Cayman Islands;KZ:Kazakhstan;LA:Laos;LB:Lebanon;LC:Saint Lucia;"
    "LI:Liechtenstein;LK:Sri Lanka;LR:Liberia;LS:Lesotho;LT:Lithuania|Lietuva;LU:Luxembourg|"
    "Luxemburg|Luxemburgo|Lussemburgo|Luksemburg;LV:Latvia|Latvija;LY:Libya;MA:Morocco;"
    "MC:Monaco;MD:Moldova;ME:Montenegro;MF:Saint Martin;MG:Madagascar;MH:Marshall Islands;"
    "MK:Macedonia;ML:Mali;MM:Myanmar;MN:Mongolia;MO:Macao;MP:Northern Mariana Islands;"
    "MQ:Martinique;MR:Mauritania;MS:Montserrat;MT:Malta;MU:Mauritius;MV:Maldives;MW:Malawi;"
    "MX:Mexico|MEX|Mexiko|Mexique|Messico|Meksyk;MY:Malaysia;MZ:Mozambique;NA:Namibia;"
    "NC:New Caledonia;NE:Niger;NF:Norfolk Island;NG:Nigeria;NI:Nicaragua;NL:Netherlands|"
    "Holland|The Netherlands|NLD|Niederlande|Pays-Bas|Holanda|Paesi Bassi|Nederland|"
    "Nederländerna|Alankomaat|Holandia;NO:Norway|NOR|Norwegen|Norvège|Noruega|Norvegia|"
    "Noorwegen|Norge|Norja|Norwegia;NP:Nepal;NR:Nauru;NU:Niue;NZ:New Zealand|Aotearoa|NZL|"
    "Neuseeland|Nouvelle-Zélande|Nueva Zelanda|Nuova Zelanda|Nieuw-Zeeland|Nova Zelândia|"
    "Nya Zeeland|Nowa Zelandia;OM:Oman;PA:Panama;PE:Peru;PF:French Polynesia;"
    "PG:Papua New Guinea;PH:Philippines;PK:Pakistan;PL:Poland|POL|Polen|Pologne|Polonia|Puola|"
    "Polska;PM:Saint Pierre And Miquelon;PN:Pitcairn;PR:Puerto Rico;PS:Palestine;PT:Portugal|"
    "PRT|Portogallo|Portugali|Portugalia;PW:Palau;PY:Paraguay;QA:Qatar;RE:Reunion;RO:Romania|"
    "Rumänien|Roumanie|Rumania|Roemenië|Romênia|Rumunia;RS:Serbia;RU:Russia|Russian Federation|"
    "RUS|Россия;RW:Rwanda;SA:Saudi Arabia;SB:Solomon Islands;SC:Seychelles;SD:Sudan;SE:Sweden|"
    "SWE|Schweden|Suède|Suecia|Svezia|Zweden|Sverige|Ruotsi|Szwecja;SG:Singapore|SGP;"
    "SH:Saint Helena;SI:Slovenia|Slowenien|Slovénie|Eslovenia|Slovenien|Słowenia|Slovenija;"
    "SJ:Svalbard And Jan Mayen;SK:Slovakia|Slowakei|Slovaquie|Eslovaquia|Slovacchia|Slowakije|"
    "Slovakien|Słowacja|Slovenská republika;SL:Sierra Leone;SM:San Marino;SN:Senegal;"
    "SO:Somalia;SR:Suriname;SS:South Sudan;ST:Sao Tome And Principe;SV:El Salvador;"
    "SX:Sint Maarten (Dutch part);SY:Syria;SZ:Swaziland;TC:Turks And Caicos Islands;TD:Chad;"
    "TF:French Southern Territories;TG:Togo;TH:Thailand;TJ:Tajikistan;TK:Tokelau;"
    "TL:Timor-Leste;TM:Turkmenistan;TN:Tunisia;TO:Tonga;TR:Turkey|Turkiye|Türkei|Turquie|"
    "Turquía|Turchia|Turkije|Turkiet|Turkki|Turcja;TT:Trinidad and Tobago;TV:Tuvalu;TW:Taiwan;"
    "TZ:Tanzania;UA:Ukraine|Україна;UG:Uganda;UM:United States Minor Outlying Islands;"
    "US:United States|USA|United States of America|America|Vereinigte Staaten von Amerika|"
    "Etats-Unis|Estados Unidos|Stati Uniti|Verenigde Staten|Amerikas Förenta Stater|"
    "Yhdysvallat|Stany Zjednoczone Ameryki;UY:Uruguay;UZ:Uzbekistan;VA:Vatican;"
    "VC:Saint Vincent And The Grenadines;VE:Venezuela|VEN;VG:British Virgin Islands;"
    "VI:U.S. Virgin Islands;VN:Vietnam;VU:Vanuatu;WF:Wallis And Futuna;WS:Samoa;YE:Yemen;"
    "YT:Mayotte;ZA:South Africa|ZAF|RSA|Südafrika|Afrique du Sud|Sudáfrica|Zuid-Afrika|"
    "África do Sul|Sydafrika|Republika Południowej Afryki;ZM:Zambia;ZW:Zimbabwe"
)
_ROWS = tuple((row[:2], row[3:].split("|")) for row in _TABLE.split(";"))
_CODES = {_key(name): code for code, names in _ROWS for name in (code, *names)}

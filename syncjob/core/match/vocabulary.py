"""Words whose meaning the match knows: legal forms, abbreviations, titles, nicknames, streets.

Collected by hand from the company law of each country and from the data that the benchmark reads;
an unknown word costs nothing, it is then simply a word.
"""

from __future__ import annotations

from .normalise import word_set


def _table(text: str) -> dict[str, str]:
    """ "canonical: a, b" a line; each of a and b, and the canonical, means the canonical."""
    table = {}
    for line in text.strip().splitlines():
        canonical, _, others = line.partition(":")
        for word in (canonical, *others.split(",")):
            if word.strip():
                table[word.strip()] = canonical.strip()
    return table


#: Legal forms, folded, as words apart. Forms of one kind in one language are one.
FORMS = _table(
    """
    ltd: limited, pty ltd, pty limited, pty, pte ltd, pte limited, pte, pvt ltd, private limited
    ltd: pvt, private ltd, co ltd, company limited, co limited, proprietary limited
    plc: public limited company
    llp: limited liability partnership
    lp: limited partnership
    inc: incorporated, corp, corporation, company, co
    llc: limited liability company, l l c, pllc, pc
    gmbh: gesellschaft mit beschrankter haftung, gesmbh, ges m b h, g m b h, ggmbh, mbh
    ug: ug haftungsbeschrankt, unternehmergesellschaft
    gmbh co kg: gmbh and co kg, gmbh and cokg, gmbh co kgaa
    ag: aktiengesellschaft, kgaa, se
    kg: kommanditgesellschaft, and co kg, co kg
    ohg: offene handelsgesellschaft
    gbr:
    ek: e k, eingetragener kaufmann, einzelunternehmen, einzelfirma
    ev: e v, eingetragener verein
    eg: e g
    sarl: s a r l, sarlu, eurl, societe a responsabilite limitee, sprl, bvba, srl, s r l, srls
    sarl: societa a responsabilita limitata
    sas: s a s, sasu, societe par actions simplifiee
    sa: s a, societe anonyme, sociedad anonima, sociedade anonima
    snc: s n c
    spa: s p a, societa per azioni
    sl: s l, slu, sociedad limitada, sociedad de responsabilidad limitada, s de rl, s de rl de cv
    sl: sa de cv, s a de c v, sapi de cv
    slp: slne
    lda: limitada, ltda, unipessoal lda, me, eireli, epp
    bv: b v, besloten vennootschap
    nv: n v, naamloze vennootschap
    vof: v o f
    cv: c v
    ab: aktiebolag, publ, ab publ
    hb: handelsbolag
    as: a s, aksjeselskap, aktieselskab, asa
    aps: anpartsselskab
    oy: oyj, osakeyhtio, oy ab
    ky: kommandiittiyhtio
    sp z oo: sp z o o, spolka z ograniczona odpowiedzialnoscia, spzoo, sp zoo
    sp k: sp j, spolka komandytowa, spolka jawna
    sro: s r o, spol s ro, spol s r o
    as cz: akciova spolecnost
    kft: korlatolt felelossegu tarsasag
    zrt: nyrt, bt
    doo: d o o, dooel
    dd: d d
    ood: eood, ad, ead
    ou: osauhing
    uab: mb
    sia:
    ooo: oao, zao, pao, ao
    as tr: anonim sirketi, ltd sti, limited sirketi, sti
    kk: kabushiki kaisha, kabushiki gaisha, godo kaisha, gk
    bhd: sdn bhd, sendirian berhad, berhad
    tbk:
    cic: community interest company
    trust:
    """
)  # fmt: skip
FORM_PHRASES = max(len(form.split()) for form in FORMS)

#: Words that join or point and identify nobody.
PARTICLES = word_set("the and of und et y e i en og och a an")

#: What people write short in names of companies and places.
ABBREVIATIONS = _table(
    """
    saint: st, ste, sankt
    and: und, et
    brothers: bros, gebruder, gebr, hermanos, freres, fratelli
    center: centre, ctr, cntr, cent, cntre, zentrum
    children: childrens, child, childs, chldrn
    school: sch, schl, schule, scuola
    academy: acad, acdmy
    community: comm, commun, comty
    development: dev, devel, dvlpmt, developmental
    learning: learn, lrng, lrning
    association: assoc, assn, asso
    associates: assocs, associate
    services: service, svc, svcs, serv, srvc
    systems: system, sys
    solutions: solution, soln, solns
    technology: tech, technologies, technol
    international: intl, internatl, int
    national: natl, nat
    manufacturing: mfg, manuf
    management: mgmt, mgt
    group: grp, gruppe, groupe, gruppo, grupo
    holding: holdings, hldg, hldgs
    brokers: broker
    university: univ, uni, universitat, universite
    department: dept
    government: govt
    laboratory: lab, labs, laboratories
    engineering: eng, engr, engrg
    construction: constr, const
    enterprises: enterprise, ent, entr
    industries: industry, ind, inds
    consulting: consultants, consultancy, consult
    restaurant: rest, ristorante, restaurante
    hospital: hosp
    church: ch
    foundation: fdn, found
    institute: inst
    elementary: elem
    education: educ, edu, educational
    nursery: nurs, nursry
    kindergarten: kinder
    daycare: dc
    preschool: presch
    head: hd
    house: hse
    street: str
    avenue: ave
    mount: mt
    fort: ft
    north: n, no
    south: s, so
    east: e
    west: w
    junior: jr
    senior: sr
    first: 1st
    second: 2nd
    third: 3rd
    """
)

TITLES = word_set(
    """
    mr mrs ms miss mister dr prof professor rev sir madam herr frau hr fr ing dipl mag mme mlle
    monsieur madame sig signor signora sr sra srta don dona phd md mba jr ii iii iv
    esq bsc msc
    """
)

#: First names that are one name, a line each.
_NICKNAMES = """
    william bill billy will willy willie liam
    robert bob bobby rob robbie bert
    richard dick rick ricky rich richie
    james jim jimmy jamie jaime
    john jack johnny jon jonny
    jonathan jon jonny nathan
    michael mike mick mickey micky mikey
    charles charlie chuck chas
    edward ed eddie ted teddy ned
    thomas tom tommy thom
    joseph joe joey josef jose pepe
    david dave davey davy
    daniel dan danny
    anthony tony antonio antony
    andrew andy drew andreas
    matthew matt matty
    christopher chris kit christoph
    nicholas nick nicky nico nicolas niklas
    stephen steve steven stefan stephan
    benjamin ben benny benji
    samuel sam sammy
    samantha sam sammy
    alexander alex al sandy sasha xander
    alexandra alex sandra sasha lexi
    peter pete pieter pedro
    patrick pat paddy
    patricia pat patty trish tricia
    gregory greg gregg
    jeffrey jeff geoff geoffrey
    kenneth ken kenny
    lawrence larry laurie lorenzo
    leonard len lenny leo
    raymond ray
    ronald ron ronnie
    donald don donnie
    timothy tim timmy
    frederick fred freddie freddy fritz
    francis frank frankie
    francisco frank paco pancho
    gerald gerry jerry
    henry harry hank henrik heinrich hal
    walter walt wally
    philip phil phillip
    vincent vince vinnie
    zachary zach zack zac
    joshua josh
    jacob jake
    elizabeth liz lizzie beth betty eliza elisabeth lisa libby bess bessie
    margaret maggie meg peggy marge margie greta rita
    katherine kate katie kathy cathy catherine kathryn kat kitty katharina
    mary marie maria molly polly
    jennifer jen jenny jenn
    jessica jess jessie
    susan sue susie suzanne
    deborah deb debbie debra
    barbara barb babs
    dorothy dot dottie dolly
    rebecca becky becca
    victoria vicky vicki tori
    christine chris chrissy tina christina
    cynthia cindy
    pamela pam
    sandra sandy
    theresa terry tess teresa tessa
    judith judy judi
    jacqueline jackie
    amanda mandy
    abigail abby gail
    isabella bella izzy isabelle isabel
    madeline maddie maddy madeleine
    natalie nat
    olivia liv livvy
    johann hans johannes
    georg george jorg jurgen
    karl carl carlos
    wilhelm willi
    giuseppe beppe
    guillermo memo
    ignacio nacho
    aleksandr sasha aleksander
    mikhail misha
    dmitri dima dmitry
    ekaterina katya
    """

NICKNAMES: dict[str, frozenset[int]] = {}
for _number, _line in enumerate(_NICKNAMES.strip().splitlines()):
    for _name in _line.split():
        NICKNAMES[_name] = NICKNAMES.get(_name, frozenset()) | {_number}

#: Kinds of street, whose spelling is not worth a difference.
STREETS = _table(
    """
    street: st, str, strasse, strase, straat, straede
    avenue: av, ave, aven, avda, avenida, avn
    road: rd
    drive: dr, drv
    lane: ln
    court: ct, crt
    place: pl, plaza, plz, platz, placa, piazza
    boulevard: blvd, bvd, boul, bd, blv
    terrace: tce, terr, ter
    crescent: cres, cr, crsc, crst
    circuit: cct, circ
    circle: cir
    close: cl
    parade: pde
    highway: hwy, hiway
    parkway: pkwy, pky
    square: sq
    grove: gr, gro, grv
    gardens: gdns, garden, gdn
    way:
    walk: wlk
    weg: wg
    allee: al
    rue: r
    calle: c, cl
    via: v
    plac:
    north: n, nord, norte, no
    south: s, sud, sur, so
    east: e, ost, este, est
    west: w, oeste, ouest
    suite: ste
    floor: fl, flr
    building: bldg, blg
    apartment: apt, appt, unit, flat, room, rm
    post: po
    saint: sankt
    mount: mt
    """
)

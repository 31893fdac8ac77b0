"""E-mail addresses: whose they are, and which of them say nothing about whose."""

from __future__ import annotations

from .normalise import fold, word_set

#: Providers whose domain says nothing about the holder.
FREE_MAIL = word_set(
    """
    gmail.com googlemail.com outlook.com outlook.fr outlook.de hotmail.com hotmail.co.uk
    hotmail.fr hotmail.de hotmail.it hotmail.es live.com live.co.uk live.fr live.nl msn.com
    yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.com.au yahoo.co.in
    yahoo.com.br ymail.com rocketmail.com aol.com icloud.com me.com mac.com proton.me
    protonmail.com pm.me gmx.de gmx.net gmx.at gmx.ch gmx.com web.de t-online.de freenet.de
    arcor.de posteo.de mailbox.org orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it
    virgilio.it tiscali.it alice.it tin.it telefonica.net terra.com.br uol.com.br bol.com.br
    mail.ru yandex.ru yandex.com bk.ru inbox.ru list.ru rambler.ru qq.com 163.com 126.com sina.com
    naver.com hanmail.net daum.net btinternet.com btopenworld.com sky.com talktalk.net
    virginmedia.com ntlworld.com blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net
    bellsouth.net cox.net charter.net earthlink.net optonline.net bigpond.com bigpond.net.au
    optusnet.com.au iinet.net.au xtra.co.nz telus.net shaw.ca rogers.com sympatico.ca bluewin.ch
    ziggo.nl kpnmail.nl planet.nl telenet.be skynet.be wp.pl onet.pl o2.pl interia.pl seznam.cz
    centrum.cz mail.com zoho.com fastmail.com hey.com
    """
)

#: Mailboxes of a role: shared by many people and, in a group of companies, by many companies.
ROLES = word_set(
    """
    accounts account accounting accountspayable ap ar payables payable receivables invoices
    invoice invoicing billing finance bookkeeping bookkeeper admin administration office info
    information contact contacts hello hi mail email enquiries enquiry inquiries sales orders
    order purchasing procurement support help helpdesk service services team reception frontdesk
    general hq main noreply no-reply donotreply webmaster postmaster hr jobs marketing press
    buchhaltung rechnung rechnungen kontakt buero verwaltung einkauf comptabilite facturation
    factures compta contacto facturas facturacion administracion contabilidad amministrazione
    fatture contabilita facturen boekhouding administratie kontor ekonomi faktura regnskab post
    ksiegowosc faktury
    """
)

#: Two labels of a country's own second level: "co.uk", "com.au".
_SECOND_LEVEL = word_set("co com org net gov edu ac or ne go")


def canonical(text: str) -> str:
    """The address in one case, without the tag that plus signs bring; "" if it is none."""
    folded = fold(text.strip().removeprefix("mailto:")).strip("<>;, ")
    local, at, domain = folded.rpartition("@")
    if not at or not local or "." not in domain or " " in folded:
        return ""
    local = local.split("+", 1)[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        return local.replace(".", "") + "@gmail.com"
    return f"{local}@{domain}"


def is_role(address: str) -> bool:
    """A mailbox of a role, "accounts@..."."""
    local = address.partition("@")[0]
    return local in ROLES or local.replace(".", "").replace("-", "").replace("_", "") in ROLES


def own_domain(address: str) -> str:
    """The holder's own domain, "" for free mail."""
    domain = address.partition("@")[2]
    return "" if domain in FREE_MAIL else registered(domain)


def site(url: str | None) -> str:
    """The domain of a web address: "https://www.acme.co.uk/about" is "acme.co.uk"."""
    folded = fold(url).strip()
    host = folded.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].split(":", 1)[0]
    return registered(host) if "." in host and " " not in host else ""


def registered(host: str) -> str:
    """The part of a host name that somebody registered, by rule of thumb."""
    labels = host.strip(".").split(".")
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-keep:])

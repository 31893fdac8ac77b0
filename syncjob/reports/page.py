"""The parts that our HTML pages share: a head that asks nothing of the network, a style for light,
dark, phone and paper, and links that lead to http or https alone.

A page runs no script; every value in it goes through `escape`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from syncjob.core.printable import printable

#: Colours by what they mean, once for each theme; everything else is drawn with them.
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #f4f5f7; --line: #d4d8dd;
  --good: #0a6b3d; --bad: #9a3412; --mute: #5a6472; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #14171a; --soft: #1e2227;
  --line: #363c44; --good: #5fd39a; --bad: #ffab7a; --mute: #9aa4b0; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
a { color: inherit; } p.note, td.what, .id { color: var(--mute); }
article { border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; padding: .75rem 1rem;
  break-inside: avoid; }
h3 { font-size: 1rem; margin: 0 0 .5rem; display: flex; gap: .75rem; flex-wrap: wrap; }
.band { border: 1px solid var(--line); border-radius: 4px; padding: 0 .4rem; font-weight: 400; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .2rem .5rem; overflow-wrap: anywhere;
  border-top: 1px solid var(--line); }
@media print { body { max-width: none; margin: 0; font-size: 11px; } a { text-decoration: none; } }
"""


def escape(text: str) -> str:
    """Any text as a page shows it: no tag, no end of an attribute, nothing that turns what
    follows it."""
    return html.escape(printable(text))


def head(title: str, style: str = "") -> str:
    """Everything up to the page's heading; `style` adds rules to the shared ones."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>"
    )


def foot() -> str:
    """The page's end."""
    return "</body>\n</html>\n"


def link(piece: str, page: str | None) -> str:
    """A piece of HTML that leads to this page, if it is one of the web; else as it is."""
    if page and page.lower().startswith(("https://", "http://")):
        return f'<a href="{escape(page)}" rel="noreferrer">{piece}</a>'
    return piece


def listing(items: Iterable[str]) -> str:
    """A list of texts; nothing for none."""
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{rows}</ul>" if rows else ""

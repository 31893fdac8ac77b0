"""One picture of a run: how much of each target's allowance is used, as an SVG of bars.

Written by hand: a library for bars would be a hundred times as large as what it draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.targets import Target

_LINE, _LEFT, _WIDE, _TOP = 20, 470, 400, 46
#: The axis ends here; a longer bar is cut, and says its figure.
_MOST = 2.0
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.t{font-weight:600;font-size:14px}.n{text-anchor:end}"
    ".met{fill:#4a7c59}.not{fill:#b5483a}.a{stroke:#222;stroke-dasharray:3 3}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.a{stroke:#ddd}}"
)


def svg(found: Sequence[Target]) -> str:
    """The picture; targets that were not measured are left out."""
    shown = [(t, t.share) for t in found if t.share is not None]
    high, wide = _TOP + _LINE * len(shown) + 10, _LEFT + _WIDE + 60
    allowed = _LEFT + _WIDE / _MOST
    bars = [_bar(number, target, share) for number, (target, share) in enumerate(shown)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}">',
        f"<style>{_STYLE}</style>",
        '<text class="t" x="8" y="18">Used of what each target allows</text>',
        f'<text x="{allowed:.0f}" y="36" text-anchor="middle">allowed</text>',
        *bars,
        f'<line class="a" x1="{allowed:.0f}" x2="{allowed:.0f}" y1="40" y2="{high - 6}"/>',
        "</svg>\n",
    ])  # fmt: skip


def _bar(number: int, target: Target, share: float) -> str:
    top = _TOP + _LINE * number
    long = max(1.0, min(share, _MOST) / _MOST * _WIDE)
    kind = "met" if target.met else "not"
    return (
        f'<text class="n" x="{_LEFT - 8}" y="{top + 12}">{escape(target.name)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{top + 2}" width="{long:.0f}" height="13"/>'
        f'<text x="{_LEFT + long + 5:.0f}" y="{top + 13}">{share:.2f}</text>'
    )

"""The judge: what must hold once everything has come to rest, read from what the servers hold.

It knows the servers' records and what people did (world.deeds, world.watch), and nothing of the
program's own tables. Where each promise of docs/guarantees.md is judged (and, of those beside the
numbers, what the books require):

| promise | judged by |
|---|---|
| 1 one invoice | `_one_invoice`, `_one_live`, `_merged`; judge_papers `_templates`, `_credits` |
| 2 what bears our marker is adopted | `_one_invoice` (generations), `_contacts`; judge_contacts |
| 3 written down first, sent again once | judge_calls `_replays` |
| 4 patience | judge_calls `_patience` |
| 5 nothing unseen | judge_deals `_won_without`, `_fields_true`; judge_back |
| 6 quiet at rest | `recover`; two.py `recover_both` |
| 7 nobody's work is lost | watch `_judge_one`; `_never_deleted`; judge_contacts; judge_deals |
| 8 to the cent | judge_deals `_whole`, `_shares`, `_in_parts`, `_fields_true` |
| 9 no false alarm, nothing told twice | judge_papers `judge_task`, `_told`, `_none_forgotten` |
| 10 a refused record stops itself only | judge_deals `_won_without` (of the others); `recover` |
| 11 within the limits | judge_calls `_pace`; ProgramClock (no wait over a minute) |
| 12 a small blast radius | world `_batch` (a tripped guard writes nothing) |
| 13 a dry run changes nothing | plans `_plan`, `_apply` |
| 14 secrets stay secret | judge_calls `_secrets` |
| 15 one writer | not here: two processes are needed (tests/crash) |
| 16 it mends itself | `recover`, `_two_batches` |
| 17 what is written can be traced | not here: tests/engine/test_audit.py |
| mode: drafts only, no e-mail | watch `_judge_one`; judge_calls `_books` |
| mode: read only; a STOP file | stopping `only_reads`, `obeyed` |
| an approval approves and nothing else | watch `_judge_approval` |
| won before the config's day: never | `_won_since` |
| whose customer | judge_deals `_customer` |
| dates, no tax of our own | judge_calls `_books` |
| no plan's expectation is written | judge_calls `_nothing_expected` |

tests/sim/test_judge.py and test_judge_papers.py show of each that it can fail.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from syncjob.core.actions import Issue
from syncjob.core.reports import BatchReport
from syncjob.errors import Exit
from syncjob.sandbox.xero.models import Document
from tests.sim.judge_calls import judge_calls
from tests.sim.judge_contacts import judge_contacts
from tests.sim.judge_deals import WON_SINCE, Made, doubled, judge_deal, owners, rivals
from tests.sim.judge_papers import judge_papers
from tests.sim.kinds import FAR, FORBIDDEN
from tests.sim.watch import Violation
from tests.sim.world import PATIENCE, World

_MARKER = re.compile(r"syncjob=([A-Z]{2})-(\d+)-([A-Z]{1,3})(\d+)(?:&|$)")
#: What was forbidden is tried again when held deals are looked at again, once an hour.
RIGHTS_RECHECK = timedelta(minutes=60)
#: Each can have asked our program to stay away.
VENDORS = ("the CRM", "the ledger")
A_DAY = timedelta(hours=25)
#: A batch ends well, or with issues that a person must look at.
GOOD_EXITS = (0, 1)


def recover(world: World) -> None:
    """Two batches without faults after the patience, judged; then one more that writes nothing,
    which is the second one already if the first has done all that was left.

    Raises Violation, its invariant first.
    """
    world.host.faults.clear()
    if world.away_until > world.time.now():
        world.advance(world.away_until - world.time.now() + timedelta(minutes=1))
    if world.rules:
        _rules_end(world)
    elif _refused_for_now(world):
        world.advance(RIGHTS_RECHECK)
    at_rest = _two_batches(world)
    judge(world)
    if world.features.contacts:  # what no list shows is read by id once a day
        world.advance(A_DAY)
        at_rest = _two_batches(world)
        judge(world)
    if at_rest:
        return
    day = world.xero.organisation.today()
    world.advance(timedelta(minutes=2))
    if world.xero.organisation.today() != day:  # a day brings what falls due on it
        _two_batches(world)
    last = world.last_call()
    world.run()
    written = [(c.method, c.path, c.body.decode()) for c in world.writes_since(last)]
    if written:
        raise Violation("quiet", f"at rest, but written: {written}")
    judge(world)


def _refused_for_now(world: World) -> bool:
    """Whether something was refused whose cause is gone without a trace."""
    return world.faults.met(*FORBIDDEN) or any(code == "crm_rule" for _, code in world.issues)


def _away(world: World, report: BatchReport | None) -> bool:
    far = world.faults.met(*FAR) or world.turns["tight limits"] > 0
    return far and report is not None and report.exit_code == Exit.UNREACHABLE


def _rules_end(world: World) -> None:
    """What an admin's rule refused is told; once the rule is gone it is done within the hour."""
    _two_batches(world)
    judge(world)
    world.crm("remove_rules")
    world.advance(RIGHTS_RECHECK)


def _two_batches(world: World) -> bool:
    """Whether the last of them wrote nothing. Raises Violation."""
    told: tuple[Issue, ...] = ()
    last, waits = 0, False
    for number in (1, 2):
        last = world.last_call()
        report = _batch(world)
        for _ in VENDORS if number == 1 else ():  # what the night's reading met, no batch has told
            if _away(world, report):
                world.advance(world.away_until - world.time.now() + timedelta(minutes=1))
                report = world.run()
        if report is None or report.exit_code not in GOOD_EXITS:
            said = report and (report.exit_code, report.stopped_by)
            raise Violation("recovers", f"batch {number} after the faults ended with {said}")
        told, waits = report.new_issues, report.counts.get("waiting", 0) > 0
    if waits or any(issue.subject.startswith("reconcile:") for issue in told):
        last = world.last_call()
        _batch(world)  # what the night's reading finds the next batch mends
    return not world.writes_since(last)


def _batch(world: World) -> BatchReport | None:
    world.advance(PATIENCE)
    return world.run()


def judge(world: World) -> None:
    """Everything of DESIGN 5 that shows on the servers. Raises Violation."""
    marked = _by_deal(world)
    _one_invoice(world, marked)
    _never_deleted(world)
    _contacts(world)
    judge_contacts(world)
    judge_papers(world)
    judge_calls(world)
    invoices: dict[int, list[Made]] = defaultdict(list)
    for number, found in marked.items():
        invoices[world.truth.heir("deals", number)] += found
    for deal in world.truth.all("deals"):
        if not deal["is_deleted"]:
            _won_since(world, deal, invoices.get(deal["id"], []))
            _merged(world, deal, invoices.get(deal["id"], []))
            judge_deal(world, deal, invoices.get(deal["id"], []))


def _never_deleted(world: World) -> None:
    """Nor by the verbs that HubSpot has for it."""
    for call in world.host.log.find(method="POST", path="/hubspot/"):
        if call.path.endswith(("/batch/archive", "/merge")):
            raise Violation("no_delete", f"{call.method} {call.path}")


def _won_since(world: World, deal: dict[str, Any], found: list[Made]) -> None:
    """What was first won before the config's day is never invoiced."""
    first = deal["first_won_time"]
    if found and first and float(first) < WON_SINCE:
        raise Violation("won_since", f"deal {deal['id']} was won before, and is invoiced")


def _merged(world: World, deal: dict[str, Any], found: list[Made]) -> None:
    """Of deals that became one only one is invoiced, or people are told."""
    parts = Counter(made.part for made in found if made.live)
    both = (
        len(owners(found) - {deal["id"]}) > 1
    )  # later parts of the one's schedule bear the new id
    twice = len(owners(found)) > 1 and max(parts.values()) > 1
    if (both or twice) and not rivals(world, deal["id"], found):
        numbers = [made.document.number for made in found if made.live]
        raise Violation("one_invoice", f"deal {deal['id']} was merged, and has {numbers}")


def _by_deal(world: World) -> dict[int, list[Made]]:
    """Each deal's invoices with their part and generation, those that ended included."""
    found: dict[int, list[Made]] = defaultdict(list)
    for document in world.xero.organisation.invoices:
        marker = _MARKER.search(document.url or "")
        if marker and marker[1] == world.config.connection.code:
            made = Made(int(marker[2]), marker[3], int(marker[4]), document)
            found[made.deal].append(made)
    return found


def _one_invoice(world: World, invoices: dict[int, list[Made]]) -> None:
    late = any(kind == "late twice" and "/Invoices" in p.words for p, kind in world.faults.fired)
    for deal, found in invoices.items():
        for part in {made.part for made in found}:
            mine = [made for made in found if made.part == part]
            _one_live(world, deal, [m.document for m in mine if m.live])
            generations = sorted(made.generation for made in mine)
            if late:  # a replay that outlives its key: the second draft was made and withdrawn
                generations = sorted(set(generations))
            again = range(1, len(generations) + 1)
            if _came_of_merge(world, deal):  # counted on from those that it came of
                again = range(generations[0], generations[0] + len(generations))
            if generations != list(again):
                raise Violation("one_effect", f"deal {deal} {part}: the generations {generations}")
        keys = Counter(_key_of(made.document) for made in found if made.live)
        if not doubled(world, deal) and max(keys.values(), default=0) > 1:
            raise Violation("one_invoice", f"deal {deal} has the parts {keys}")


def _one_live(world: World, deal: int, live: list[Document]) -> None:
    """Xero cannot refuse a second draft. Where a person took up a surplus one before it could be
    withdrawn, it is theirs, and they are told; we never approve two."""
    untouched = [d for d in live if d.id not in world.watch.touched]
    ours = [d for d in live if d.id in world.watch.approved]
    if len(live) > 1 and (len(untouched) > 1 or len(ours) > 1 or not doubled(world, deal)):
        raise Violation("one_invoice", f"deal {deal} has {[d.number for d in live]}")


def _came_of_merge(world: World, deal: int) -> bool:
    """Whether others became it, also where it became part of another itself since then."""
    heir = world.truth.heir
    last = heir("deals", deal)
    others = (d["id"] for d in world.truth.all("deals") if d["id"] not in (deal, last))
    return any(heir("deals", other) == last for other in others)


def _key_of(document: Document) -> str:
    """Which part of the deal it is, in its link's own words."""
    return parse_qs(urlsplit(document.url or "").query).get("part", [""])[-1]


def _contacts(world: World) -> None:
    ours = f"{world.config.connection.code}-"
    marked = Counter(
        c.number for c in world.xero.organisation.contacts if (c.number or "").startswith(ours)
    )
    doubled = {number: count for number, count in marked.items() if count > 1}
    if doubled:
        raise Violation("one_contact", f"{doubled}")
    active = Counter(
        c.name.casefold() for c in world.xero.organisation.contacts if c.status == "ACTIVE"
    )
    twins = [name for name, count in active.items() if count > 1]
    if twins:
        raise Violation("one_contact", f"several contacts named {twins}")

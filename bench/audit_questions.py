"""Questions to a large log: who leaked a list out of 1,000,000 looks, and what the rules say of
1,000,000 records of honest work.

Run: python -m bench audit_questions [--looks 1000000] [--records 1000000]

The false-alarm rate is that of the shipped rules over a made-up month of honest work; what is wrong
among honest people is drawn at the rates that stand in `replay/world/month.py`.
"""

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from acl_engine.audit import record
from acl_engine.audit.event import Event
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.clocks import SystemClock
from acl_engine.bootstrap.crew import hands
from acl_engine.bootstrap.inquiry import Inquiry, Leak
from acl_engine.bootstrap.keys import Keys
from acl_engine.bootstrap.watch import Watch, detector
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.alarm import Scanned
from acl_engine.replay.world.month import Month
from acl_engine.storage.database import Database, create_or_upgrade
from acl_engine.storage.tables import audit_records
from bench._leaks import LOAD, Company, hundred, innocents
from bench._processor import Spent, spent
from bench._table import Table, Target, progress

TITLE = "Questions to the log: tracing a leak, detection over history"
MOST_TRACE_SECONDS = 5  # over 1,000,000 looks
RULES = Path(__file__).parents[1] / "policies" / "courier" / "detection"
START = 1_769_875_200_000
COURIERS, DAYS = 20, 15
_BATCH = 20_000


def look(number: int, at: int, account: str, unit: str, subject: str) -> AuditEntry:
    """An answered look at one waybill, of the usual size."""
    return AuditEntry(
        kind="outcome", request=f"{number:016x}", at=at, action="read", resource="waybill",
        account=account, person=f"p-{account}", role="courier", unit=unit, device=f"pda-{account}",
        session=f"{number % 5000:032x}", effect="allow", line="10", rule="courier.read.load",
        reason="allowed", subjects=(subject,), count=1, digest="d" * 64, watermark="ABCDEFGHIJ",
        fields=("area", "recipient_name", "route", "waybill_no"), policy="courier/after@1",
        areas=("a" * 8,), block="b" * 8, on_shift=True,
    )  # fmt: skip


def fill(database: Database, entries: Iterable[AuditEntry]) -> int:
    """Append in large groups; how many."""
    rows, index = list[dict[str, object]](), 0
    for entry in entries:
        body = record.encode(entry)
        rows.append(
            {"index": index, "request": entry.request, "at": entry.at, "account": entry.account,
             "body": body, "leaf": record.leaf_hash(body)}
        )  # fmt: skip
        index += 1
        if len(rows) == _BATCH:
            _insert(database, rows)
    _insert(database, rows)
    return index


def _insert(database: Database, rows: list[dict[str, object]]) -> None:
    if rows:
        with database.write() as cx:
            cx.execute(insert(audit_records), rows)
        rows.clear()


# --- tracing -----------------------------------------------------------------------------------


def measure_trace(folder: Path, looks: int) -> Iterator[Table]:
    company = Company(max(2, looks // (DAYS * COURIERS * LOAD)), COURIERS, DAYS)
    progress(f"{company.looks:,} looks are written")
    url = f"sqlite:///{folder / 'looks.db'}"
    create_or_upgrade(url).close()
    with Database.open(url) as database:
        desk = Accountability(database, Keys.synthetic("bench"), url)
        fill(database, _looks(company, desk))
        rng, turns = random.Random(3), list[Spent[Leak]]()
        many = hands(url, company.looks)
        for turn in range(3):
            progress(f"a list of a thousand is traced ({turn + 1} of 3)")
            guilty = rng.sample(company.accounts, 3)
            leaked = [(one[0],) for one in company.leak(rng, guilty, 1_000)]
            turns.append(spent(lambda: Inquiry(desk, "bench").trace(leaked)))  # noqa: B023
            named = turns[-1].result.traced.named
            assert {account for one in named for account in one.accounts} == {*guilty}
    best = min(turn.shared(many) for turn in turns)
    most = MOST_TRACE_SECONDS * company.looks / 1_000_000
    clock = min(turn.wall for turn in turns)
    target = Target(
        f"trace over {company.looks:,} looks in {most:.1f} s of {many} cores",
        f"{best:.1f} s of each; {clock:.1f} s by the clock",
        best <= most,
    )
    rows = [[turn.text(many)] for turn in turns]
    yield Table(("trace, from the file's lines to the names",), rows, "", (target,))
    progress("a hundred leaks, and lists that accuse nobody")
    yield _accuracy(company)


def _looks(company: Company, desk: Accountability) -> Iterator[AuditEntry]:
    """Every look of the company as a record of its own, day by day."""
    book, number = company.book, 0
    digests = [desk.pseudonyms.digest("waybill", name) for name in company.records]
    days: dict[int, list[tuple[str, int]]] = {}
    for account, seen in book.seen.items():
        for one in seen:
            days.setdefault(book.cell[one][1], []).append((account, one))
    for day in sorted(days):
        for account, one in days[day]:
            at = START + day * 86_400_000 + number % 80_000_000
            yield look(number, at, account, book.cell[one][0], digests[one])
            number += 1


def _accuracy(company: Company) -> Table:
    score, blank = hundred(company, seed=7), innocents(company, seed=8, lists=500)
    rows = [
        ["leaks by one to three accounts, 30 % noise, 100 to 1,000 values", f"{score.leaks}"],
        ["the right account first", f"{score.first}"],
        ["every culprit named", f"{score.whole}"],
        ["cannot tell", f"{score.silent}"],
        ["an innocent named", f"{score.accused}"],
        ["lists that nobody's looks led to", f"{blank.leaks}"],
        ["somebody named for one (false accusation)", f"{blank.accused}"],
    ]
    caption = f"{company.looks:,} looks of {len(company.accounts):,} accounts"
    targets = (
        Target("the right account first in 99 of 100", str(score.first), score.first >= 99),
        Target("nobody falsely accused", str(score.accused + blank.accused),
               score.accused + blank.accused == 0),
    )  # fmt: skip
    return Table(("what", "number"), rows, caption, targets)


# --- detection ---------------------------------------------------------------------------------


@dataclass
class HonestScans:
    """The month's scans, as `storage.scan_feed` gives them."""

    scans: list[Scanned]

    def after(self, scan: int, since: int = 0) -> Iterator[Scanned]:
        return iter(self.scans)


def measure_detection(folder: Path, records: int) -> Table:
    """The shipped rules over a month's log, records and scans, as `acl audit detect` reads it."""
    a_branch = 30 * (12 * 60 * 3 + 100)
    month = Month("bench", branches=max(2, records // a_branch), couriers=12, days=30)
    url = f"sqlite:///{folder / 'month.db'}"
    create_or_upgrade(url).close()
    with Database.open(url) as database:
        desk, scans = Accountability(database, Keys.synthetic("bench"), url), list[Scanned]()
        progress("a month of honest work is written")
        written = fill(database, _month(month, desk, scans))
        rules = detector(RULES)[0]
        watch = Watch(rules, desk.store, HonestScans(scans), desk.pseudonyms, SystemClock())
        progress("the rules are evaluated")
        judged = spent(watch.history)
        alerts = judged.result
    each = Counter(one.rule for one in alerts)
    rows = [
        ["records, and scans", f"{written:,}, {len(scans):,}"],
        ["all rules over all of them", judged.text()],
        ["records a second of processor", f"{written / judged.busy:,.0f}"],
        ["alerts, all of them false", f"{len(alerts)} in {month.account_days:,} account-days"],
        ["account-days for one false alarm", f"{month.account_days / max(1, len(alerts)):,.0f}"],
        *([f"of these {name}", f"{count}"] for name, count in each.most_common()),
    ]
    return Table(("what", "measured"), rows, "Detection over a month of honest work")


def _month(month: Month, desk: Accountability, scans: list[Scanned]) -> Iterator[AuditEntry]:
    number = 0
    for _, event in month.events():
        if event.kind == "scan":
            subject, account = event.subjects[0], event.account or ""
            unit = event.unit or ""
            scan = Scanned(len(scans) + 1, event.at, event.action, subject, account, unit, None)
            scans.append(scan)
        else:
            yield _entry(number, event, desk)
            number += 1


def _entry(number: int, event: Event, desk: Accountability) -> AuditEntry:
    digest = desk.pseudonyms.digest
    return AuditEntry(
        kind=event.kind, request=f"{number:016x}", at=event.at, action=event.action,  # type: ignore[arg-type]
        resource=event.resource, account=event.account, person=event.person, role=event.role,
        unit=event.unit, device=event.device, session=None, effect=event.effect,  # type: ignore[arg-type]
        line="10", subjects=tuple(digest("waybill", one) for one in event.subjects),
        count=event.count, areas=event.areas, block=event.block, on_shift=event.on_shift,
        fields=("area", "recipient_name", "route", "waybill_no"), digest="d" * 64,
        policy="courier/after@1", rule="courier.read.load",
    )  # fmt: skip


def main(arguments: list[str]) -> Iterator[Table]:
    """Tracing with its accuracy, then detection."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--looks", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        yield from measure_trace(Path(name), options.looks)
        yield measure_detection(Path(name), options.records)

"""A policy over the past of one database: its own log, or an old system's."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from acl_engine.analysis.backtest.access_log import Reading, own_batches
from acl_engine.analysis.backtest.judging import Judging
from acl_engine.analysis.backtest.past import Past
from acl_engine.analysis.backtest.report import Report, together
from acl_engine.audit import record
from acl_engine.bootstrap.backtest_blocks import Judge, judged_csv
from acl_engine.bootstrap.keys import KeyedPseudonyms
from acl_engine.bootstrap.master_key import keys_of
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.facts import Value
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Text
from acl_engine.storage.audit_reading import AuditReading
from acl_engine.storage.database import Database
from acl_engine.storage.history import read_history

NO_FILE = Text(
    "backtest.file",
    "日志无法读取：{why}",
    "the log cannot be read: {why}",
    "检查路径",
    "check the path",
)

# What is done so far, of how much: bytes of a file, records of a log.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What to test. `log` None: the database's own log. `actions` gives the log's words for
    actions their meaning, `assumed` facts that no log tells; `utc_offset` (hours) and `encoding`
    are a CSV's."""

    pack: Pack
    resource: str
    log: Path | None = None
    actions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    assumed: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    utc_offset: float = 8.0
    encoding: str = "utf-8-sig"


def backtest(
    database: Database, order: Order, progress: Progress = lambda done, total: None
) -> Report:
    """Judge every access of the log. Raises InputError, StoreError, or ConfigError for a log of
    this engine's own without its keys."""
    decider = PackDecider(order.pack)
    history = read_history(database, order.pack, order.resource)
    past = Past(history, order.pack, order.resource, order.assumed)
    judging = Judging(decider, past, order.resource)
    reading = Reading(past, order.actions, order.utc_offset)
    return together(_reports(database, order, reading, judging, progress), decider.version)


def _reports(
    database: Database, order: Order, reading: Reading, judging: Judging, progress: Progress
) -> Iterator[Report]:
    if order.log is None:
        rows = AuditReading(database, record.decode).raw()
        bodies: Iterable[bytes] = (body for _, body, _ in rows)
        yield from _own(bodies, database, order, reading, judging)
        return
    try:
        with order.log.open("rb") as file:
            total = order.log.stat().st_size
            for report in _of_file(file, database, order, reading, judging):
                progress(min(file.tell(), total), total)
                yield report
    except OSError as failure:
        why = NO_FILE.of(why=failure.strerror or "?")
        raise InputError(why, Where(str(order.log))) from None


def _of_file(
    file: BinaryIO, database: Database, order: Order, reading: Reading, judging: Judging
) -> Iterator[Report]:
    """By its first byte: a copy of our own log holds an object a line, a CSV does not."""
    first = file.read(1)
    file.seek(0)
    if first == b"{":
        lines = (line.rstrip(b"\n") for line in file)
        yield from _own(lines, database, order, reading, judging)
    else:
        yield from judged_csv(file, order.encoding, Judge(reading, judging))


def _own(
    bodies: Iterable[bytes], database: Database, order: Order, reading: Reading, judging: Judging
) -> Iterator[Report]:
    for batch in own_batches(bodies, order.resource, _digest(database, order), reading):
        judging.add(batch)
        yield judging.take()


def _digest(database: Database, order: Order) -> Callable[[str], str]:
    pseudonyms = KeyedPseudonyms(keys_of(database).pseudonym)
    return lambda key: pseudonyms.digest(order.resource, key)


__all__ = ["Order", "Progress", "Report", "backtest"]

"""Questions to the audit log: who saw what, what a mark on a photograph means, who leaked a list.

INVARIANTS
- Whoever asks about people is written into the log before the answer is given.
- What is asked for is written as digests; no clear value goes into the log.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from acl_engine.audit import ocsf, record, screenmark
from acl_engine.audit.looks import Look, looks
from acl_engine.audit.trace import Traced, trace
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.looking import look_book
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import InputError
from acl_engine.domain.releases import Copy
from acl_engine.domain.text import Text
from acl_engine.domain.tracing import PlantedMark
from acl_engine.masking.phone import parse as parse_phone
from acl_engine.storage.identity_store import SqlIdentityStore
from acl_engine.storage.payload import phone_index
from acl_engine.storage.planted import PlantedMarkStore
from acl_engine.storage.releasing import ReleaseStore
from acl_engine.storage.subjects import (
    at_work,
    recipients,
    waybills_of_customer,
    waybills_of_phones,
)

# A photograph is taken while the page is open: the looks of that session this far around the mark.
AROUND_MS = 5 * 60_000
# Criteria under which a phone number may have been searched for.
_PHONES = ("phone", "recipient_phone", "sender_phone")
_MOST_SUBJECTS = 500

NO_ACCOUNT = Text(
    "audit.no-account",
    "公司与日志中都没有账号 `{account}`",
    "neither the company nor the log knows an account `{account}`",
    "核对登录名；可用 `acl account list` 查看",
    "check the login; `acl account list` shows them",
)
NO_HONEY = Text(
    "leak.no-honey",
    "运单 `{number}` 已派给他人、已扫描或已被查看，不能作蜜罐",
    "waybill `{number}` is somebody's task, scanned or looked at: it can be no honey row",
    "为蜜罐新建无人需要的运单",
    "make a waybill that nobody needs",
)
NO_SUBJECT = Text(
    "audit.no-subject",
    "未指明运单、客户或电话",
    "no waybill, customer or phone number was named",
    "给出运单号、客户编号或电话号码",
    "give a waybill number, a customer id or a phone number",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of the log: where it stands and what it says."""

    index: int
    entry: AuditEntry


@dataclass(frozen=True, slots=True)
class Report:
    """What a data subject is told: the looks that were answered, and those that were refused."""

    shown: tuple[Seen, ...]
    refused: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Saw:
    """What an account did, and in sum what it was shown: looks answered, records `shown` by them,
    different `records` among these, and their recipients. A record that is in the database no
    longer, or has no recipient, counts as one of the `people`."""

    entries: tuple[AuditEntry, ...]
    looks: int
    shown: int
    records: int
    people: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """What a screen mark leads to: its own views, and what that session looked at around them."""

    mark: str
    own: tuple[Seen, ...]
    around: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """A traced list. `marks`: what was planted and stands in it, each a piece of evidence;
    `copies`: the exported copies whose made-up rows stand in it, with how many of them."""

    traced: Traced
    marks: tuple[PlantedMark, ...]
    people: dict[str, AuditEntry]
    copies: tuple[tuple[Copy, int], ...] = ()


class Inquiry:
    """Asks one log, on behalf of `by`."""

    def __init__(self, desk: Accountability, by: str) -> None:
        self._desk, self._by = desk, by
        self._planted = PlantedMarkStore(desk.database)
        self._releases = ReleaseStore(desk.database)

    def who_saw(self, subject: str) -> Report:
        """Every look at a waybill, or at any waybill of a customer id or a phone number. Raises
        InputError where nothing is named."""
        subject = subject.strip()
        if not subject:
            raise InputError(NO_SUBJECT.of())
        digests = self._digests_of(subject)
        self._write_down("audit.who-saw", digests)
        shown, refused = list[Seen](), list[Seen]()
        for index, body, look in self._looks():
            if not digests.isdisjoint(look.subjects):
                if look.answered:
                    shown.append(Seen(index, record.decode(body, index)))
                elif look.effect != "allow" and look.kind != "event":
                    refused.append(Seen(index, record.decode(body, index)))
        return Report(tuple(shown), tuple(refused))

    def require(self, account: str) -> None:
        """Raises InputError for an account that neither the company nor the log knows."""
        known = SqlIdentityStore(self._desk.database).account(account)
        if known is None and self._desk.store.last_of(account) is None:
            raise InputError(NO_ACCOUNT.of(account=account))

    def of_account(self, account: str, since: int, until: int) -> Saw:
        """What an account did and was shown in a span (epoch ms, end excluded)."""
        self._write_down("audit.account")
        database = self._desk.database
        entries = tuple(self._desk.store.of_account(account, since, until))
        looks = [one for one in entries if one.kind == "outcome" and one.effect == "allow"]
        records = frozenset(subject for one in looks for subject in one.subjects)
        known = recipients(database, self._waybill, records)
        fields = sorted({field for one in looks for field in one.fields})
        return Saw(
            entries,
            looks=len(looks),
            shown=sum(one.count for one in looks),
            records=len(records),
            people=len({*known.values()}) + len(records) - len(known),
            fields=tuple(fields),
        )

    def marked(self, text: str) -> Marked:
        """The session, person and looks behind a screen mark. Raises InputError for a misread."""
        mark = screenmark.read(text)
        self._write_down("audit.read-mark")
        own = [
            Seen(index, record.decode(body, index))
            for index, body, look in self._looks()
            if look.watermark == mark
        ]
        spans = {(one.entry.session, one.entry.at) for one in own}
        around = [
            Seen(index, record.decode(body, index))
            for index, body, look in (self._looks() if own else ())
            if look.session is not None and look.watermark != mark and look.kind == "outcome"
            if any(look.session == s and abs(look.at - at) <= AROUND_MS for s, at in spans)
        ]
        return Marked(mark, tuple(own), tuple(around))

    def trace(self, lines: Sequence[Sequence[str]], since: int = 0, until: int = 2**62) -> Leak:
        """Which accounts' looks explain a leaked list: its lines, each as the values on it."""
        items = self._items(lines)
        self._write_down("audit.trace")
        book = look_book(self._desk.store, self._desk.url, since, until)
        traced = trace(book, items, self._planted.honey())
        marks = self._planted.among({digest for item in items for digest in item})
        suspects = (*traced.named, *traced.ranked, *traced.pairs)
        named = {account for one in suspects for account in one.accounts}
        named.update(mark.account for mark in marks if mark.account)
        people = {one: self._desk.store.last_of(one) for one in sorted(named)}
        known = {name: last for name, last in people.items() if last}
        return Leak(traced, marks, known, self._copies(marks))

    def plant(self, waybills: Sequence[str]) -> int:
        """Register waybills of nobody as honey rows; how many. Raises InputError for one that work
        needs, or that somebody has looked at."""
        digests = [self._waybill(number) for number in waybills]
        if needed := at_work(self._desk.database, waybills):
            raise InputError(NO_HONEY.of(number=needed[0]))
        wanted = dict(zip(digests, waybills, strict=True))
        for _, _, look in self._looks():
            if seen := wanted.keys() & {*look.subjects} if look.answered else ():
                raise InputError(NO_HONEY.of(number=min(wanted[one] for one in seen)))
        self._write_down("audit.honey", frozenset(digests))
        now = self._desk.millis()
        self._planted.plant([PlantedMark(one, "honey", now, self._by) for one in digests])
        return len(digests)

    def export(self, form: str) -> Iterator[str]:
        """One line of JSON a record: `ocsf` or `jsonl` (the record and its place in the log)."""
        self._write_down("audit.export")
        for index, body, leaf in self._desk.store.raw():
            entry = record.decode(body, index)
            place = {"index": index, "leaf": leaf.hex()}
            row = ocsf.event(index, leaf.hex(), entry) if form == "ocsf" else place | asdict(entry)
            yield json.dumps(row, ensure_ascii=True, sort_keys=True)

    def _copies(self, marks: Sequence[PlantedMark]) -> tuple[tuple[Copy, int], ...]:
        """Whose copies the made-up rows are from; most rows first."""
        found = Counter(copy for mark in marks for copy in (mark.copies or "").split())
        ranked = [(one, found[one.id]) for one in self._releases.of(list(found))]
        return tuple(sorted(ranked, key=lambda one: (-one[1], one[0].id)))

    # --- inside ------------------------------------------------------------------------------

    def _looks(self) -> Iterator[tuple[int, bytes, Look]]:
        return looks(self._desk.store.bodies())

    def _digests_of(self, subject: str) -> frozenset[str]:
        digest = self._desk.pseudonyms.digest
        numbers = {subject.upper(), subject, *waybills_of_customer(self._desk.database, subject)}
        found = set[str]()
        if phone := parse_phone(subject):
            index = phone_index(self._desk.keys.index, phone.text)
            numbers.update(waybills_of_phones(self._desk.database, [index])[index])
            found.update(digest(name, phone.text) for name in _PHONES)
        return frozenset(found | {digest("waybill", number) for number in numbers})

    def _items(self, lines: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """The digests that each leaked value may stand for. A line with one waybill is one value,
        whatever else stands on it; a line with several is as many."""
        phones = {value: shape.text for line in lines for value in line
                  if (shape := parse_phone(value)) is not None}  # fmt: skip
        index = {text: phone_index(self._desk.keys.index, text) for text in phones.values()}
        numbers = waybills_of_phones(self._desk.database, set(index.values()))
        types = sorted(self._releases.resources() - {"waybill"})
        items = []
        for line in lines:
            plain = [self._named(value, types) for value in line if value not in phones]
            called = [self._waybill(number) for value in line if value in phones
                      for number in numbers[index[phones[value]]]]  # fmt: skip
            if len(plain) <= 1:
                items.append((*chain.from_iterable(plain), *called))
            else:
                items += plain
        return items

    def _named(self, number: str, types: Sequence[str]) -> tuple[str, ...]:
        """The digests of a number as a waybill's, and as any other record's that was released."""
        digest = self._desk.pseudonyms.digest
        other = (digest(one, text) for one in types for text in sorted({number, number.lower()}))
        return (self._waybill(number), *other)

    def _waybill(self, number: str) -> str:
        return self._desk.pseudonyms.digest("waybill", number)

    def _write_down(self, action: str, subjects: frozenset[str] = frozenset()) -> None:
        self._desk.write_down(action, self._by, tuple(sorted(subjects))[:_MOST_SUBJECTS])

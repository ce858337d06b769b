"""The facts of the past: for columns of accesses, what was so at the moment of each.

INVARIANTS
- A fact that the database does not hold for that moment is unknown, unless it is assumed; what was
  assumed is named in the report.
- Whether a set held a value is answered for the value that is asked about; no set is built.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from acl_engine.analysis.backtest import custody
from acl_engine.analysis.backtest.columns import (
    FALSE,
    MOMENTS,
    NO_INT,
    NO_WORD,
    UNKNOWN,
    Array,
    Lasting,
    Places,
    Timeline,
    Words,
    ints,
    truths,
)
from acl_engine.analysis.backtest.released import Released
from acl_engine.domain.facts import Value
from acl_engine.domain.history import History, Lasted
from acl_engine.domain.pack import Pack

DAY = 86_400
_AGO = {"now": 0, "day_ago": DAY, "week_ago": 7 * DAY, "month_ago": 30 * DAY}
# Of what was approved only the purpose that is asked for counts.
APPROVED = "approved"
_BY_PERSON = frozenset({"on_shift", "roster_areas"})


@dataclass(frozen=True, slots=True)
class Lines:
    """Accesses by place: `who` in the accounts, `record` in the records (-1: none), `at` in epoch
    seconds, `device` whether on a proven device (a truth), `purpose` a word.

    `events` are the places of the last event of the record in each of the past's histories, sought
    once for all the facts that hang on them."""

    who: Array
    record: Array
    at: Array
    device: Array
    purpose: Array
    events: tuple[Array, ...] = ()

    def __len__(self) -> int:
        return len(self.who)

    def take(self, places: Array) -> "Lines":
        return Lines(
            self.who[places],
            self.record[places],
            self.at[places],
            self.device[places],
            self.purpose[places],
            tuple(one[places] for one in self.events),
        )


class Past:
    """One database's past, for the records of one type. `assumed` facts hold for every line."""

    def __init__(
        self, history: History, pack: Pack, resource: str, assumed: Mapping[str, Value]
    ) -> None:
        self.words = Words()
        self.assumed = dict(assumed)
        self.subject_kinds: dict[str, str] = {"role": "text", **pack.subject_attributes}
        self.record_kinds = dict(pack.resources[resource].attributes)
        self._type = self.words.add(resource)
        self._accounts(history)
        self._records(history)
        if history.in_custody:
            self._follow(history)
        self._lasting = self._all_lasting(history)
        self._approved = {
            self.words.add(purpose): self._lasted(rows)
            for purpose, rows in history.approved.items()
        }

    # --- who and what ---------------------------------------------------------------------------

    def who(self, logins: Sequence[str]) -> Array:
        """The place of each account, -1 for one that is not known."""
        return self._by_login.of(self.words.find(logins))

    def record(self, keys: Sequence[str]) -> Array:
        """The place of each record, -1 for one that is not known."""
        return self._by_key.of(self.words.find(keys))

    def placed(self, lines: Lines) -> Lines:
        """The lines, each with the events that its record's facts hang on."""
        found = tuple(one.last(lines.record, lines.at) for one, _ in self._histories)
        return replace(lines, events=found)

    def exists(self, lines: Lines) -> Array:
        """Whether the record was there at that moment already, as bools. `lines` are placed."""
        return lines.events[0] >= 0 if lines.events else lines.record >= 0

    # --- facts ----------------------------------------------------------------------------------

    def of_subject(self, name: str, lines: Lines) -> Array:
        """A fact about who asked; a set's is for `member` to tell."""
        kind = self.subject_kinds.get(name, "text")
        if name in self.assumed:
            return np.full(len(lines), self._said(self.assumed[name], kind))
        if name in _AGO:
            return lines.at - _AGO[name]
        if name == "device_bound":
            return lines.device
        if name == "purpose":
            return lines.purpose
        if name == "on_shift":
            person = self._subject["person"][lines.who]
            nothing = np.full(len(lines), self.words.add(""))
            return self._lasting["on_shift"].holds(person, nothing, lines.at).astype(np.int8)
        if name == "released_stop" and self._released is not None:
            return self._released.at(self._subject["person"][lines.who], lines.at)
        if name in self._subject:
            return self._subject[name][lines.who]
        return np.full(len(lines), _missing(kind))

    def of_record(self, name: str, lines: Lines) -> Array:
        """A fact about the record at that moment; nothing where no record is named. `lines` are
        placed."""
        kind = self.record_kinds.get(name, "text")
        if name == "type":
            return np.where(lines.record >= 0, self._type, NO_WORD)
        column, place = self._now.get(name), lines.record
        for (_, columns), events in zip(self._histories, lines.events, strict=True):
            if name in columns:
                column, place = columns[name], events
        if column is None or not len(column):
            return np.full(len(lines), _missing(kind))
        return np.where(place >= 0, column[place], _missing(kind))

    def member(self, name: str, values: Array, lines: Lines) -> Array:
        """Whether the set `name` of who asked held each value, as a truth; -1 is no value."""
        if not self.tracks(name):
            return np.full(len(lines), UNKNOWN, dtype=np.int8)
        held = self._held(name, values, lines).astype(np.int8)
        return np.where(values == NO_WORD, UNKNOWN, held)

    def anything(self, name: str, lines: Lines) -> Array:
        """Whether the set held anything at all, as bools."""
        if not self.tracks(name):
            return np.zeros(len(lines), dtype=bool)
        return self._held(name, np.full(len(lines), self.words.add("")), lines)

    def tracks(self, name: str) -> bool:
        """Whether the history tells what this set held."""
        return name == APPROVED or name in self._lasting

    def value(self, kind: str, number: Any) -> Value:
        """A column's number as the fact that it stands for."""
        if kind == "text":
            return self.words.text(int(number))
        if kind == "bool":
            return None if number == UNKNOWN else bool(number)
        return None if number == NO_INT else int(number)

    # --- inside ---------------------------------------------------------------------------------

    def _accounts(self, history: History) -> None:
        add, rows = self.words.column, history.accounts
        self._subject = {
            "account": add(row.login for row in rows),
            "person": add(row.person for row in rows),
            "role": add(row.role for row in rows),
            "unit": add(row.unit for row in rows),
            "unit_path": add(row.unit_path or None for row in rows),
            "tenant": add(row.tenant for row in rows),
            "customer": add(row.customer for row in rows),
            "bound_since": ints(row.bound_since for row in rows),
        }
        self.roles = [row.role for row in rows]
        self.units = [row.unit for row in rows]
        self.logins = [row.login for row in rows]
        self._by_login = Places(self._subject["account"])

    def _records(self, history: History) -> None:
        rows = list(history.records)
        self.keys = [str(row[0]) for row in rows]
        columns = list(zip(*rows, strict=True))[1:] if rows else [()] * len(history.attributes)
        self._by_key = Places(self.words.column(self.keys))
        make: dict[str, Callable[[Any], Array]] = {
            "text": self.words.column,
            "int": ints,
            "bool": truths,
        }
        self._now = {
            name: make[self.record_kinds[name]](column)
            for name, column in zip(history.attributes, columns, strict=True)
            if name in self.record_kinds
        }
        self._released: Released | None = None
        self._histories: list[tuple[Timeline, Mapping[str, Array]]] = []

    def _follow(self, history: History) -> None:
        """Put what scans and assignments say in the place of how the records are now."""
        events = self._events(history)
        found = custody.custody(events, self._now["dest_unit"], history.stations, self.words)
        given = self._assigned(history)
        self._histories = [(found.timeline, found.columns), given]
        self._released = Released.of(
            (self._now["assignee"], self._now["assignee_sound"], self._now["stop_seq"]),
            (self._now["out_at"], self._now["delivered_at"]),
        )

    def _events(self, history: History) -> custody.Events:
        rows = [one for one in history.scans if one.kind in custody.SCANS]
        owner = self.record([one.key for one in rows])
        at = ints(one.at for one in rows)
        first = self._now["ordered_at"].copy()
        np.minimum.at(first, owner, at)  # nothing comes before the order, whatever its row says
        parts = [
            (owner, at, ints(custody.SCANS[one.kind] for one in rows)),
            (np.arange(len(first)), first, np.full(len(first), custody.ORDERED)),
            _dated(self._now["out_at"], custody.LEFT),
            _dated(self._now["delivered_at"], custody.DELIVER),
            self._claimed(history, custody.CLAIMED),
        ]
        more = sum(len(part[0]) for part in parts[1:])
        none = np.full(more, NO_WORD)
        owners, ats, kinds = (np.concatenate(column) for column in zip(*parts, strict=True))
        return custody.Events(
            owners,
            np.clip(ats, 0, MOMENTS - 1),
            kinds,
            np.concatenate([self.words.column(one.unit for one in rows), none]),
            np.concatenate([self.words.column(one.counterpart for one in rows), none]),
            np.concatenate([truths(one.answered for one in rows), np.full(more, FALSE)]),
        )

    def _claimed(self, history: History, kind: int) -> tuple[Array, Array, Array]:
        """Claims begin when one was opened, on waybills whose stage is CLAIM."""
        opened = list(history.claims)
        owner = self.record([key for key, _ in opened])
        at = ints(moment for _, moment in opened)
        stage = self.words.add("CLAIM")
        real = np.flatnonzero(owner >= 0)
        real = real[self._now["stage"][owner[real]] == stage]
        return owner[real], at[real], np.full(len(real), kind)

    def _assigned(self, history: History) -> tuple[Timeline, Mapping[str, Array]]:
        """Assignments; before the first, and without any, what the waybill itself says."""
        rows = list(history.assignments)
        owner = self.record([one.key for one in rows])
        without = np.setdiff1d(np.arange(len(self.keys)), owner)
        timeline = Timeline(
            np.concatenate([owner, without]),
            np.concatenate([ints(one.at for one in rows), self._now["ordered_at"][without]]),
        )
        person = self.words.column(one.person for one in rows)
        sound = truths(one.sound for one in rows)
        columns = {
            "assignee": np.concatenate([person, self._now["assignee"][without]]),
            "assignee_sound": np.concatenate([sound, self._now["assignee_sound"][without]]),
        }
        return timeline, {name: column[timeline.order] for name, column in columns.items()}

    def _all_lasting(self, history: History) -> dict[str, Lasting]:
        return {name: self._lasted(rows) for name, rows in history.lasted.items()}

    def _lasted(self, rows: Sequence[Lasted]) -> Lasting:
        """The rows, and for each that its owner had anything at all: the empty word."""
        anything = self.words.column("" for _ in rows)
        owner = self.words.column(row.owner for row in rows)
        value = self.words.column(row.value for row in rows)
        span = ints(row.start for row in rows), ints(row.end for row in rows)
        twice = [np.concatenate([one, one]) for one in (owner, *span)]
        return Lasting(twice[0], np.concatenate([value, anything]), twice[1], twice[2])

    def _held(self, name: str, values: Array, lines: Lines) -> Array:
        owner = self._subject["person" if name in _BY_PERSON else "account"][lines.who]
        if name != APPROVED:
            return self._lasting[name].holds(owner, values, lines.at)
        found = np.zeros(len(lines), dtype=bool)
        for purpose, lasting in self._approved.items():
            found |= lasting.holds(owner, values, lines.at) & (lines.purpose == purpose)
        return found

    def _said(self, value: Value, kind: str) -> int:
        if kind == "text":
            return self.words.add(None if value is None else str(value))
        return _missing(kind) if value is None else int(value)  # type: ignore[arg-type]  # no set


def _missing(kind: str) -> int:
    return {"int": NO_INT, "bool": UNKNOWN}.get(kind, NO_WORD)


def _dated(at: Array, kind: int) -> tuple[Array, Array, Array]:
    """One event for each owner that has a time."""
    owner = np.flatnonzero(at != NO_INT)
    return owner, at[owner], np.full(len(owner), kind)

"""Detection: Sigma rules over the events, one at a time, as they arrive or over history.

INVARIANTS
- The same events give the same alerts, whoever feeds them: no clock, no chance.
- An alert carries the indexes of the records it rests on.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter

from acl_engine.audit.counted import counting
from acl_engine.audit.event import FIELDS, Event
from acl_engine.audit.matching import BAD_RULE, Test, compiled
from acl_engine.audit.sigma import CorrelationRule, EventRule, span
from acl_engine.audit.window import Absence, Mark, Window
from acl_engine.domain.alarm import Alert
from acl_engine.domain.errors import InputError

_Waits = Absence[tuple[tuple[str, ...], Mark]]

# As many of the records are named as a person will look at.
MOST_EVIDENCE = 50
# Events that look alike to every event rule are matched once; this many kinds are remembered.
_KINDS = 20_000


class Detector:
    """Feed it events in the order of their time."""

    def __init__(self, events: Iterable[EventRule], rules: Iterable[CorrelationRule]) -> None:
        """Raises InputError for a rule that cannot be read."""
        tests = {one.name: compiled(one.name, one.detection) for one in events}
        self._tests: dict[str, Test] = {name: test for name, (test, _) in tests.items()}
        fields = sorted({"action", "kind"}.union(*(read for _, read in tests.values())))
        self._kind = attrgetter(*fields)
        self._known: dict[object, tuple[_Rule, ...]] = {}
        self._names: dict[object, tuple[str, ...]] = {}
        self._rules = [_Rule(one, self._tests) for one in rules]
        self._waiting = [rule for rule in self._rules if rule.waits]

    def feed(self, index: int | None, event: Event) -> list[Alert]:
        """One event, with its index in the log; the alerts that it tips."""
        kind = self._kind(event)
        names = self._names.get(kind)
        if names is None:
            names = self._remember(kind, event)
        alerts = [alert for rule in self._waiting for alert in rule.due(event.at)]
        for rule in self._known[kind]:
            alerts += rule.see(index, event, names)
        return alerts

    def finish(self, now: int) -> list[Alert]:
        """What has waited in vain until `now` (epoch ms), when no more events come."""
        return [alert for rule in self._waiting for alert in rule.due(now)]

    def _remember(self, kind: object, event: Event) -> tuple[str, ...]:
        if len(self._names) >= _KINDS:
            self._names.clear()
            self._known.clear()
        names = tuple(name for name, test in self._tests.items() if test(event))
        self._names[kind] = names
        self._known[kind] = tuple(rule for rule in self._rules if not rule.reads.isdisjoint(names))
        return names


class _Rule:
    """One correlation rule at work."""

    def __init__(self, rule: CorrelationRule, known: Collection[str]) -> None:
        self.rule, self._what = rule, rule.correlation
        extras, self._count = rule.acl, rule.correlation.condition
        try:
            self._span = span(self._what.timespan)
            unless = extras.unless
            self.waits = _Waits(span(unless.before), span(unless.after)) if unless else None
            self._counting = counting(rule)
        except ValueError as error:
            raise self._wrong(f"the time span `{error}`") from None
        self._window = Window(self._span)
        self._met = extras.unless.rule if extras.unless else None
        self.reads = frozenset({*self._what.rules, *((self._met,) if self._met else ())})
        self._check(known)

    def _check(self, known: Collection[str]) -> None:
        what, count, first = self._what, self._count, self.rule.acl.first
        if missing := sorted(self.reads - set(known)):
            raise self._wrong(f"there is no event rule `{missing[0]}`")
        named = {*what.group_by, *((first.field, *first.by) if first else ())}
        named |= {one for one in (count and count.field, self.rule.acl.distinct) if one}
        if unknown := sorted(named - FIELDS):
            raise self._wrong(f"there is no field `{unknown[0]}`")
        if what.type == "temporal_ordered":
            if count or len(what.rules) < 2:
                raise self._wrong("a sequence has two rules at least, and no condition")
        elif count is None or (count.field is None) != (what.type == "event_count"):
            raise self._wrong("event_count needs a condition, value_count one with a field")

    def _wrong(self, why: str) -> InputError:
        return InputError(BAD_RULE.of(rule=self.rule.name, why=why))

    # --- what happens --------------------------------------------------------------------------

    def see(self, index: int | None, event: Event, names: Sequence[str]) -> Iterator[Alert]:
        if self._met is not None and self._met in names:
            assert self.waits is not None
            for subject in event.subjects:
                self.waits.met(subject, event.at)
        for name in names:
            if name in self._what.rules:
                yield from self._counted(index, event, name)

    def due(self, now: int) -> Iterator[Alert]:
        """Events that nothing followed count when it is certain that nothing did."""
        assert self.waits is not None
        for group, mark in self.waits.due(now):
            yield from self._add(group, mark, now)

    def _counted(self, index: int | None, event: Event, name: str) -> Iterator[Alert]:
        for group, value, subject in self._counting(event):
            mark = Mark(event.at, index, value, name, event.account, event.device)
            if self.waits is not None:
                self.waits.wait(subject, event.at, (group, mark))
            else:
                yield from self._add(group, mark, event.at)

    def _add(self, group: tuple[str, ...], mark: Mark, now: int) -> Iterator[Alert]:
        marks = self._window.add(group, mark)
        found: Sequence[Mark] = ()
        if self._count is None:
            found = self._sequence(marks)
        elif len(marks) >= self._count.gte:
            different = len({one.value for one in marks}) if self._count.field else len(marks)
            found = tuple(marks) if different >= self._count.gte else ()
        if found:
            self._window.clear(group)
            yield self._alert(group, found, now)

    def _sequence(self, marks: Sequence[Mark]) -> tuple[Mark, ...]:
        """The rules in their order, each by an event with another value of `distinct`."""
        *wanted, final = self._what.rules
        if marks[-1].rule != final or len(marks) <= len(wanted):
            return ()
        *earlier, last = marks
        chain = [last]
        for mark in reversed(earlier):
            next_one = bool(wanted) and mark.rule == wanted[-1] and mark.at <= chain[-1].at
            if next_one and self._apart(mark, chain):
                chain.append(mark)
                wanted.pop()
        return tuple(reversed(chain)) if not wanted else ()

    def _apart(self, mark: Mark, chain: Sequence[Mark]) -> bool:
        field = self.rule.acl.distinct
        if field is None:
            return True
        mine = getattr(mark, field)
        return mine is not None and all(getattr(one, field) not in (None, mine) for one in chain)

    def _alert(self, group: tuple[str, ...], marks: Sequence[Mark], now: int) -> Alert:
        evidence = tuple(one.record for one in marks if one.record is not None)
        key = f"{self.rule.name}\x1f{group}\x1f{evidence[0] if evidence else marks[0].at}"
        return Alert(
            id=hashlib.sha256(key.encode()).hexdigest()[:16],
            rule=self.rule.name,
            level=self.rule.level,
            response=self.rule.acl.response,
            at=now,
            group=tuple(zip(self._what.group_by, group, strict=True)),
            count=len({one.value for one in marks}) if self._count else len(marks),
            accounts=tuple(sorted({one.account for one in marks if one.account})),
            devices=tuple(sorted({one.device for one in marks if one.device})),
            evidence=evidence[-MOST_EVIDENCE:],
        )

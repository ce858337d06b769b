"""What of an event a correlation rule counts: the group it belongs to, the value that differs.

An event about many records (a page, a pair) counts once for each, where the rule speaks of them.
Compiled once a rule: every look passes here.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from acl_engine.audit.event import MANY, Event
from acl_engine.audit.sigma import CorrelationRule, span
from acl_engine.audit.window import Novelty

Group = tuple[str, ...]
# Group, value, subject.
Counted = tuple[Group, Any, str]


def counting(rule: CorrelationRule) -> Callable[[Event], Iterator[Counted]]:
    """The counter of a rule. Raises ValueError for a time span that is none."""
    what, extras = rule.correlation, rule.acl
    field = what.condition.field if what.condition else None
    by_record = {*what.group_by, field} & MANY.keys() or extras.unless or extras.first
    if not by_record:
        return _plain(what.group_by, field)
    return _Records(rule, field)


def _plain(group_by: Sequence[str], field: str | None) -> Callable[[Event], Iterator[Counted]]:
    read, value = _tuple(group_by), attrgetter(field) if field else None

    def each(event: Event) -> Iterator[Counted]:
        group = read(event)
        found = value(event) if value else None
        if None not in group and "" not in group and (value is None or found):
            yield group, found, ""

    return each


class _Records:
    """Counts record by record. One without a value for what the rule counts by does not count."""

    def __init__(self, rule: CorrelationRule, field: str | None) -> None:
        self._group_by, self._field = rule.correlation.group_by, field
        self._read = _tuple([name for name in self._group_by if name not in MANY])
        self._grouped = not MANY.keys().isdisjoint(self._group_by)
        self._first = rule.acl.first
        if first := rule.acl.first:
            spans = span(first.history), span(first.warm_up), span(rule.correlation.timespan)
            self._novelty = Novelty(*spans)
            self._whose = _tuple(first.by)

    def __call__(self, event: Event) -> Iterator[Counted]:
        group, field, areas = self._read(event), self._field, event.areas
        if None in group or "" in group:
            return
        for place, subject in enumerate(event.subjects):
            area = areas[place] if place < len(areas) else ""
            if self._first and not self._is_new(event, subject, area):
                continue
            mine = self._group(event, subject, area) if self._grouped else group
            value = subject if field == "subject" else area if field == "area" else None
            if field and value is None:
                value = getattr(event, field)
            if mine is not None and (value or field is None):
                yield mine, value, subject

    def _group(self, event: Event, subject: str, area: str) -> Group | None:
        named = {"subject": subject, "area": area}
        found = tuple(named[n] if n in named else getattr(event, n) for n in self._group_by)
        return found if all(found) else None

    def _is_new(self, event: Event, subject: str, area: str) -> bool:
        assert self._first is not None
        field = self._first.field
        named = {"subject": subject, "area": area}
        value = named[field] if field in named else getattr(event, field)
        whose = self._whose(event)
        if not value or None in whose:
            return False
        # Every one of them takes note, whatever the others say.
        news = [self._novelty.new(who, str(value), event.at) for who in whose]
        return all(news)


def _tuple(names: Sequence[str]) -> Callable[[Event], tuple[Any, ...]]:
    """The values of some fields, as a tuple whatever their number."""
    if not names:
        return lambda event: ()
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda event: (read(event),)

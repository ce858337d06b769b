"""Rows that differ from copy to copy, so that a leaked copy names its recipient.

Each copy of an export gets made-up rows of its own, and each two copies share one that no other
has: whoever compares their copy with another and takes out what differs leaves what both share.
A made-up row has a number that no record has, and in each other field what some real row shows.

INVARIANTS
- A made-up number is in nobody's records; a look at it is a look at nothing.
- Which rows are made up is known by their digests alone, as in the log.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from random import SystemRandom

from acl_engine.domain.errors import InputError
from acl_engine.domain.releases import Copy, Made
from acl_engine.domain.text import Text
from acl_engine.domain.tracing import PlantedMark
from acl_engine.domain.view import View
from acl_engine.enforcement.trail import Trail

UNMARKABLE = Text(
    "release.unmarkable",
    "无法为副本加标记行：行的编号不可见，或编号不含数字",
    "the copies cannot be marked: the rows show no number of their own",
    "在策略行中让编号字段可见（clear）",
    "let the policy row show the key field in clear",
)
_DIGITS = re.compile(r"(.*?)([0-9]{1,12})([^0-9]*)\Z", re.DOTALL)
_TRIES = 500


def mark_copies(
    trail: Trail, views: Sequence[View], copies: Sequence[Copy]
) -> tuple[tuple[Made, ...], list[PlantedMark]]:
    """Each copy with its rows in the order of their numbers, and what is planted in them.

    A publication is not marked: what the public reads has no row of nobody.
    """
    number = trail.door.pack.settings.releases.marks
    if not number or copies[0].kind == "publish":
        return tuple(_made(one, tuple(views), 0) for one in copies), []
    holders = list[tuple[int, ...]]((at,) for at in range(len(copies)) for _ in range(number))
    holders += combinations(range(len(copies)), 2)
    forge = _Forge(trail, views)
    rows: list[list[View]] = [list(views) for _ in copies]
    marks = list[PlantedMark]()
    for holder in holders:
        row = forge.row()
        marks.append(_planted(trail, row, " ".join(copies[at].id for at in holder)))
        for at in holder:
            rows[at].append(row)
    return tuple(
        _made(copy, tuple(sorted(shown, key=lambda one: one.handle)), len(shown) - len(views))
        for copy, shown in zip(copies, rows, strict=True)
    ), marks


def _made(copy: Copy, rows: tuple[View, ...], marks: int) -> Made:
    text = json.dumps([dict(one.fields) for one in rows], sort_keys=True, ensure_ascii=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Made(replace(copy, marks=marks, digest=digest), rows)


def _planted(trail: Trail, row: View, copies: str) -> PlantedMark:
    at, who = int(trail.now.timestamp() * 1000), trail.who.account
    return PlantedMark(trail.subject(row.handle), "export", at, who, who, trail.id, copies)


class _Forge:
    """Makes rows up, one after the other, none twice."""

    def __init__(self, trail: Trail, views: Sequence[View]) -> None:
        self._trail, self._views = trail, views
        self._key = trail.door.pack.resources[trail.asked.resource].key
        self._taken = {view.handle for view in views}
        if any(view.fields.get(self._key) != view.handle for view in views):
            raise InputError(UNMARKABLE.of())
        self._parts = [found for one in self._taken if (found := _DIGITS.match(one))]
        if not self._parts:
            raise InputError(UNMARKABLE.of())
        # Nobody who has the list can say which rows are made up.
        self._dice = SystemRandom()

    def row(self) -> View:
        key = self._number()
        shown = {self._key: key}
        for name in self._views[0].fields:
            given = self._dice.choice(self._views).fields.get(name)
            if name != self._key and given is not None:
                shown[name] = given
        ordered = {name: shown[name] for name in self._views[0].fields if name in shown}
        return View(self._views[0].resource, key, ordered)

    def _number(self) -> str:
        for tries in range(_TRIES):
            head, digits, tail = self._dice.choice(self._parts).groups()
            key = f"{head}{self._near(digits, tries)}{tail}"
            if key not in self._taken and self._nobodys(key):
                self._taken.add(key)
                return key
        raise InputError(UNMARKABLE.of())

    def _near(self, digits: str, tries: int) -> str:
        """Other last digits of the same number; a short running number goes on a little further,
        and further where earlier copies have used up what was near."""
        if len(digits) > 4:
            return f"{digits[:-4]}{self._dice.randrange(10_000):04}"
        last = max(int(one[2]) for one in self._parts)
        number = self._dice.randrange(1, last + last // 4 + 20 + tries)
        return f"{number:0{len(digits)}}" if digits.startswith("0") else str(number)

    def _nobodys(self, key: str) -> bool:
        if self._trail.door.releases.planted(self._trail.subject(key)):
            return False
        asked = replace(self._trail.asked, key=key)
        return self._trail.door.directory.facts(self._trail.who, asked).resource is None

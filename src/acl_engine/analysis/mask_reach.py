"""What one person, or a named coalition, can join of the views that a policy lets them reach.

INVARIANTS
- Never too little: every allow row of a role counts, whatever its relation and stages ask; only a
  row that a deny row certainly overrules is left out.
- A value is one value wherever it stands: all fields of a kind join, for the recipient of one
  parcel is the sender of the next.
- What is printed is a view of everyone who holds the paper.
- What is sealed for an authority is nobody's view here.
- A phone is counted in every city; the city that leaves the fewest decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from acl_engine.analysis.rows import always, at, rows_of
from acl_engine.domain.errors import Where
from acl_engine.domain.pack import Kind, Pack, Row
from acl_engine.domain.request import Action
from acl_engine.domain.text import Message, Text
from acl_engine.masking.profile_strength import FieldStrength, strength
from acl_engine.masking.strength import Known

CLEAR = "clear"

UNDER_MINIMUM = Text(
    "lint.mask-under-minimum",
    "`{who}` 看到的 `{kind}` 拼在一起，最少只剩 {left} 种可能，低于规定的 {least}：{views}",
    "the `{kind}` views that `{who}` can reach join to {left} left at the least, under the stated "
    "minimum of {least}: {views}",
    "改用更严的方案（`acl mask strength --policy DIR --who {first}`）",
    "take a stricter profile (`acl mask strength --policy DIR --who {first}`)",
)
CLEAR_UNSTATED = Text(
    "lint.clear-unstated",
    "行 `{row}` 让 `{role}` 看到字段 `{field}` 原文，而 `masking.clear` 没有写明",
    "row `{row}` shows `{role}` the field `{field}` in clear, which `masking.clear` does not state",
    "改为 mask:方案，或在 settings.yaml 的 masking.clear 中写明该角色",
    "mask it, or state the role under masking.clear in settings.yaml",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One view: a row of a role shows a field `how` (a profile, or `clear`). `paper`: by holding
    what the row prints."""

    role: str
    row: Row
    field: str
    kind: Kind
    how: str
    paper: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """All views of one kind together. `least` is 1 where one of them is clear."""

    kind: Kind
    seen: tuple[Seen, ...]
    strength: FieldStrength

    @property
    def clear(self) -> bool:
        return any(one.how == CLEAR for one in self.seen)

    @property
    def least(self) -> int:
        return 1 if self.clear else self.strength.least


def reach(pack: Pack, roles: Iterable[str]) -> tuple[Seen, ...]:
    """Every view of a counted kind that holders of these roles can reach, in the order of rows."""
    found: dict[tuple[str, str, str, str], Seen] = {}
    paper = pack.settings.masking.paper
    for role in dict.fromkeys(roles):
        rows = rows_of(pack, role)
        allowed = [row for row in rows if row.allow and row.action != Action.DISCLOSE]
        shown = [(row, False) for row in allowed if not _overruled(pack, row, rows)]
        if paper and role in paper.held_by:
            shown += [(row, True) for row in pack.rows if row.id in paper.rows]
        for row, printed in shown:
            for field, how in row.grants:
                kind = pack.resources[row.resource].fields[field].kind
                if kind in _counted(()):
                    one = Seen(role, row, field, kind, how, printed)
                    found.setdefault((role, row.id, field, how), one)
    return tuple(found.values())


def joins(seen: Iterable[Seen], known: Known | None = None) -> tuple[Join, ...]:
    """The join of these views, kind by kind; a kind of which nothing is seen is left out.

    A phone is counted in the city of `known`, else in every city. Raises InputError.
    """
    seen = tuple(seen)
    found = []
    for kind in dict.fromkeys(one.kind for one in seen):
        views = tuple(one for one in seen if one.kind is kind)
        profiles = tuple(sorted({one.how for one in views if one.how != CLEAR}))
        found.append(Join(kind, views, _counted(profiles, known)[kind]))
    return tuple(found)


def findings(pack: Pack) -> Iterator[tuple[Message, Where]]:
    """Where the pack falls short of the minimum that it states, for each role and coalition."""
    settings = pack.settings.masking
    if not settings.minimum:
        return
    stated: dict[str, tuple[Seen, ...]] = {}
    for role in pack.roles:
        masked = []
        for one in reach(pack, (role,)):
            if one.how != CLEAR or one.paper:
                masked.append(one)
            elif settings.clear is not None and role not in settings.clear.get(one.kind, ()):
                unstated = CLEAR_UNSTATED.of(row=one.row.id, role=role, field=one.field)
                yield unstated, at(pack, one.row)
        stated[role] = tuple(masked)
    for who in (*((role,) for role in pack.roles), *settings.coalitions):
        yield from _short(pack, who, tuple(one for role in who for one in stated[role]))


def _short(
    pack: Pack, who: tuple[str, ...], seen: tuple[Seen, ...]
) -> Iterator[tuple[Message, Where]]:
    for join in joins(seen):
        least = pack.settings.masking.minimum.get(join.kind, 1)
        if join.least < least:
            views = " + ".join(sorted({f"{one.row.id}.{one.field}={one.how}" for one in join.seen}))
            message = UNDER_MINIMUM.of(
                who=" + ".join(who),
                first=" --who ".join(who),
                kind=join.kind,
                left=join.least,
                least=least,
                views=views,
            )
            yield message, at(pack, _weakest(join).row)


def _weakest(join: Join) -> Seen:
    def alone(one: Seen) -> int:
        return 1 if one.how == CLEAR else _counted((one.how,))[one.kind].least

    return min(join.seen, key=alone)


def _overruled(pack: Pack, row: Row, rows: tuple[Row, ...]) -> bool:
    """Whether some deny row certainly says no to everything that this row allows."""
    return any(
        not deny.allow
        and (deny.resource, deny.action) == (row.resource, row.action)
        and always(pack, deny.relation)
        and (not deny.stages or (bool(row.stages) and {*row.stages} <= {*deny.stages}))
        for deny in rows
    )


@cache
def _counted(profiles: tuple[str, ...], known: Known | None = None) -> dict[Kind, FieldStrength]:
    return {one.field: one for one in strength(profiles, known, everywhere=True)}

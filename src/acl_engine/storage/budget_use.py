"""What is used of budgets: the statements that read counters, made once, and who counts as whom.

One row a counter and calendar day (Asia/Shanghai): 30 days and a year are sums of days, this day
included.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union,
    union_all,
)

from acl_engine.domain.budgets import DAYS, WHOLE, Use
from acl_engine.domain.pack_settings import BudgetLimit
from acl_engine.domain.ports import Clock
from acl_engine.domain.principal import Principal
from acl_engine.storage.database import Database
from acl_engine.storage.listed import Lists, on_both
from acl_engine.storage.prepared import Prepared
from acl_engine.storage.tables import (
    accounts,
    assignments,
    budget_counters,
    budget_reservations,
    devices,
    scans,
    units,
    waybills,
    work_items,
)

# China has had no summer time since 1991, so a fixed offset is its calendar.
_SHANGHAI = timezone(timedelta(hours=8))
DAY_SECONDS = 86_400
DAY = "day"
_c, _r = budget_counters.c, budget_reservations.c
_TODAY: ColumnElement[int] = bindparam("today")
_ZERO: ColumnElement[int] = literal_column("0")
# The rows that matter: days, and when each window was warned of.
_ROWS = (DAY, *(f"!{window}" for window in DAYS))


def _word(window: str) -> ColumnElement[str]:
    """A word of ours in the text itself: it is there thirty times, to be bound each time."""
    return literal_column(f"'{window}'")


def _since(days: int) -> ColumnElement[bool]:
    return _c.starts_at > _TODAY - literal_column(f"{days * DAY_SECONDS}")


def _sums(what: str, window: str) -> list[ColumnElement[int]]:
    """Of each window, the sum over the rows of its days."""
    return [
        func.sum(
            case(((_c.window == _word(window.format(name))) & _since(days), _c.used), else_=_ZERO)
        ).label(f"{what} {name}")
        for name, days in DAYS.items()
    ]


def _buckets(lists: Lists, window: str) -> Select[Any]:
    """Used and warned per window, of the counters that look back as far as `window`."""
    return (
        select(
            _c.counter,
            *_sums("used", DAY),
            *_sums("warned", "!{}"),
            *(_ZERO.label(name) for name in ("held", "dead")),
        )
        .where(
            lists.has(_c.counter, window),
            _c.window.in_([*map(_word, _ROWS)]),
            _since(DAYS[window]),
        )
        .group_by(_c.counter)
    )


def _reserved(lists: Lists) -> Select[Any]:
    """Set aside, and run out; what `_buckets` tells is nothing here."""
    nothing: list[ColumnElement[int]] = [
        _ZERO.label(f"{what} {name}") for what in _TOLD for name in DAYS
    ]
    return (
        select(
            _r.counter,
            *nothing,
            func.sum(case((_r.lease_until > bindparam("now"), _r.amount), else_=0)),
            func.sum(case((_r.lease_until <= bindparam("now"), 1), else_=0)),
        )
        .where(lists.has(_r.counter, "counters"))
        .group_by(_r.counter)
    )


def _counts(lists: Lists) -> CompoundSelect[Any]:
    return union_all(*(_buckets(lists, window) for window in DAYS), _reserved(lists))


_TOLD = ("used", "warned")
_USED = Prepared(on_both(_counts))

# The parcels somebody worked on: scanned, assigned to them, or of their ticket or claim. What a
# person assigned or opened for themselves explains no look.
_SINCE: ColumnElement[int] = bindparam("since")
_OTHERS: list[BindParameter[str]] = [bindparam("person"), bindparam("account")]
_HANDLED = Prepared(
    select(func.count().label("parcels")).select_from(
        union(
            select(scans.c.waybill).where(
                scans.c.account == bindparam("account"), scans.c.at >= _SINCE
            ),
            select(assignments.c.waybill).where(
                assignments.c.person == bindparam("person"),
                assignments.c.at >= _SINCE,
                assignments.c.sound,
                assignments.c.made_by.not_in(_OTHERS),
            ),
            select(waybills.c.id)
            .join(work_items, work_items.c.waybill_no == waybills.c.waybill_no)
            .where(
                work_items.c.holder == bindparam("account"),
                work_items.c.opened_at >= _SINCE,
                work_items.c.source != "",
                work_items.c.made_by.not_in(_OTHERS),
            ),
        ).subquery()
    )
)


@dataclass(slots=True)
class Counted:
    """What one counter holds: `used` and `warned` per window, what living reservations `hold`.

    `dead`: reservations whose lease ran out.
    """

    used: Mapping[str, int]
    warned: Mapping[str, int]
    held: int = 0
    dead: int = 0


_NOTHING = dict.fromkeys(DAYS, 0)


def counted(cx: Connection, spans: Mapping[str, str], today: int, now: int) -> dict[str, Counted]:
    """What each counter holds, in one statement. `spans`: how far each looks back, as a window."""
    found = {name: Counted(_NOTHING, _NOTHING) for name in spans}
    asked: dict[str, Any] = {window: [] for window in DAYS}
    for name, window in spans.items():
        asked[window].append(name)
    asked |= {"counters": list(spans), "today": today, "now": now}
    for row in _USED.all(cx, asked):
        one = found[row["counter"]]
        if row["held"] or row["dead"]:
            one.held, one.dead = int(row["held"]), int(row["dead"])
        else:
            one.used, one.warned = (
                {window: int(row[f"{what} {window}"]) for window in DAYS} for what in _TOLD
            )
    return found


def farthest(windows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """How far each counter looks back: of its (counter, window) pairs the longest window."""
    found: dict[str, str] = {}
    for counter, window in windows:
        found[counter] = max(window, found.get(counter, window), key=DAYS.__getitem__)
    return found


def handled(cx: Connection, account: str, person: str, window: str, today: int) -> int:
    """How many parcels this account and person worked on in the days of a window."""
    since = today - (DAYS[window] - 1) * DAY_SECONDS
    asked = {"account": account, "person": person, "since": since}
    found = _HANDLED.first(cx, asked)
    return int(found["parcels"]) if found else 0


def counter_of(limit: BudgetLimit, who: str) -> str:
    """The counter of a limit for an account, a person, a device or a unit."""
    what = {"looks": "", "persons": f"persons.{limit.data}:"}.get(limit.of, f"{limit.of}:")
    return f"{what}{limit.per}:{who}"


def who_is(principal: Principal, per: str) -> str:
    """Whose counter a look is charged to. Without a device all share one: it is the tightest."""
    who = {
        "account": principal.account,
        "person": principal.person,
        "device": principal.device,
        "unit": principal.unit,
    }[per]
    return who or "none"


def day_start(now: datetime) -> int:
    """The first second of this calendar day in China."""
    local = now.astimezone(_SHANGHAI)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


def scale(limit: BudgetLimit) -> int:
    """What one of a limit is in its counter."""
    return WHOLE if limit.of == "persons" else 1


def uses(
    database: Database, limits: Iterable[BudgetLimit], clock: Clock, who: Principal
) -> tuple[Use, ...]:
    """How much of each limit `who` has used; a part of `who` that is empty is not asked about."""
    asked = [(one, who_is(who, one.per)) for one in limits if getattr(who, one.per)]
    now = clock.now()
    today = day_start(now)
    spans = farthest((counter_of(one, whom), one.window) for one, whom in asked)
    found: list[Use] = []
    with database.read() as cx:
        counts = counted(cx, spans, today, int(now.timestamp()))
        for limit, whom in asked:
            count, unit = counts[counter_of(limit, whom)], scale(limit)
            parcels = (
                handled(cx, who.account, who.person, limit.window, today) if limit.per_parcel else 0
            )
            found.append(
                Use(limit, whom, count.used[limit.window] / unit, count.held / unit, parcels)
            )
    return tuple(found)


def account_of(database: Database, login: str) -> Principal | None:
    """The account behind a login, as budgets count it; None: there is none."""
    query = select(accounts.c.person, accounts.c.role).where(accounts.c.login == login)
    with database.read() as cx:
        row = cx.execute(query).first()
    return None if row is None else Principal(login, row.person or login, row.role, "", "")


def is_known(database: Database, per: str, who: str) -> bool:
    """Whether there is such a device, or such a unit."""
    table = {"device": devices, "unit": units}[per]
    with database.read() as cx:
        return cx.execute(select(table.c.id).where(table.c.id == who)).first() is not None

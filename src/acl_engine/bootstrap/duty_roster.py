"""The duty roster of approvals and the watch over them: what is unreviewed, who stamps.

INVARIANTS
- A line is made by an account administrator, on record, never for oneself or one's own maker.
- A desk cannot close ranks: a unit's desk is kept by its own people, a substitute is of another
  unit than every one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Act
from acl_engine.bootstrap.policies import policy_at
from acl_engine.domain.approvals import Duty, RosterLine, Stamping, Unreviewed
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Text
from acl_engine.storage.database import Database
from acl_engine.storage.duties import DutyStore

SAME_UNIT = Text(
    "duty.same-unit",
    "`{login}` 属于 `{unit}`：审批席位 `{desk}` 的当班人与替补不得同单位",
    "`{login}` is of `{unit}`: who keeps the desk `{desk}` and their substitutes share no unit",
    "指定其他单位的人员",
    "name somebody of another unit",
)
OTHER_UNIT = Text(
    "duty.other-unit",
    "审批席位 `{desk}` 由本单位人员当班，`{login}` 属于 `{unit}`",
    "the desk `{desk}` is kept by that unit's own people; `{login}` is of `{unit}`",
    "加 --substitute 作替补",
    "a person of another unit is a substitute: --substitute",
)
NO_DESK = Text(
    "duty.no-desk",
    "没有审批席位 `{desk}`",
    "there is no desk `{desk}`",
    "可用：{known}，或一个单位",
    "known: {known}, or a unit",
)
NOBODY = Text(
    "duty.nobody",
    "账号 `{login}` 不是在职人员的账号",
    "account `{login}` is not that of an active person",
    "acl account list",
    "acl account list",
)
NO_LINE = Text(
    "duty.no-line",
    "值班表没有编号为 {line} 的有效行",
    "the roster has no line {line} that is not over",
    "acl approval duty list",
    "acl approval duty list",
)
_UNIT = "unit"
# Fewer answers say nothing about how somebody answers; older ones nothing about now.
_ENOUGH, _DAY, _DAYS = 5, 86_400, 30


@dataclass(frozen=True, slots=True)
class Watched:
    """`overdue` was to be reviewed by now, `waiting` is due later; `stamps` answer faster than one
    can read, or agreed to what a review found wrong."""

    overdue: tuple[Unreviewed, ...]
    waiting: tuple[Unreviewed, ...]
    stamps: tuple[Stamping, ...]


class DutyAdministration:
    """The acts of `acl approval duty`, and `acl approval watch`. Close it by `with`."""

    def __init__(self, administration: Administration, pack: Pack, database: Database) -> None:
        """Use `open`."""
        self._administration = administration
        self._pack = pack
        self._database = database
        self._store = DutyStore(database)

    @classmethod
    def open(cls, url: str, policy: Path | None) -> "DutyAdministration":
        """Raises StoreError, ConfigError, PolicyError."""
        pack = policy_at(url, policy)
        return cls(Administration.open(url, pack), pack, Database.open(url))

    def __enter__(self) -> "DutyAdministration":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._administration.desk.close()

    def roster(self) -> Sequence[RosterLine]:
        return self._store.roster(self._now)

    def add(self, desk: str, login: str, hours: int, by: str, *, substitute: bool) -> None:
        """Put a person on duty from now on. Raises InputError, ChangeRefused."""
        account = self._administration.desk.account(login)
        if account is None or account.person is None or not account.active:
            raise InputError(NOBODY.of(login=login))
        act = Act("duty.add", (account.person,), by)
        self._administration.permit(act, account.person)
        self._fits(desk, login, account.unit, substitute=substitute)
        self._administration.desk.do(
            act,
            lambda now: self._store.add(
                Duty(desk, account.person or "", substitute, now, now + hours * 3600, by)
            ),
        )

    def end(self, line: int, by: str) -> None:
        """End a line now. Raises InputError, ChangeRefused."""
        found = next((one for one in self.roster() if one.id == line), None)
        if found is None:
            raise InputError(NO_LINE.of(line=line))
        act = Act("duty.end", (found.duty.person,), by)
        self._administration.permit(act, found.duty.person)
        self._administration.desk.do(act, lambda now: _done(self._store.end(line, now), line))

    def watch(self) -> Watched:
        """What has not been looked at, and who stamps, over the last thirty days."""
        now, settings = self._now, self._pack.settings.approvals
        quick = settings.stamp_seconds if settings else 0
        cases = self._store.unreviewed()
        return Watched(
            tuple(one for one in cases if one.due <= now),
            tuple(one for one in cases if one.due > now),
            tuple(
                one
                for one in self._store.stamping(now - _DAYS * _DAY)
                if one.found_wrong or (one.answers >= _ENOUGH and one.median_seconds < quick)
            ),
        )

    def _fits(self, desk: str, login: str, unit: str, *, substitute: bool) -> None:
        settings = self._pack.settings.approvals
        desks = {one.desk for one in settings.purposes.values()} if settings else set()
        units = {one.id for one in self._administration.desk.organisation.units()}
        if desk not in units | desks - {_UNIT}:
            raise InputError(NO_DESK.of(desk=desk, known=", ".join(sorted(desks - {_UNIT}))))
        own = {desk} if desk in units else set()
        if not substitute and own and unit not in own:
            raise InputError(OTHER_UNIT.of(login=login, desk=desk, unit=unit))
        lines = [one for one in self.roster() if one.duty.desk == desk]
        # Whoever comes is of another unit than all those on the other side.
        others = {one.unit for one in lines if one.duty.substitute != substitute}
        if unit in (others | own if substitute else others - own):
            raise InputError(SAME_UNIT.of(login=login, desk=desk, unit=unit))

    @property
    def _now(self) -> int:
        return self._administration.desk.now()


def _done(changed: bool, line: int) -> None:
    if not changed:
        raise InputError(NO_LINE.of(line=line))

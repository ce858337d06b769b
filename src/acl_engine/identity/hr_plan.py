"""An HR file against the directory: who joins, moves, leaves; what is refused, row by row.

The file says how things are to be, one row a person. Pure: over a snapshot, no I/O.

INVARIANTS
- All or nothing: one refused row, no plan.
- What the plan would make is held to the same rules as a single grant and as the whole directory.
- It sets no secret and lifts no suspension: a row that is active leaves a suspended account so.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from acl_engine.domain.staff import (
    AccountChange,
    Person,
    PersonChange,
    Staff,
    StaffAccount,
)
from acl_engine.domain.staff_plan import Difference, Finding, Joiner, Mover, Plan
from acl_engine.domain.text import Message, Text
from acl_engine.identity.joining import new_account
from acl_engine.identity.logins import refusal_of_login
from acl_engine.identity.responsibility import (
    CYCLE,
    NO_SPONSOR,
    NO_SUPERIOR,
    PERSON_LEFT,
    SELF,
    leads_back,
    refusal_of_grant,
)
from acl_engine.identity.standing import DAY, NO_ROLE, Rules

TWICE = Text(
    "hr-twice",
    "{what} `{name}` 出现在第 {first} 行和本行",
    "{what} `{name}` stands in row {first} and here",
    "只保留一行",
    "keep one row",
)
NO_UNIT = Text(
    "hr-no-unit",
    "没有单位 `{unit}`",
    "there is no unit `{unit}`",
    "检查写法，或用 `acl unit add` 新增",
    "check the spelling, or add it with `acl unit add`",
)
LOGIN_TAKEN = Text(
    "hr-login-taken",
    "登录名 `{login}` 属于他人",
    "the login `{login}` is somebody else's",
    "换一个登录名",
    "take another login",
)
OTHER_LOGIN = Text(
    "hr-other-login",
    "人员 `{person}` 已有账号 `{login}`",
    "person `{person}` has the account `{login}` already",
    "一人一号：写原登录名",
    "one person, one account: name that login",
)
PAST = Text(
    "hr-past",
    "期限 `{day}` 已过，但该行为在职",
    "the term ended on `{day}`, and the row says active",
    "改为 left，或写新的期限",
    "say left, or give a new term",
)
BACKWARDS = Text(
    "hr-backwards",
    "期限 `{ends}` 不晚于开始 `{starts}`",
    "the term ends on `{ends}`, before it starts on `{starts}`",
    "核对 starts 与 ends",
    "check starts and ends",
)
TERM = Text(
    "hr-term",
    "临时人员须有担保人和 {days} 天以内的期限",
    "temporary staff need a sponsor and a term within {days} days",
    "补上 sponsor 与 ends",
    "fill in sponsor and ends",
)
_ACTIVE, _LEFT = "active", "left"


@dataclass(frozen=True, slots=True)
class HrRow:
    """One row. Times are epoch seconds UTC; `superior`, `sponsor` None: nobody; `role` '': none."""

    row: int
    person: str
    name: str = field(repr=False)
    unit: str
    superior: str | None
    role: str
    login: str
    status: str
    kind: str = "regular"
    sponsor: str | None = None
    starts_at: int = 0
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class HrSetting:
    """What the rows are held to. `makers`: persons whom the importer has its rights from, and the
    importer's own. `absent_leave`: whoever is in no row has left."""

    rules: Rules
    units: frozenset[str]
    by: str
    own: str | None
    makers: frozenset[str]
    now: int
    absent_leave: bool


def plan_of(staff: Staff, rows: list[HrRow], setting: HrSetting) -> tuple[Plan, list[Finding]]:
    """The plan, and why it must not be done (none: it may)."""
    planner = _Planner(staff, setting)
    for row in rows:
        planner.take(row)
    if setting.absent_leave:
        planner.leave_the_absent({row.person for row in rows})
    planner.check_superiors(rows)
    return planner.plan(), sorted(planner.findings, key=lambda one: one.row)


class _Planner:
    def __init__(self, staff: Staff, setting: HrSetting) -> None:
        self._staff, self._setting = staff, setting
        self._people = {one.id: one for one in staff.persons}
        self._after: dict[str, Person] = dict(self._people)
        self._by_login = {one.login: one for one in staff.accounts}
        self._of: dict[str, list[StaffAccount]] = {}
        for one in staff.accounts:
            if one.person is not None:
                self._of.setdefault(one.person, []).append(one)
        self._seen: dict[tuple[str, str], int] = {}
        self._joiners: list[Joiner] = []
        self._movers: list[Mover] = []
        self._leavers: list[str] = []
        self._differences: list[Difference] = []
        self._unchanged = 0
        self.findings: list[Finding] = []

    def plan(self) -> Plan:
        return Plan(
            self._staff,
            tuple(self._joiners),
            tuple(self._movers),
            tuple(self._leavers),
            tuple(self._differences),
            self._unchanged,
        )

    def take(self, row: HrRow) -> None:
        refused = self._twice(row) or self._words(row)
        if refused is not None:
            self._refuse(row, refused)
            return
        known = self._people.get(row.person)
        if row.status == _LEFT:
            self._leave(known)
        elif known is not None and known.status == _LEFT:
            self._refuse(row, PERSON_LEFT.of(person=row.person))
        elif refused := self._grant(row):
            self._refuse(row, refused)
        else:
            self._keep(row, known)

    # --- what a row may say --------------------------------------------------------------------

    def _twice(self, row: HrRow) -> Message | None:
        for what, name in (("person", row.person), ("login", row.login)):
            first = self._seen.setdefault((what, name), row.row)
            if first != row.row:
                return TWICE.of(what=what, name=name, first=first)
        return None

    def _words(self, row: HrRow) -> Message | None:
        if row.status == _LEFT:
            own = self._by_login.get(row.login)
            stranger = own is not None and own.person != row.person
            return LOGIN_TAKEN.of(login=row.login) if stranger else None
        if row.unit not in self._setting.units:
            return NO_UNIT.of(unit=row.unit)
        if row.login not in self._by_login and (bad := refusal_of_login(row.login)):
            return bad
        return self._setting.rules.unknown_role(row.role or NO_ROLE, False) or self._term(row)

    def _term(self, row: HrRow) -> Message | None:
        now, days = self._setting.now, self._setting.rules.settings.temporary_days
        if row.ends_at is not None and row.ends_at <= now:
            return PAST.of(day=_day(row.ends_at))
        if row.ends_at is not None and row.ends_at <= row.starts_at:
            return BACKWARDS.of(starts=_day(row.starts_at), ends=_day(row.ends_at))
        if row.kind == "temporary":
            sponsor = self._people.get(row.sponsor or "")
            bound = row.ends_at is not None and row.ends_at <= max(now, row.starts_at) + days * DAY
            sponsored = sponsor is not None and sponsor.may_sponsor
            if not (bound and sponsored) or row.sponsor == row.person:
                return TERM.of(days=days)
        return None

    def _grant(self, row: HrRow) -> Message | None:
        """What the row would give, held to the rules of a single grant."""
        held = [one for one in self._of.get(row.person, ()) if one.status != _LEFT]
        own = self._by_login.get(row.login)
        if own is not None and (own.person != row.person or own.status == _LEFT or own.service):
            return LOGIN_TAKEN.of(login=row.login)
        for one in held:
            if one.login != row.login and not one.service:
                return OTHER_LOGIN.of(person=row.person, login=one.login)
        known = self._people.get(row.person)
        gives = own is None or (own.role, own.unit) != (row.role or NO_ROLE, row.unit)
        whose = replace(_person_change(known, _person(row, known)), name=None)
        mine = row.person in {self._setting.own, *self._setting.makers}
        if mine and (gives or whose != PersonChange()):
            return SELF.of()
        around = Staff((_person(row, known),), tuple(held), ())
        role, login = row.role or NO_ROLE, row.login
        return refusal_of_grant(around, self._setting.rules, row.person, role, login=login)

    # --- what it comes to ----------------------------------------------------------------------

    def _keep(self, row: HrRow, known: Person | None) -> None:
        person = _person(row, known)
        self._after[row.person] = person
        account = self._by_login.get(row.login)
        if account is None:
            self._join(row, person, known)
            return
        whose = _person_change(known, person)
        role = row.role or NO_ROLE
        changes = AccountChange(
            role=role if role != account.role else None,
            unit=row.unit if row.unit != account.unit else None,
            made_by=self._setting.by if role != account.role else None,
        )
        if (changes, whose) == (AccountChange(), PersonChange()):
            self._unchanged += 1
            return
        self._movers.append(Mover(row.person, row.login, changes, whose))
        self._say_moved(row, account, whose, changes)

    def _join(self, row: HrRow, person: Person, known: Person | None) -> None:
        by, now = self._setting.by, self._setting.now
        rules = self._setting.rules
        account = new_account(rules, row.login, person, row.role, row.unit, by, now)
        self._joiners.append(Joiner(account, None if known else person))
        if known is not None and (whose := _person_change(known, person)) != PersonChange():
            self._movers.append(Mover(row.person, None, AccountChange(), whose))
        what = f"{account.role} @ {account.unit}"
        self._differences.append(Difference("joins", row.person, row.login, "account", "", what))

    def _say_moved(
        self, row: HrRow, account: StaffAccount, whose: PersonChange, changes: AccountChange
    ) -> None:
        known = self._people[row.person]
        told = {
            "role": (account.role, changes.role),
            "unit": (account.unit, changes.unit),
            "superior": (known.superior or "", whose.superior),
            "name": ("", "" if whose.name is not None else None),
            "ends": (_day(known.ends_at), _day(whose.ends_at) if whose.ends_at else None),
            "kind": (known.kind, whose.kind),
            "sponsor": (known.sponsor or "", whose.sponsor),
        }
        for what, (old, new) in told.items():
            if new is not None:
                line = Difference("moves", row.person, row.login, what, old, new)
                self._differences.append(line)

    def _leave(self, known: Person | None) -> None:
        if known is None or known.status == _LEFT:
            self._unchanged += 1
            return
        self._leavers.append(known.id)
        self._after[known.id] = _gone(known)
        logins = " ".join(one.login for one in self._of.get(known.id, ()))
        self._differences.append(
            Difference("leaves", known.id, logins, "status", known.status, _LEFT)
        )

    def leave_the_absent(self, named: set[str]) -> None:
        for person in self._staff.persons:
            if person.id not in named and person.status != _LEFT:
                self._leave(person)

    # --- the whole of it -----------------------------------------------------------------------

    def check_superiors(self, rows: list[HrRow]) -> None:
        """Everyone who stays has one active superior above them, but for one head."""
        refused = {one.row for one in self.findings}
        heads = [p for p in self._after.values() if p.superior is None and p.status == _ACTIVE]
        many = len(heads) > 1
        for row in rows:
            if row.status == _LEFT or row.row in refused:
                continue
            person = self._after[row.person]
            above = self._after.get(person.superior or "")
            was = self._people.get(row.person)
            new_head = person.superior is None and (was is None or was.superior is not None)
            nobody = person.superior is not None and (above is None or above.status != _ACTIVE)
            if (new_head and many) or nobody:
                self._refuse(row, NO_SUPERIOR.of(person=row.person))
            elif row.kind == "temporary" and not self._sponsored(row):
                self._refuse(row, NO_SPONSOR.of(person=row.person))
            elif leads_back(person, self._after):
                self._refuse(row, CYCLE.of(person=row.person))

    def _sponsored(self, row: HrRow) -> bool:
        """Whether the sponsor is still one when the whole file is done."""
        sponsor = self._after.get(row.sponsor or "")
        return sponsor is not None and sponsor.may_sponsor

    def _refuse(self, row: HrRow, message: Message) -> None:
        self.findings.append(Finding(row.row, message))


def _person(row: HrRow, known: Person | None) -> Person:
    """The person as the row says, with what is on record of them."""
    return Person(
        id=row.person,
        name=row.name,
        unit=row.unit,
        superior=row.superior,
        status=known.status if known else _ACTIVE,
        kind=row.kind,
        sponsor=row.sponsor,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        signed=known.signed if known else None,
        signed_at=known.signed_at if known else 0,
        training=known.training if known else "",
        trained_at=known.trained_at if known else 0,
    )


def _person_change(known: Person | None, person: Person) -> PersonChange:
    if known is None:
        return PersonChange()
    return PersonChange(
        name=_new(known.name, person.name),
        unit=_new(known.unit, person.unit),
        superior=_new(known.superior or "", person.superior or ""),
        kind=_new(known.kind, person.kind),
        sponsor=_new(known.sponsor or "", person.sponsor or ""),
        starts_at=person.starts_at if person.starts_at != known.starts_at else None,
        ends_at=(person.ends_at or 0) if person.ends_at != known.ends_at else None,
    )


def _new(old: str, new: str) -> str | None:
    return new if new != old else None


def _gone(person: Person) -> Person:
    return replace(person, status=_LEFT)


def _day(at: int | None) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat() if at else ""

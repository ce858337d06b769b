"""Old accounts against the directory: whose each is, and which are frozen. Pure.

Nothing but names is taken over: no password hash, no right. A mapped account waits without a role,
and the role it had stands in the report; the matrix gives the new one. A shared, ownerless or
leaver's account is kept frozen, so that its login is nobody's again.
"""

from collections import Counter
from dataclasses import dataclass

from acl_engine.domain.staff import Person, Staff, StaffAccount
from acl_engine.domain.staff_plan import Difference, Finding, Joiner, Plan
from acl_engine.domain.text import Text
from acl_engine.identity.hr_plan import TWICE
from acl_engine.identity.logins import GENERIC, refusal_of_login
from acl_engine.identity.standing import NO_ROLE

HAS_ACCOUNT = "person has an account here"
SHARED = "shared by several"
GENERIC_NAME = "named after nobody"
OWNERLESS = "no such person"
LEAVER = "the person has left or is suspended"
DISABLED = "disabled in the old system"
SECOND = "the person's second account, used less lately"
_OFF = frozenset({"disabled", "locked", "left", "inactive"})


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """One old account. `persons`: the ids that the old system names as its users; `used` is a date
    as text, the newest kept when a person has several."""

    row: int
    login: str
    persons: tuple[str, ...]
    role: str
    unit: str
    status: str
    used: str


def legacy_plan(
    staff: Staff, rows: list[LegacyRow], head_unit: str, by: str, now: int
) -> tuple[Plan, list[Finding]]:
    """What an import would make; what cannot be a row at all. `head_unit`: where a frozen account
    is kept whose unit is not known."""
    people = {one.id: one for one in staff.persons}
    units = {one.unit for one in staff.persons} | {head_unit}
    held = {one.person for one in staff.accounts if one.person and one.status != "left"}
    findings = _unreadable(staff, rows)
    bad = {one.row for one in findings}
    good = [row for row in rows if row.row not in bad]
    newest = _newest(good, people)
    joiners: list[Joiner] = []
    differences: list[Difference] = []
    for row in good:
        why = _frozen(row, people, held, newest)
        person = None if why else people[row.persons[0]]
        unit = person.unit if person else row.unit if row.unit in units else head_unit
        joiners.append(Joiner(_account(row, person, unit, by, now)))
        kind = "frozen" if why else "joins"
        who = " ".join(row.persons)
        differences.append(Difference(kind, who, row.login, why or "mapped", row.role, NO_ROLE))
    return Plan(staff, tuple(joiners), (), (), tuple(differences), 0), findings


def _unreadable(staff: Staff, rows: list[LegacyRow]) -> list[Finding]:
    """Rows whose login is twice there, taken here, or can be none."""
    taken = {one.login for one in staff.accounts}
    first: dict[str, int] = {}
    found: list[Finding] = []
    for row in rows:
        bad = refusal_of_login(row.login)
        if bad is not None and bad.code != GENERIC.code:
            found.append(Finding(row.row, bad))
        elif row.login in taken:
            found.append(Finding(row.row, TAKEN.of(login=row.login)))
        elif first.setdefault(row.login, row.row) != row.row:
            twice = TWICE.of(what="login", name=row.login, first=first[row.login])
            found.append(Finding(row.row, twice))
    return found


def _newest(rows: list[LegacyRow], people: dict[str, Person]) -> dict[str, str]:
    """Person -> the login of theirs that was used last."""
    best: dict[str, LegacyRow] = {}
    for row in rows:
        if len(row.persons) == 1 and row.persons[0] in people and row.status not in _OFF:
            person = row.persons[0]
            if person not in best or row.used > best[person].used:
                best[person] = row
    return {person: row.login for person, row in best.items()}


def _frozen(
    row: LegacyRow, people: dict[str, Person], held: set[str], newest: dict[str, str]
) -> str:
    """Why the account is frozen, or ''."""
    if len(set(row.persons)) > 1:
        return SHARED
    if refusal_of_login(row.login) is not None:
        return GENERIC_NAME
    person = people.get(row.persons[0]) if row.persons else None
    if person is None:
        return OWNERLESS
    if person.status != "active":
        return LEAVER
    if row.status in _OFF:
        return DISABLED
    if person.id in held:
        return HAS_ACCOUNT
    return "" if newest.get(person.id) == row.login else SECOND


def _account(row: LegacyRow, person: Person | None, unit: str, by: str, now: int) -> StaffAccount:
    return StaffAccount(
        login=row.login,
        person=person.id if person else None,
        role=NO_ROLE,
        unit=unit,
        status="pending" if person else "suspended",
        service=False,
        outside=False,
        totp=False,
        epoch=0,
        made_by=by,
        created_at=now,
        changed_at=now,
        used_at=now,
        certified_at=now,
        certified_by=by,
        status_by=by,
    )


def counts(plan: Plan) -> Counter[str]:
    """How many of each fate."""
    return Counter(one.what for one in plan.differences)


TAKEN = Text(
    "legacy-login-taken",
    "登录名 `{login}` 在本系统已存在",
    "the login `{login}` exists here already",
    "从旧文件中去掉，或改名",
    "leave it out of the old file, or rename it",
)

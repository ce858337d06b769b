"""Importing people: a plan that is shown, then the same plan applied, whole or not at all.

INVARIANTS
- A file with one bad row changes nothing.
- What is applied is what was shown: the digest of a dry run is asked for.
- Each change is on record, by kind and person, before it is made.
"""

from collections.abc import Iterator

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Act
from acl_engine.bootstrap.own_secrets import NO_PASSWORD
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff_plan import Finding, Plan
from acl_engine.domain.text import Text
from acl_engine.identity.hr_plan import HrSetting, plan_of
from acl_engine.identity.legacy_plan import legacy_plan
from acl_engine.identity.staff_file import (
    HR_COLUMNS,
    HR_OPTIONAL,
    LEGACY_COLUMNS,
    LEGACY_IGNORED,
    LEGACY_OPTIONAL,
    hr_rows,
    legacy_rows,
    read_table,
)

OTHER_PLAN = Text(
    "import-other-plan",
    "计划摘要不符：文件或人员目录在试运行之后已改变",
    "this is not the plan that was shown: the file or the directory has changed since",
    "重新试运行，核对差异后再应用",
    "run it dry again, read the differences, then apply",
)
TOO_MANY_LEAVE = Text(
    "import-many-leave",
    "将有 {count} 人离职，超过在职人数的 {percent}%",
    "{count} people would leave, more than {percent} % of those who are here",
    "若属实，用 --leavers {count} 确认",
    "if that is so, confirm it with --leavers {count}",
)
NO_UNITS = Text(
    "import-no-units",
    "目录中没有任何单位",
    "the directory has no units",
    "先运行 `acl unit import`",
    "make them first: `acl unit import`",
)
# So much of a plan's digest is shown, and asked for: fewer would fit another plan as well.
DIGITS = 12
_MOST_LEAVE_PERCENT = 5
_FEW = 10
# Subjects a record: their digests stay well within the 64 KiB that a record may have.
_SUBJECTS = 500


class StaffImports:
    """The imports of one administrator, `by` login."""

    def __init__(self, administration: Administration, by: str) -> None:
        self._administration = administration
        self._desk = administration.desk
        self._directory = administration.desk.directory
        self._by = by

    def hr(
        self, data: bytes, file: str, *, encoding: str, absent_leave: bool
    ) -> tuple[Plan | None, list[Finding]]:
        """What an HR file would change. Raises InputError for a file that is none."""
        self._administration.permit(Act("account.import-hr", (), self._by), None)
        table = read_table(data, file, HR_COLUMNS, HR_OPTIONAL, encoding=encoding)
        rows, findings = hr_rows(table)
        maker = self._desk.account(self._by)
        setting = HrSetting(
            rules=self._desk.rules,
            units=frozenset(self._directory.units()),
            by=self._by,
            own=maker.person if maker else None,
            makers=frozenset(self._directory.makers(self._by)),
            now=self._desk.now(),
            absent_leave=absent_leave,
        )
        plan, refused = plan_of(self._directory.staff(), rows, setting)
        found = sorted([*findings, *refused], key=lambda one: one.row)
        return (None if found else plan), found

    def legacy(
        self, data: bytes, file: str, *, encoding: str
    ) -> tuple[Plan | None, list[Finding], tuple[str, ...]]:
        """What an old system's account list would make here; the columns that were not read."""
        self._administration.permit(Act("account.import-legacy", (), self._by), None)
        table = read_table(
            data, file, LEGACY_COLUMNS, LEGACY_OPTIONAL, encoding=encoding, ignore=LEGACY_IGNORED
        )
        staff = self._directory.staff()
        units = self._directory.units()
        if not units:
            raise InputError(NO_UNITS.of())
        head = "hq" if "hq" in units else units[0]
        now = self._desk.now()
        rows, unread = legacy_rows(table)
        plan, refused = legacy_plan(staff, rows, head, self._by, now)
        found = sorted([*unread, *refused], key=lambda one: one.row)
        return (None if found else plan), found, table.ignored

    def apply(self, plan: Plan, digest: str, kind: str, leavers: int | None = None) -> None:
        """Do what was shown. `digest`: of the dry run; `leavers`: how many are meant to leave."""
        if len(digest) < DIGITS or not plan.digest.startswith(digest):
            raise InputError(OTHER_PLAN.of())
        here = sum(one.status == "active" for one in plan.basis.persons)
        most = max(_FEW, here * _MOST_LEAVE_PERCENT // 100)
        if len(plan.leavers) > most and leavers != len(plan.leavers):
            count = len(plan.leavers)
            raise InputError(TOO_MANY_LEAVE.of(count=count, percent=_MOST_LEAVE_PERCENT))
        whole = Act(f"account.{kind}", (), self._by, digest=plan.digest)
        self._administration.permit(whole, None)
        for act in self._acts(plan):
            self._desk.note(act)
        self._desk.do(whole, lambda now: self._desk.plans.apply(plan, NO_PASSWORD, self._by, now))

    def _acts(self, plan: Plan) -> Iterator[Act]:
        parts = {
            "account.create": [one.account.login for one in plan.joiners],
            "account.move": [one.login or one.person for one in plan.movers],
            "person.leave": list(plan.leavers),
        }
        for action, subjects in parts.items():
            for some in _parts(subjects):
                yield Act(action, some, self._by, digest=plan.digest)


def _parts(subjects: list[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(subjects), _SUBJECTS):
        yield tuple(subjects[start : start + _SUBJECTS])

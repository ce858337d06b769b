"""What keeps an account in force: undertaking, training, confirmation, term of employment.

INVARIANTS
- A record that renews a right is made by another than its gainer, and names its maker in the log.
- An account is confirmed by the next level up alone: the nearest active superior of its person.
- What lapses is out at the next look by itself; `sweep` writes that down as a status.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Act
from acl_engine.domain.accounts import Account
from acl_engine.domain.errors import InputError
from acl_engine.domain.staff import (
    AccountChange,
    Person,
    PersonChange,
    Staff,
    StaffAccount,
    standing_of,
)
from acl_engine.domain.text import Text
from acl_engine.identity.standing import CONTROL, DAY, LAPSES, Lapse

OTHER_TEXT = Text(
    "standing-other-text",
    "所签文本与现行保密承诺书 `{version}` 不一致",
    "what was signed is not the text of the current undertaking `{version}`",
    "用 undertaking.md 的现行文本签署",
    "have the current text of undertaking.md signed",
)
NO_TEXT = Text(
    "standing-no-undertaking",
    "本策略没有保密承诺书",
    "this policy has no undertaking",
    "在 settings.yaml 的 accounts.undertaking 写明版本",
    "name its version under accounts.undertaking in settings.yaml",
)
FUTURE = Text(
    "standing-date",
    "日期 `{day}` 在将来，或早于一年前",
    "the date `{day}` is to come, or longer ago than it counts",
    "写实际日期",
    "give the day it happened",
)
NO_SPONSOR = Text(
    "standing-no-sponsor",
    "`{sponsor}` 不能作担保人：须为在职的正式员工",
    "`{sponsor}` cannot be a sponsor: an active, regular person is needed",
    "换一位担保人",
    "name another",
)
NOT_NEXT_LEVEL = Text(
    "standing-not-superior",
    "账号 `{login}` 只能由 `{superior}` 复核",
    "account `{login}` is confirmed by `{superior}` alone",
    "由上一级操作",
    "the next level up must do it",
)
TERM = Text(
    "standing-term",
    "临时用工期限须在今天之后、{days} 天以内",
    "a temporary term ends after today and within {days} days",
    "改短 --until",
    "shorten --until",
)


@dataclass(frozen=True, slots=True)
class Swept:
    """One account that was, or would be, suspended; or a person whose term has ended."""

    login: str
    person: str | None
    lapse: Lapse


class AccountStanding:
    """The acts on an administration's desk that keep accounts in force."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._desk = administration.desk
        self._rules = administration.desk.rules
        self._directory = administration.desk.directory

    def sign(self, person: str, text: bytes | None, signed_at: int, by: str) -> list[str]:
        """The person has signed the current undertaking. `text`: the file that they signed, if it
        is at hand: it must be the current one. Gives the logins that are in force now."""
        current = self._rules.undertaking
        if current is None:
            raise InputError(NO_TEXT.of())
        if text is not None and _digest(text) != current.digest:
            raise InputError(OTHER_TEXT.of(version=current.version))
        self._dated(signed_at)
        act = Act("person.undertaking", (person,), by, current.version, current.digest)
        change = PersonChange(signed=current, signed_at=signed_at, renews=True)
        return self._renew(act, person, change)

    def train(self, person: str, course: str, trained_at: int, by: str) -> list[str]:
        """The person has taken a course. Gives the logins that are in force now."""
        self._dated(trained_at)
        act = Act("person.training", (person,), by)
        change = PersonChange(training=course, trained_at=trained_at, renews=True)
        return self._renew(act, person, change)

    def extend(self, person: str, until: int, sponsor: str | None, by: str) -> None:
        """A later (or earlier) end of employment, and who answers for it."""
        act = Act("person.extend", (person,), by)
        self._permit(act, person)
        whose = _person(self._directory.of_person(person), person)
        if whose.kind == "temporary":
            self._term(until)
        if sponsor is not None:
            self._sponsor(sponsor)
        later = whose.ends_at is not None and until >= whose.ends_at
        change = PersonChange(ends_at=until, sponsor=sponsor, renews=later)
        self._desk.do(act, lambda now: self._directory.change_person(person, change, now))

    def certify(self, login: str, by: str) -> None:
        """The next level up confirms the account as it stands. Raises ChangeRefused."""
        staff = self._directory.around(login)
        account = next(one for one in staff.accounts if one.login == login)
        act = Act("account.recertify", (login,), by)
        self._desk.independent(act, account.person)
        chief = _chief({one.id: one for one in staff.persons}, account.person)
        certifier, head = self._desk.account(by), self._rules.settings.head_confirmed_by
        active = certifier is not None and certifier.active
        is_chief = chief is not None and certifier is not None and certifier.person == chief
        is_head = chief is None and certifier is not None and certifier.role == head
        if not (active and (is_chief or is_head)):
            self._desk.refuse(act, NOT_NEXT_LEVEL.of(login=login, superior=chief or head))
        self._certifier_in_force(act, certifier)
        self._desk.do(act, lambda now: self._directory.certify(login, by, now))
        if account.person is not None:
            self._activate(account.person, by)

    def due(self, superior: str, within_days: int) -> list[StaffAccount]:
        """The accounts that this person has to confirm in the next days, the most urgent first."""
        staff = self._directory.staff()
        people = {one.id: one for one in staff.persons}
        until = self._desk.now() + within_days * DAY - self._rules.settings.recertify_days * DAY
        mine = [
            one
            for one in staff.accounts
            if one.status in ("active", "pending", "suspended")
            and not one.outside
            and one.certified_at <= until
            and _chief(people, one.person) == superior
        ]
        return sorted(mine, key=lambda one: (one.certified_at, one.login))

    def lapsed(self) -> list[Swept]:
        """Accounts with an active status that are out of force, and why (the first reason)."""
        staff = self._directory.staff()
        people = {one.id: one for one in staff.persons}
        found: list[Swept] = []
        for one in staff.accounts:
            if one.status == "active" and not one.outside:
                standing = standing_of(one, people.get(one.person or ""))
                lacking = self._rules.lacking(standing, one.service, self._desk.now())
                if lacking and lacking[0] is not Lapse.NOT_STARTED:
                    found.append(Swept(one.login, one.person, lacking[0]))
        return found

    def sweep(self, by: str) -> list[Swept]:
        """Suspend what has lapsed; let go whose term has ended."""
        found = self.lapsed()
        for one in found:
            if one.lapse is Lapse.ENDED and one.person is not None:
                self._administration.leave(one.person, by)
            else:
                self._administration.suspend(one.login, by, one.lapse)
        return found

    def temporary(self, person: Person, login: str, role: str, course: str, by: str) -> str:
        """Peak-season staff in one step and one transaction: person, undertaking, training and
        account, for a term, answered for by a sponsor. Gives the status."""
        self._term(person.ends_at or 0)
        self._sponsor(person.sponsor or "")
        now, current = self._desk.now(), self._rules.undertaking
        records = [Act("person.training", (person.id,), by)]
        person = replace(person, training=course, trained_at=now)
        if current is not None:
            person = replace(person, signed=current, signed_at=now)
            signed = (current.version, current.digest)
            records.append(Act("person.undertaking", (person.id,), by, *signed))
        return self._administration.join(login, person, role, by, *records)

    # --- inside --------------------------------------------------------------------------------

    def _certifier_in_force(self, act: Act, certifier: Account | None) -> None:
        """Who lapsed confirms nobody; but for their own missing confirmation: two who confirm each
        other, the head and the auditor, would else shut one another out on the same day."""
        lapses = self._rules.lapses(certifier, self._desk.now()) if certifier else ()
        for lapse in lapses:
            if lapse is not Lapse.RECERTIFICATION:
                self._desk.refuse(act, LAPSES[lapse].of(login=act.by), CONTROL)

    def _permit(self, act: Act, person: str) -> None:
        self._desk.permit(act, self._rules.settings.administrators, person)

    def _renew(self, act: Act, person: str, change: PersonChange) -> list[str]:
        self._permit(act, person)
        self._desk.do(act, lambda now: self._directory.change_person(person, change, now))
        return self._activate(person, act.by)

    def _activate(self, person: str, by: str) -> list[str]:
        """What was only waiting for this record comes into force."""
        staff = self._directory.of_person(person)
        whose, now = _person(staff, person), self._desk.now()
        waiting = [
            one.login
            for one in staff.accounts
            if (one.person, one.status) == (person, "pending")
            and not self._rules.lacking(standing_of(one, whose), one.service, now)
        ]
        for login in waiting:
            act = Act("account.activate", (login,), by)
            self._desk.do(act, partial(self._directory.change_account, login, _in_force(by, now)))
        return waiting

    def _dated(self, at: int) -> None:
        now, days = self._desk.now(), max(1, self._rules.settings.training_days)
        if not now - days * DAY < at <= now:
            raise InputError(FUTURE.of(day=datetime.fromtimestamp(at, UTC).date()))

    def _term(self, until: int) -> None:
        now, days = self._desk.now(), self._rules.settings.temporary_days
        if not now < until <= now + days * DAY:
            raise InputError(TERM.of(days=days))

    def _sponsor(self, sponsor: str) -> None:
        """Raises InputError unless this is an active, regular person."""
        found = _person(self._directory.of_person(sponsor), sponsor)
        if not found.may_sponsor:
            raise InputError(NO_SPONSOR.of(sponsor=sponsor))


def _person(staff: Staff, person: str) -> Person:
    return next(one for one in staff.persons if one.id == person)


def _in_force(by: str, now: int) -> AccountChange:
    return AccountChange(status="active", status_by=by, used_at=now)


def _chief(people: Mapping[str, Person], person: str | None) -> str | None:
    """The nearest active superior of a person, or None: nobody is above them."""
    seen: set[str | None] = {person}
    above = people.get(person or "")
    while above is not None:
        if above.superior in seen:
            return None
        seen.add(above.superior)
        above = people.get(above.superior or "")
        if above is not None and above.status == "active":
            return above.id
    return None


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()

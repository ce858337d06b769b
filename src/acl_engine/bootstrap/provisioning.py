"""Provisioning by a service of the company's own: joiner, mover, leaver, role by role.

INVARIANTS
- The service is the maker of what it does: an active `provisioner`, on record before each act.
- It gives only the roles that the policy lets it give, and lifts no suspension but its own.
- A change is one transaction, refused if the account has changed since it was read.
"""

from dataclasses import replace

from acl_engine.bootstrap.administration import Administration, refuse_login
from acl_engine.bootstrap.desk import Act
from acl_engine.bootstrap.own_secrets import NO_PASSWORD
from acl_engine.domain.errors import InputError
from acl_engine.domain.provisioning import Entry, Group, ProvisionStore, Wanted
from acl_engine.domain.staff import (
    AccountChange,
    Judge,
    Person,
    PersonChange,
    Staff,
    StaffAccount,
)
from acl_engine.domain.text import Text
from acl_engine.identity.joining import new_account, waiting
from acl_engine.identity.standing import NO_ROLE
from acl_engine.storage.staff import TAKEN
from acl_engine.storage.staff_devices import NO_ACCOUNT

NOT_ITS_SUSPENSION = Text(
    "provisioning-suspended-by-another",
    "账号 `{login}` 由他人停用，人事同步不能恢复",
    "account `{login}` was suspended by another: provisioning does not resume it",
    "由账号管理员运行 `acl account resume`",
    "an account administrator runs `acl account resume`",
)
IMMUTABLE = Text(
    "provisioning-immutable",
    "账号 `{login}` 的登录名与人员不可更改",
    "the login and the person of account `{login}` do not change",
    "离职后重新创建",
    "let it leave and create another",
)
OTHER_GROUP = Text(
    "provisioning-role-group",
    "组 `{name}` 由角色决定，不能改名、删除",
    "the group `{name}` is a role's: it is neither renamed nor dropped",
    "只改其成员",
    "change its members only",
)


class Provisioning:
    """The acts of one provisioning service; `by` is its login."""

    def __init__(self, administration: Administration, store: ProvisionStore, by: str) -> None:
        self._administration = administration
        self._desk = administration.desk
        self._directory = administration.desk.directory
        self.store = store
        self._by = by

    # --- accounts ------------------------------------------------------------------------------

    def join(self, wanted: Wanted) -> Entry:
        """A new person with an account, or a first account for a person who is there."""
        act = Act("account.create", (wanted.login,), self._by)
        refuse_login(wanted.login)
        if self._desk.account(wanted.login) is not None:
            raise InputError(TAKEN.of(name=wanted.login))
        known = self._known(wanted.person)
        person = Person(
            wanted.person, wanted.name, wanted.unit, self._chief(wanted.superior), "active"
        )
        alone = None if known else Staff((person,), (), ())
        judge = self._administration.grant(act, wanted.person, wanted.role, alone=alone)
        self._administration.unit(wanted.unit)
        self._administration.above(act, person.id, person.superior)
        owner, now = known or person, self._desk.now()
        account = new_account(
            self._desk.rules, wanted.login, owner, wanted.role, wanted.unit, self._by, now
        )
        account = replace(account, external_id=wanted.external_id)
        if not wanted.active:
            account = replace(account, status="suspended")
        new = None if known else person
        self._desk.do(act, lambda _: self._directory.add_account(account, NO_PASSWORD, judge, new))
        return self.found(wanted.login)

    def change(self, entry: Entry, wanted: Wanted) -> Entry:
        """The account as wanted, in one transaction; `entry` is what the change starts from. What
        changes nothing ends no session: a nightly sync says everything again."""
        account, person = entry.account, entry.person
        if wanted == _as_it_is(entry):
            return entry
        if (wanted.login, wanted.person) != (account.login, person.id):
            raise InputError(IMMUTABLE.of(login=account.login))
        act = Act("account.provision", (account.login,), self._by)
        self._administration.permit(act, person.id)
        role = wanted.role if wanted.role != account.role else None
        unit = wanted.unit if wanted.unit != account.unit else None
        judge = None
        if role is not None or unit is not None:
            judge = self._moved(act, account, wanted)
        superior = self._superior(act, entry, wanted)
        status = self._status(act, entry, wanted.active)
        changes = AccountChange(
            role=role,
            unit=unit,
            made_by=self._by if role else None,
            status=status,
            status_by=self._by if status else None,
            used_at=self._desk.now() if status in ("active", "pending") else None,
            external_id=wanted.external_id or "",
            if_epoch=account.epoch,
        )
        name = wanted.name if wanted.name != person.name else None
        persons = PersonChange(name=name, superior=superior)
        whose = persons if name is not None or superior is not None else None
        self._desk.do(
            act,
            lambda now: self._directory.change_account(account.login, changes, now, judge, whose),
        )
        return self.found(account.login)

    def leave(self, entry: Entry) -> None:
        """The person has left: account, sessions, devices. Whoever they are: it gives nothing."""
        act = Act("person.leave", (entry.person.id,), self._by)
        self._administration.permit(act, entry.person.id)
        self._desk.do(act, lambda now: self._directory.leave(entry.person.id, self._by, now))

    def found(self, login: str) -> Entry:
        """Raises InputError when there is none."""
        entry = self.store.entry(login)
        if entry is None:
            raise InputError(NO_ACCOUNT.of(name=login))
        return entry

    # --- groups --------------------------------------------------------------------------------

    def role_groups(self) -> tuple[str, ...]:
        """The roles that are groups: all that staff may have."""
        return tuple(self._desk.rules.grantable(False))

    def set_members(self, role: str, members: frozenset[str]) -> None:
        """Give the role to those who lack it; take it from those who are no longer named. All is
        judged before anything is changed."""
        held = {login for login, _ in self.store.holders(role)}
        joining = [self.found(login) for login in sorted(members - held)]
        leaving = [self.found(login) for login in sorted(held - members)]
        for entry, goal in [(e, role) for e in joining] + [(e, NO_ROLE) for e in leaving]:
            act = Act("account.provision", (entry.account.login,), self._by)
            self._moved(act, entry.account, _with_role(entry, goal))
        for entry in joining:
            self.change(entry, _with_role(entry, role))
        for entry in leaving:
            self.change(entry, _with_role(entry, NO_ROLE))

    def put_group(self, group: Group, expected: str | None) -> None:
        """One of the provisioning system's own groups: it gives no right."""
        if group.name in self.role_groups():
            raise InputError(OTHER_GROUP.of(name=group.name))
        act = Act("group.change", (group.id,), self._by)
        self._administration.permit(act, None)
        self._desk.do(act, lambda _: self.store.put_group(group, expected))

    def drop_group(self, group: Group) -> None:
        if group.role is not None:
            raise InputError(OTHER_GROUP.of(name=group.name))
        act = Act("group.drop", (group.id,), self._by)
        self._administration.permit(act, None)
        self._desk.do(act, lambda _: self.store.drop_group(group.id, group.version))

    def now(self) -> int:
        return self._desk.now()

    # --- inside --------------------------------------------------------------------------------

    def _moved(self, act: Act, account: StaffAccount, wanted: Wanted) -> Judge:
        """Both what is taken and what is given must be the service's to give."""
        self._administration.unit(wanted.unit)
        if account.role != wanted.role:
            self._administration.grant(act, account.person or "", account.role, account)
        return self._administration.grant(act, account.person or "", wanted.role, account)

    def _superior(self, act: Act, entry: Entry, wanted: Wanted) -> str | None:
        """The new superior's person, '' for nobody, None: no change."""
        if wanted.superior == entry.superior:
            return None
        chief = self._chief(wanted.superior)
        self._administration.above(act, entry.person.id, chief)
        return chief or ""

    def _status(self, act: Act, entry: Entry, active: bool) -> str | None:
        """The new status, None: no change. Only its own suspension is lifted."""
        account = entry.account
        if active == (account.status != "suspended"):
            return None
        if not active:
            return "suspended"
        if account.status_by != self._by:
            self._desk.refuse(act, NOT_ITS_SUSPENSION.of(login=account.login))
        now = self._desk.now()
        again = replace(account, status="active", used_at=now)
        return waiting(self._desk.rules, again, entry.person, now).status

    def _chief(self, login: str | None) -> str | None:
        return None if login is None else self.found(login).person.id

    def _known(self, person: str) -> Person | None:
        try:
            staff = self._directory.of_person(person)
        except InputError:
            return None
        return next(one for one in staff.persons if one.id == person)


def _with_role(entry: Entry, role: str) -> Wanted:
    return replace(_as_it_is(entry), role=role)


def _as_it_is(entry: Entry) -> Wanted:
    account, person = entry.account, entry.person
    return Wanted(
        login=account.login,
        person=person.id,
        name=person.name,
        unit=account.unit,
        superior=entry.superior,
        role=account.role,
        active=account.status != "suspended",
        external_id=account.external_id,
    )

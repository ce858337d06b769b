"""Administering accounts: joiner, mover, leaver. How a person sets secrets is in `own_secrets`.

INVARIANTS
- Each act goes over the desk: allowed to its maker, on record before it is done.
- A grant is judged before it is recorded, and again inside the transaction that makes it.
"""

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.bootstrap.device_administration import DeviceAdministration
from acl_engine.bootstrap.own_secrets import NO_PASSWORD, OwnSecrets
from acl_engine.domain.accounts import Undertaking
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.staff import (
    DETECTION,
    AccountChange,
    Judge,
    Person,
    PersonChange,
    Staff,
    StaffAccount,
    standing_of,
)
from acl_engine.domain.text import Message, Text
from acl_engine.identity.hr_plan import NO_UNIT
from acl_engine.identity.joining import new_account
from acl_engine.identity.logins import refusal_of_login
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.responsibility import SHARED, findings, leads_back, refusal_of_grant
from acl_engine.identity.standing import LAPSES, NO_ROLE, Lapse
from acl_engine.storage.staff import TAKEN

GONE = Text(
    "administration-left",
    "账号 `{login}` 已离职，不能恢复",
    "account `{login}` has left, and is not resumed",
    "重新入职须新建账号",
    "a person who comes back gets a new account",
)
NOT_LEFT = Text(
    "administration-not-left",
    "人员 `{person}` 没有离职",
    "person `{person}` has not left",
    "无需重新入职",
    "there is nobody to hire again",
)
NOBODY_ABOVE = Text(
    "administration-superior",
    "`{superior}` 不能作 `{person}` 的上级：不在职，或上级链会回到本人",
    "`{superior}` cannot be the superior of `{person}`: not active, or the chain would lead back",
    "指定在职的上级",
    "name an active person further up",
)
NOT_GIVEN = Text(
    "administration-not-provisioned",
    "人事同步服务不能授予或调动角色 `{role}`",
    "the provisioning service neither gives nor moves the role `{role}`",
    "由账号管理员操作",
    "an account administrator must do it",
)
FROZEN = Text(
    "administration-frozen",
    "账号 `{login}` 因告警冻结，恢复须写明理由",
    "an alert froze account `{login}`: it is resumed for a reason",
    "--reason {reasons}",
    "--reason {reasons}",
)
OUTSIDER = Text(
    "administration-outsider",
    "账号 `{login}` 属于客户或商家，不能改任角色 `{role}`",
    "account `{login}` is a customer's or a merchant's: it is never given the role `{role}`",
    "为该员工新建账号",
    "create an account for the person of the company",
)
# Why an account that an alert froze is let in again: words, as the log holds no sentences.
CLEARED = ("false-alarm", "explained", "secrets-renewed", "device-returned")


class Administration:
    """The acts of `acl account` over one database. `by` is the login of who acts."""

    def __init__(self, desk: Desk, passwords: Passwords, *, provisioning: bool = False) -> None:
        """`provisioning`: for the HR service, which gives some roles only."""
        self.desk = desk
        self.devices = DeviceAdministration(desk)
        self._directory = desk.directory
        self._rules = desk.rules
        settings = desk.rules.settings
        self._roles = (settings.provisioner,) if provisioning else settings.administrators
        self.secrets = OwnSecrets(desk, passwords, self._roles)
        self._gives = frozenset({NO_ROLE, *settings.provisions}) if provisioning else None

    @classmethod
    def open(cls, url: str, pack: Pack) -> "Administration":
        """Open a database under a pack's rules."""
        desk = Desk.open(url, pack)
        return cls(desk, Passwords.synthetic() if desk.synthetic else Passwords.production())

    def __enter__(self) -> "Administration":
        return self

    def __exit__(self, *_: object) -> None:
        self.desk.close()

    # --- reading -------------------------------------------------------------------------------

    def staff(self) -> Staff:
        return self._directory.staff()

    def audit(self) -> list[Message]:
        """Everything in the directory that breaks a rule."""
        return list(findings(self.staff(), self._rules, self.desk.now()))

    def account(self, login: str) -> StaffAccount:
        """Raises InputError when there is none."""
        return next(one for one in self._directory.around(login).accounts if one.login == login)

    # --- accounts ------------------------------------------------------------------------------

    def hire(self, person: Person, by: str) -> None:
        act = Act("person.hire", (person.id,), by)
        self.permit(act, person.id)
        self.unit(person.unit)
        self.above(act, person.id, person.superior)
        self.desk.do(act, lambda now: self._directory.add_person(person))

    def create(
        self, login: str, person: str, role: str, unit: str, by: str, *, purpose: str = ""
    ) -> str:
        """An account without a password: its person sets one. With a `purpose` it is a service,
        which `person` owns and a device's key opens. Gives its status: active, or pending until
        undertaking and training are on record. Raises ChangeRefused for a forbidden grant."""
        act = Act("account.create", (login,), by)
        self._free(login)
        judge = self.grant(act, person, role, service=bool(purpose))
        self.unit(unit)
        owner = next(one for one in self._directory.of_person(person).persons if one.id == person)
        account = new_account(
            self._rules, login, owner, role, unit, by, self.desk.now(), purpose=purpose
        )
        password = "" if purpose else NO_PASSWORD
        self.desk.do(act, lambda _: self._directory.add_account(account, password, judge))
        return account.status

    def join(self, login: str, person: Person, role: str, by: str, *records: Act) -> str:
        """A new person with their account in one transaction. `records`: what else is true of the
        person from the first day, and goes on record with it. Gives the account's status."""
        act = Act("account.create", (login,), by)
        self._free(login)
        if self._directory.is_person(person.id):
            raise InputError(TAKEN.of(name=person.id))
        alone = Staff((person,), (), ())
        judge = self.grant(act, person.id, role, alone=alone)
        self.unit(person.unit)
        self.above(act, person.id, person.superior)
        account = new_account(self._rules, login, person, role, person.unit, by, self.desk.now())
        for one in (Act("person.hire", (person.id,), by), *records):
            self.desk.note(one)
        self.desk.do(
            act, lambda _: self._directory.add_account(account, NO_PASSWORD, judge, person)
        )
        return account.status

    def _free(self, login: str) -> None:
        """Raise InputError for a login that cannot be, or is taken."""
        refuse_login(login)
        if self.desk.account(login) is not None:
            raise InputError(TAKEN.of(name=login))

    def move(self, login: str, role: str | None, unit: str | None, by: str) -> None:
        """Another role or unit: the old rights end at once."""
        account = self.account(login)
        act = Act("account.move", (login,), by)
        judge = self.grant(act, account.person or "", role or account.role, account)
        self.unit(unit or account.unit)
        change = AccountChange(role=role, unit=unit, made_by=by if role else None)
        self._change(act, login, change, judge)

    def suspend(self, login: str, by: str, reason: str = "") -> None:
        """What an alert froze stays frozen by it."""
        frozen = self._frozen(self.account(login))
        act = Act("account.suspend", (login,), by, reason)
        self.permit(act, None)
        status_by = None if frozen else by
        self._change(act, login, AccountChange(status="suspended", status_by=status_by))

    def resume(self, login: str, by: str, reason: str = "") -> None:
        """Active again, if nothing is lacking but recent use; of what an alert froze, for one of
        `CLEARED`. Raises ChangeRefused, InputError."""
        account = self.account(login)
        if reason not in (CLEARED if self._frozen(account) else ("", *CLEARED)):
            raise InputError(FROZEN.of(login=login, reasons=" / ".join(CLEARED)))
        act = Act("account.resume", (login,), by, reason)
        if account.status == "left":
            self.desk.refuse(act, GONE.of(login=login))
        judge = self.grant(act, account.person or "", account.role, account)
        now = self.desk.now()
        if not account.outside:
            self.in_force(act, account, now)
        self._change(act, login, AccountChange(status="active", status_by=by, used_at=now), judge)

    def leave(self, person: str, by: str) -> None:
        """The person has left: all accounts, sessions and devices with them."""
        act = Act("person.leave", (person,), by)
        self.permit(act, None)
        self.desk.do(act, lambda now: self._directory.leave(person, by, now))

    def rehire(self, person: str, by: str) -> None:
        """A person who left comes back: to sign and be trained anew, with a new account."""
        act = Act("person.rehire", (person,), by)
        self.permit(act, person)
        whose = next(one for one in self._directory.of_person(person).persons if one.id == person)
        if whose.status != "left":
            raise InputError(NOT_LEFT.of(person=person))
        nothing = Undertaking("", "")
        change = PersonChange(
            status="active", signed=nothing, signed_at=0, training="", trained_at=0
        )
        self.desk.do(act, lambda now: self._directory.change_person(person, change, now))

    def set_superior(self, person: str, superior: str, by: str) -> None:
        act = Act("person.superior", (person,), by)
        self.permit(act, person)
        self.above(act, person, superior)
        change = PersonChange(superior=superior)
        self.desk.do(act, lambda now: self._directory.change_person(person, change, now))

    # --- inside --------------------------------------------------------------------------------

    @staticmethod
    def _frozen(account: StaffAccount) -> bool:
        return (account.status, account.status_by) == ("suspended", DETECTION)

    def permit(self, act: Act, person: str | None) -> None:
        self.desk.permit(act, self._roles, person)

    def grant(
        self,
        act: Act,
        person: str,
        role: str,
        account: StaffAccount | None = None,
        *,
        service: bool = False,
        alone: Staff | None = None,
    ) -> Judge:
        """Judge a grant before it is recorded; what is returned judges it in the transaction.
        `alone`: the person as they come with the account."""
        self.permit(act, person)
        service = account.service if account else service
        outside = account is not None and self._keeps_outside(act, account, role)
        if not outside and (unknown := self._rules.unknown_role(role, service)):
            raise InputError(unknown)
        if self._gives is not None and role not in self._gives:
            self.desk.refuse(act, NOT_GIVEN.of(role=role))

        def judge(staff: Staff) -> Message | None:
            login = account.login if account else None
            return refusal_of_grant(staff, self._rules, person, role, login=login, service=service)

        if person and (refusal := judge(alone or self._directory.of_person(person))):
            self.desk.refuse(act, refusal)
        return judge

    def _keeps_outside(self, act: Act, account: StaffAccount, role: str) -> bool:
        """Whether the account is an outsider's, who keeps the role they have. Neither device nor
        standing is asked of them: with a role of the company they would be in without either.
        Raises ChangeRefused for that, and for a right of an account that is nobody's."""
        if not account.outside:
            if not account.person:
                self.desk.refuse(act, SHARED.of(login=account.login))
            return False
        if role != account.role:
            self.desk.refuse(act, OUTSIDER.of(login=account.login, role=role))
        return True

    def unit(self, unit: str) -> None:
        """Raise InputError when there is no such unit."""
        if unit not in self._directory.units():
            raise InputError(NO_UNIT.of(unit=unit))

    def above(self, act: Act, person: str, superior: str | None) -> None:
        """A superior is active and not below."""
        if superior is None:
            return
        above = {one.id: one for one in self._directory.of_person(superior).persons}
        circle = person in above or leads_back(above[superior], above)
        if circle or above[superior].status != "active":
            self.desk.refuse(act, NOBODY_ABOVE.of(superior=superior, person=person))

    def in_force(self, act: Act, account: StaffAccount, now: int) -> None:
        staff = self._directory.around(account.login)
        owner = next((one for one in staff.persons if one.id == account.person), None)
        for lapse in self._rules.lacking(standing_of(account, owner), account.service, now):
            if lapse is not Lapse.DORMANT:
                self.desk.refuse(act, LAPSES[lapse].of(login=account.login))

    def _change(
        self, act: Act, login: str, change: AccountChange, judge: Judge | None = None
    ) -> None:
        self.desk.do(act, lambda now: self._directory.change_account(login, change, now, judge))


def refuse_login(login: str) -> None:
    """Raise InputError for what cannot be a login, or names nobody in particular."""
    if refusal := refusal_of_login(login):
        raise InputError(refusal)

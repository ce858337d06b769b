"""The card of one account: everything that its responsible superior must be able to say."""

from dataclasses import asdict, dataclass
from typing import Any

from acl_engine.bootstrap.administration import Administration
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack, Row
from acl_engine.domain.staff import Person, Staff, StaffAccount, standing_of
from acl_engine.domain.text import Text
from acl_engine.identity.standing import Lapse
from acl_engine.policy.pack_checks import closure

NO_ACCOUNT = Text(
    "responsibility-no-account",
    "人员 `{person}` 没有账号",
    "person `{person}` has no account",
    "用 `acl account create` 创建",
    "make one with `acl account create`",
)


@dataclass(frozen=True, slots=True)
class Card:
    """Times are epoch seconds UTC, 0 or None: never. `rights`: one row of the policy each."""

    login: str
    status: str
    person: str
    superior: str
    role: str
    unit: str
    totp: bool
    devices: tuple[str, ...]
    rights: tuple[str, ...]
    undertaking: str
    signed_at: int
    training: str
    trained_at: int
    certified_at: int
    certified_by: str
    made_by: str
    used_at: int
    ends_at: int | None
    purpose: str
    lacking: tuple[Lapse, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def card(desk: Administration, pack: Pack, name: str) -> Card:
    """The card of a login, or of a person's account. Raises InputError."""
    staff, account = _found(desk, name)
    people = {one.id: one for one in staff.persons}
    person = people.get(account.person or "")
    superior = people.get(person.superior or "") if person else None
    signed = person.signed if person else None
    lacking = desk.desk.rules.lacking(
        standing_of(account, person), account.service, desk.desk.now()
    )
    return Card(
        login=account.login,
        status=account.status,
        person=_said(person),
        superior=_said(superior),
        role=account.role,
        unit=account.unit,
        totp=account.totp,
        devices=tuple(
            f"{one.id} ({one.device_class}, {one.status})"
            for one in staff.devices
            if one.person in (account.person, account.login)
        ),
        rights=rights_of(pack, account.role),
        undertaking=f"{signed.version} sha256:{signed.digest[:16]}" if signed else "-",
        signed_at=person.signed_at if person else 0,
        training=(person.training if person else "") or "-",
        trained_at=person.trained_at if person else 0,
        certified_at=account.certified_at,
        certified_by=account.certified_by,
        made_by=account.made_by,
        used_at=account.used_at,
        ends_at=person.ends_at if person else None,
        purpose=account.purpose,
        lacking=() if account.outside else lacking,
    )


def rights_of(pack: Pack, role: str) -> tuple[str, ...]:
    """The rows that hold for a role or one of its groups, as people read them."""
    parents: dict[str, set[str]] = {}
    for one, group in pack.role_links:
        parents.setdefault(one, set()).add(group)
    mine = closure(role, parents)
    return tuple(_right(row) for row in pack.rows if row.role in mine)


def _right(row: Row) -> str:
    fields = " ".join(f"{name}={how}" for name, how in row.grants) or "-"
    stages = "|".join(row.stages) or "any"
    effect = "" if row.allow else "DENY "
    return f"{effect}{row.id}: {row.action} {row.resource}, {row.relation}, {stages}, {fields}"


def _found(desk: Administration, name: str) -> tuple[Staff, StaffAccount]:
    if desk.desk.account(name) is not None:
        staff = desk.desk.directory.around(name)
        return staff, next(one for one in staff.accounts if one.login == name)
    staff = desk.desk.directory.of_person(name)
    held = [one for one in staff.accounts if one.person == name and not one.service]
    if not held:
        raise InputError(NO_ACCOUNT.of(person=name))
    return staff, min(held, key=lambda one: one.status != "active")


def _said(person: Person | None) -> str:
    return f"{person.id} {person.name} ({person.status})" if person else "-"

"""Account responsibility (账号责任制): one person, one account, one superior, one scanner.

The rules are pure: over a snapshot of the directory, for the audit of all of it, and for one grant
before it is made.
"""

from collections import Counter
from collections.abc import Iterator

from acl_engine.domain.staff import Person, Staff, StaffAccount
from acl_engine.domain.text import Message, Text

# Roles that one person must not hold together (domain rule: separation of duties).
APART = frozenset({"branch_mgr", "account_admin", "device_admin", "sec_auditor"})

SHARED = Text(
    "account-ownerless",
    "账号 `{login}` 没有责任人",
    "account `{login}` has no accountable person",
    "指定责任人，或停用",
    "name its person, or suspend it",
)
SEVERAL = Text(
    "account-several",
    "人员 `{person}` 有 {count} 个有效账号",
    "person `{person}` has {count} active accounts",
    "只保留一个",
    "keep one",
)
DUTIES = Text(
    "account-duties",
    "人员 `{person}` 同时拥有须分离的角色：{roles}",
    "person `{person}` holds roles that must be apart: {roles}",
    "改由另一人担任",
    "give one of them to another person",
)
LEFT = Text(
    "account-of-leaver",
    "账号 `{login}` 仍有效，但其人员状态为 `{status}`",
    "account `{login}` is active, its person is `{status}`",
    "运行 `acl account leave`",
    "run `acl account leave`",
)
NO_SUPERIOR = Text(
    "account-no-superior",
    "人员 `{person}` 没有在职的上级",
    "person `{person}` has no active superior",
    "指定上级",
    "name one",
)
CYCLE = Text(
    "account-superior-cycle",
    "人员 `{person}` 的上级链回到本人",
    "the superiors of person `{person}` lead back to them",
    "改正上级关系",
    "mend the chain of superiors",
)
NO_FACTOR = Text(
    "account-no-second-factor",
    "账号 `{login}` 未登记第二因素",
    "account `{login}` has no second factor enrolled",
    "运行 `acl account enrol-totp`",
    "run `acl account enrol-totp`",
)
DEVICE_HOLDER = Text(
    "device-holder-gone",
    "设备 `{device}` 绑定给了无有效账号的 `{person}`",
    "device `{device}` is bound to `{person}`, who has no active account",
    "运行 `acl device revoke` 或改绑",
    "revoke it, or bind it to another",
)
DEVICES = Text(
    "device-several",
    "人员 `{person}` 绑定了 {count} 台 {device_class} 设备",
    "person `{person}` has {count} devices of class {device_class}",
    "只保留一台",
    "keep one",
)
SELF = Text(
    "account-self-granted",
    "不能由本人给自己授权",
    "nobody grants rights to themselves",
    "由另一位管理员操作",
    "another administrator must do it",
)


def findings(staff: Staff) -> Iterator[Message]:
    """Everything in the directory that breaks a rule, in order of rule."""
    people = {person.id: person for person in staff.persons}
    active = [one for one in staff.accounts if one.status == "active"]
    company = [one for one in active if not one.outside]
    yield from _owners(company, people)
    yield from _separation(company)
    yield from _superiors(company, people)
    for one in company:
        if not one.service and not one.totp:
            yield NO_FACTOR.of(login=one.login)
    yield from _devices(staff, active)


def refusal_of_grant(
    staff: Staff, person: str, role: str, by: str, login: str | None = None
) -> Message | None:
    """Why `by` (a login) may not give `role` to `person`, or None.

    `login`: the account that changes its role; without it a second account is refused too.
    """
    maker = next((one for one in staff.accounts if one.login == by), None)
    if maker is not None and maker.person == person:
        return SELF.of()
    held = [
        one
        for one in staff.accounts
        if one.person == person and one.status == "active" and one.login != login
    ]
    roles = {one.role for one in held} | {role}
    if len(roles & APART) > 1:
        return DUTIES.of(person=person, roles=", ".join(sorted(roles & APART)))
    if any(not one.service for one in held):
        return SEVERAL.of(person=person, count=len(held) + 1)
    return None


def _owners(company: list[StaffAccount], people: dict[str, Person]) -> Iterator[Message]:
    for one in company:
        owner = people.get(one.person or "")
        if owner is None:
            yield SHARED.of(login=one.login)
        elif owner.status != "active":
            yield LEFT.of(login=one.login, status=owner.status)
    counts = Counter(one.person for one in company if one.person and not one.service)
    for person, count in sorted(counts.items()):
        if count > 1:
            yield SEVERAL.of(person=person, count=count)


def _separation(company: list[StaffAccount]) -> Iterator[Message]:
    roles: dict[str, set[str]] = {}
    for one in company:
        if one.person:
            roles.setdefault(one.person, set()).add(one.role)
    for person, held in sorted(roles.items()):
        if len(held & APART) > 1:
            yield DUTIES.of(person=person, roles=", ".join(sorted(held & APART)))


def _superiors(company: list[StaffAccount], people: dict[str, Person]) -> Iterator[Message]:
    """The head of the company is their own superior's end: one person without one is allowed."""
    heads = 0
    for one in sorted({one.person for one in company if one.person in people and not one.service}):
        person = people[one]
        superior = people.get(person.superior or "")
        if person.superior is None and heads == 0:
            heads += 1
        elif superior is None or superior.status != "active":
            yield NO_SUPERIOR.of(person=one)
        elif _leads_back(person, people):
            yield CYCLE.of(person=one)


def _leads_back(person: Person, people: dict[str, Person]) -> bool:
    seen = {person.id}
    above = people.get(person.superior or "")
    while above is not None:
        if above.id in seen:
            return above.id == person.id
        seen.add(above.id)
        above = people.get(above.superior or "")
    return False


def _devices(staff: Staff, active: list[StaffAccount]) -> Iterator[Message]:
    holders = {one.person for one in active} | {one.login for one in active}
    bound = [one for one in staff.devices if one.person and one.status == "active"]
    for device in bound:
        if device.person not in holders:
            yield DEVICE_HOLDER.of(device=device.id, person=device.person)
    counts = Counter((one.person, one.device_class) for one in bound)
    for (person, device_class), count in sorted(counts.items(), key=str):
        if count > 1:
            yield DEVICES.of(person=person, count=count, device_class=device_class)

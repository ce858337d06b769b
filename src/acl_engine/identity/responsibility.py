"""Account responsibility (账号责任制): one person, one account, one superior, one scanner.

The rules are pure: over a snapshot of the directory, for the audit of all of it, and for one grant
before it is made.

INVARIANTS
- Nobody gives a right to themselves, nor does an account that they (or one of theirs) made.
- One grant is judged by the same rules as the whole directory.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from acl_engine.domain.accounts import SCANNERS
from acl_engine.domain.staff import Person, Staff, StaffAccount, standing_of
from acl_engine.domain.text import Message, Text
from acl_engine.identity.standing import LAPSES, NO_ROLE, Rules

CONTROL = "separation-of-duties"

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


PERSON_LEFT = Text(
    "account-person-left",
    "人员 `{person}` 已离职",
    "person `{person}` has left",
    "先运行 `acl account rehire`",
    "run `acl account rehire` first",
)
CREATURE = Text(
    "account-creature",
    "账号 `{by}` 的权限出自 `{person}`，不能反过来给其授权",
    "account `{by}` has its rights from `{person}`, and grants them none in return",
    "由另一位管理员操作",
    "another administrator must do it",
)
NO_PURPOSE = Text(
    "account-no-purpose",
    "服务账号 `{login}` 没有写明用途",
    "the service account `{login}` has no purpose",
    "用 `acl account create-service` 写明唯一用途",
    "name its one purpose with `acl account create-service`",
)
OUTSIDER = Text(
    "account-outsider",
    "账号 `{login}` 属于客户或商家，却有公司的角色 `{role}`",
    "account `{login}` is a customer's or a merchant's, and has the company's role `{role}`",
    "停用，并为该员工新建账号",
    "suspend it, and create an account for the person of the company",
)
NO_SPONSOR = Text(
    "account-no-sponsor",
    "临时人员 `{person}` 没有在职的担保人或期限",
    "the temporary person `{person}` has no active sponsor or no end",
    "用 `acl account extend` 写明，或办理离职",
    "name them with `acl account extend`, or let the person leave",
)


TEMPORARY_ROLE = Text(
    "account-temporary-role",
    "临时人员 `{person}` 不能担任 `{role}`",
    "the temporary person `{person}` cannot have the role `{role}`",
    "可用：{known}",
    "known: {known}",
)


def findings(staff: Staff, rules: Rules, now: int) -> Iterator[Message]:
    """Everything in the directory that breaks a rule, in order of rule. `now` in epoch seconds."""
    people = {person.id: person for person in staff.persons}
    active = [one for one in staff.accounts if one.status == "active"]
    company = [one for one in active if not one.outside]
    inside = rules.grantable(False)
    for one in active:
        if one.outside and one.role in inside:
            yield OUTSIDER.of(login=one.login, role=one.role)
    yield from _owners(company, people)
    yield from _separation(company, rules.settings.apart)
    yield from _superiors(company, people)
    yield from _sponsors(company, people)
    yield from _temporary_roles(company, people, rules)
    for one in company:
        if one.service and not one.purpose:
            yield NO_PURPOSE.of(login=one.login)
        if not one.service and not one.totp:
            yield NO_FACTOR.of(login=one.login)
        person = people.get(one.person or "")
        for lapse in rules.lacking(standing_of(one, person), one.service, now):
            yield LAPSES[lapse].of(login=one.login)
    yield from _devices(staff, active)


def refusal_of_grant(
    staff: Staff,
    rules: Rules,
    person: str,
    role: str,
    *,
    login: str | None = None,
    service: bool = False,
) -> Message | None:
    """Why `role` may not be given to `person`, whoever gives it; None: it may.

    `login`: the account that changes its role; without it a second account is refused too.
    """
    if any(one.id == person and one.status == "left" for one in staff.persons):
        return PERSON_LEFT.of(person=person)
    if not rules.settings.separation:
        return None
    temporary = any(one.id == person and one.kind == "temporary" for one in staff.persons)
    if temporary and not service and (beyond := beyond_temporary(rules, person, role)):
        return beyond
    held = [
        one
        for one in staff.accounts
        if one.person == person and one.status in HELD and one.login != login
    ]
    if clash := _clash({one.role for one in held} | {role}, rules.settings.apart):
        return DUTIES.of(person=person, roles=clash)
    if not service and any(not one.service for one in held):
        return SEVERAL.of(person=person, count=len(held) + 1)
    return None


def beyond_temporary(rules: Rules, person: str, role: str) -> Message | None:
    """Why a temporary person may not have this role; None: they may."""
    known = rules.settings.temporary_roles
    if role in (NO_ROLE, *known):
        return None
    return TEMPORARY_ROLE.of(person=person, role=role, known=", ".join(known) or "-")


def refusal_of_maker(
    rules: Rules, person: str | None, by: str, own: str | None, makers: Collection[str]
) -> Message | None:
    """Why the account `by` may not give anything to `person`. `own`: the person behind `by`;
    `makers`: the persons whom it has its rights from."""
    if not rules.settings.separation or person is None:
        return None
    if own == person:
        return SELF.of()
    if person in makers:
        return CREATURE.of(by=by, person=person)
    return None


# An account with these statuses is somebody's: it may come into force without a further grant.
HELD = frozenset({"pending", "active", "suspended"})


def _clash(roles: set[str], apart: Collection[Collection[str]]) -> str:
    """The roles among these that must not be held together, or ''."""
    for group in apart:
        if len(both := roles & set(group)) > 1:
            return ", ".join(sorted(both))
    return ""


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


def _separation(
    company: list[StaffAccount], apart: Collection[Collection[str]]
) -> Iterator[Message]:
    roles: dict[str, set[str]] = {}
    for one in company:
        if one.person:
            roles.setdefault(one.person, set()).add(one.role)
    for person, held in sorted(roles.items()):
        if clash := _clash(held, apart):
            yield DUTIES.of(person=person, roles=clash)


def _sponsors(company: list[StaffAccount], people: dict[str, Person]) -> Iterator[Message]:
    for one in company:
        person = people.get(one.person or "")
        if person is None or person.kind != "temporary":
            continue
        sponsor = people.get(person.sponsor or "")
        if sponsor is None or sponsor.status != "active" or person.ends_at is None:
            yield NO_SPONSOR.of(person=person.id)


def _temporary_roles(
    company: list[StaffAccount], people: dict[str, Person], rules: Rules
) -> Iterator[Message]:
    for one in company:
        person = people.get(one.person or "")
        if person is None or person.kind != "temporary" or one.service:
            continue
        if beyond := beyond_temporary(rules, person.id, one.role):
            yield beyond


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
        elif leads_back(person, people):
            yield CYCLE.of(person=one)


def leads_back(person: Person, people: Mapping[str, Person]) -> bool:
    """Whether the chain of superiors comes back to the person."""
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
    # An old scanner beside a new one is a second scanner.
    kinds = dict.fromkeys(SCANNERS, SCANNERS[0])
    counts = Counter((one.person, kinds.get(one.device_class, one.device_class)) for one in bound)
    for (person, device_class), count in sorted(counts.items(), key=str):
        if count > 1:
            yield DEVICES.of(person=person, count=count, device_class=device_class)

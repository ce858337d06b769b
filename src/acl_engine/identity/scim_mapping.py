"""Accounts and groups to SCIM resources, and what a resource asks for. No I/O."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from scim2_models import Meta, Resource

from acl_engine.domain.provisioning import Entry, Group, Wanted
from acl_engine.identity.scim_schema import Group as GroupResource
from acl_engine.identity.scim_schema import GroupOfUser, Manager, Member
from acl_engine.identity.standing import NO_ROLE

# A person's id in the directory has at most so many characters.
_PERSON_CHARS = 32
ROLE_GROUP = "role."


def user_of(model: Any, entry: Entry) -> Resource[Any]:
    """The User of an account; `model` is the class that the service's provider made."""
    account, person = entry.account, entry.person
    enterprise, extension = model.model_fields["EnterpriseUser"], model.model_fields["Account"]
    role = account.role if account.role != NO_ROLE else None
    chief = entry.superior
    user: Any = model(
        id=account.login,
        external_id=account.external_id,
        user_name=account.login,
        display_name=person.name,
        active=account.status != "suspended",
        groups=[GroupOfUser(value=ROLE_GROUP + role, display=role)] if role else None,
        meta=_meta("User", account.created_at, account.changed_at, entry.version),
    )
    user.EnterpriseUser = _bare(enterprise.annotation)(
        department=account.unit,
        manager=Manager(value=chief, ref=_user_reference(chief)) if chief else None,
    )
    user.Account = _bare(extension.annotation)(role=role)
    checked: Resource[Any] = user
    return checked


def wanted_of(user: Any, entry: Entry | None) -> Wanted:
    """What a User asks for. `entry` None: it is new, and its person is named like the login."""
    login = str(user.user_name)
    enterprise, extension = user.EnterpriseUser, user.Account
    manager = enterprise.manager.value if enterprise.manager else None
    return Wanted(
        login=login,
        person=entry.person.id if entry else person_id(login),
        name=str(user.display_name),
        unit=str(enterprise.department),
        superior=manager or None,
        role=(extension.role if extension else None) or NO_ROLE,
        active=bool(user.active),
        external_id=user.external_id,
    )


def group_of(group: Group, *, members: bool = True) -> GroupResource:
    """The Group resource; `members` False leaves them out, because nobody asked."""
    shown = [
        Member(value=one, ref=_user_reference(one), type="User")
        for one in (group.members if members else ())
    ]
    return GroupResource(
        id=group.id,
        external_id=group.external_id,
        display_name=group.name,
        members=shown or None,
        meta=_meta("Group", group.created_at, group.changed_at, group.version),
    )


def members_of(group: Any) -> tuple[str, ...]:
    """The logins that a Group resource names."""
    return tuple(sorted({str(one.value) for one in group.members or () if one.value}))


def person_id(login: str) -> str:
    """The id of the person of a new account: the login where it fits."""
    if len(login) <= _PERSON_CHARS:
        return login
    return "p-" + hashlib.sha256(login.encode()).hexdigest()[: _PERSON_CHARS - 2]


def version_of(held: tuple[tuple[str, int], ...]) -> str:
    """The version of a role's group: its holders, and the epoch of each."""
    text = "\n".join(f"{login} {epoch}" for login, epoch in held)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def tag(version: str) -> str:
    """A version as an entity tag (RFC 9110, weak)."""
    return f'W/"{version}"'


def untagged(tag: str) -> str:
    return tag.removeprefix("W/").strip('"')


def _user_reference(login: str) -> Any:
    """Relative to the root; the protocol library makes the URL of it."""
    return f"Users/{login}"


def _meta(kind: str, created: int, changed: int, version: str) -> Meta:
    return Meta(
        resource_type=kind,
        created=datetime.fromtimestamp(created, UTC),
        last_modified=datetime.fromtimestamp(changed, UTC),
        version=tag(version),
    )


def _bare(annotation: Any) -> Any:
    """The extension's class out of `Extension | None`."""
    return next(one for one in annotation.__args__ if one is not type(None))

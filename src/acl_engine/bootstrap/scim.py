"""SCIM resources over provisioning: the storage that the protocol library reads and writes.

The library (scim2-server) knows RFC 7644: bodies, filters, PATCH, entity tags, bulk. This knows
what they mean here; every write is an act of `Provisioning`.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scim2_models import (
    ForbiddenException,
    InvalidFilterException,
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison
from scim2_server.storage import ScimStorage, SearchPage

from acl_engine.bootstrap.provisioning import Provisioning
from acl_engine.domain.errors import ChangeRefused, InputError
from acl_engine.domain.provisioning import Entry, Group
from acl_engine.identity import scim_mapping as mapping
from acl_engine.storage.staff import CHANGED, TAKEN

# What a filter may compare without walking everyone: attribute -> how it is kept.
_KEPT = {"username": "login", "id": "login", "externalid": "external_id"}
# A page that begins beyond everyone is empty, wherever; what a database counts with is bounded.
_FURTHEST = 2**31


class ScimAccounts(ScimStorage):
    """Users and Groups of one request, written in the name of one service."""

    def __init__(self, provisioning: Provisioning, provider: ScimProvider) -> None:
        self._acts = provisioning
        self._provider = provider

    # --- reading -------------------------------------------------------------------------------

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        if resource_type.name == "User":
            return self._user(self._entry(resource_id))
        return mapping.group_of(self._group(resource_id), members=_asked(response_parameters))

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        start, count = min(search_request.start_index_0 or 0, _FURTHEST), search_request.count
        names = {one.name for one in resource_types}
        if names == {"User"} and search_request.filter is None:
            page = self._acts.store.entries(start, count)
            return SearchPage(self._acts.store.count(), [self._user(one) for one in page])
        matches = self._match(search_request)
        found: list[Resource[Any]] = []
        total = 0
        for one in self._candidates(names, search_request):
            if matches(one):
                total += 1
                if total > start and (count is None or len(found) < count):
                    found.append(one)
        return SearchPage(total, found)

    # --- writing -------------------------------------------------------------------------------

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        with _translated():
            if resource_type.name == "User":
                return self._user(self._acts.join(mapping.wanted_of(resource, None)))
            group: Any = resource
            now = self._acts.now()
            new = Group(
                id=secrets.token_hex(12),
                name=str(group.display_name),
                members=mapping.members_of(group),
                version="1",
                created_at=now,
                changed_at=now,
                external_id=group.external_id,
            )
            self._acts.put_group(new, None)
            return mapping.group_of(new)

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        with _translated():
            if resource_type.name == "User":
                entry = self._entry(str(resource.id))
                _still(entry.version, expected_version)
                return self._user(self._acts.change(entry, mapping.wanted_of(resource, entry)))
            return self._update_group(resource, expected_version)

    def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        with _translated():
            if resource_type.name == "User":
                entry = self._entry(resource_id)
                _still(entry.version, expected_version)
                self._acts.leave(entry)
                return
            group = self._group(resource_id)
            _still(group.version, expected_version)
            self._acts.drop_group(group)

    # --- inside --------------------------------------------------------------------------------

    def _update_group(self, resource: Any, expected_version: str | None) -> Resource[Any]:
        group = self._group(str(resource.id))
        _still(group.version, expected_version)
        members = mapping.members_of(resource)
        if group.role is not None:
            if resource.display_name != group.name:
                raise ForbiddenException(detail="a role's group keeps its name")
            self._acts.set_members(group.role, frozenset(members))
            return mapping.group_of(self._group(group.id))
        changed = Group(
            id=group.id,
            name=str(resource.display_name),
            members=members,
            version=group.version,
            created_at=group.created_at,
            changed_at=self._acts.now(),
            external_id=resource.external_id,
        )
        self._acts.put_group(changed, group.version)
        return mapping.group_of(self._group(group.id))

    def _entry(self, login: str) -> Entry:
        entry = self._acts.store.entry(login)
        if entry is None:
            raise NotFoundException(detail="no such user")
        return entry

    def _user(self, entry: Entry) -> Resource[Any]:
        model = self._provider.model_for("User")
        assert model is not None
        return mapping.user_of(model, entry)

    def _group(self, group: str) -> Group:
        if group.startswith(mapping.ROLE_GROUP):
            role = group.removeprefix(mapping.ROLE_GROUP)
            if role in self._acts.role_groups():
                return self._role_group(role)
        for one in self._acts.store.groups():
            if one.id == group:
                return one
        raise NotFoundException(detail="no such group")

    def _role_group(self, role: str) -> Group:
        held = self._acts.store.holders(role)
        return Group(
            id=mapping.ROLE_GROUP + role,
            name=role,
            members=tuple(login for login, _ in held),
            version=mapping.version_of(held),
            created_at=0,
            changed_at=self._acts.now(),
            role=role,
        )

    def _groups(self) -> Iterator[Group]:
        yield from (self._role_group(role) for role in self._acts.role_groups())
        yield from self._acts.store.groups()

    def _candidates(
        self, names: set[str | None], request: SearchRequest[Any]
    ) -> Iterator[Resource[Any]]:
        if "User" in names:
            yield from map(self._user, self._entries(request))
        if "Group" in names:
            members = _asked(request) or "members" in str(request.filter).lower()
            yield from (mapping.group_of(one, members=members) for one in self._groups())

    def _entries(self, request: SearchRequest[Any]) -> Iterator[Entry] | Sequence[Entry]:
        """Everyone, or the few whom an `eq` on a kept attribute leaves."""
        node = request.filter.ast if request.filter is not None else None
        if isinstance(node, Comparison) and node.op == CompareOperator.eq:
            column = _KEPT.get(str(node.attr_path).rpartition(":")[2].lower())
            if column is not None and isinstance(node.value, str):
                return self._acts.store.equal(column, node.value)
        return self._acts.store.every()

    def _match(self, request: SearchRequest[Any]) -> Callable[[Resource[Any]], bool]:
        scim_filter = request.filter
        if scim_filter is None:
            return lambda _: True
        if not scim_filter.models:
            raise InvalidFilterException(detail="the filter names no attribute of the type")
        return scim_filter.match


def _asked(parameters: Any) -> bool:
    """Whether a response keeps the members of a group."""
    left_out = [str(one).lower() for one in getattr(parameters, "excluded_attributes", None) or ()]
    return "members" not in left_out


def _still(version: str, expected: str | None) -> None:
    if expected is not None and mapping.untagged(expected) != version:
        raise PreconditionFailedException(detail="the resource has changed meanwhile")


@contextmanager
def _translated() -> Iterator[None]:
    """What is refused here, as SCIM says it. No text holds personal data."""
    try:
        yield
    except ChangeRefused as refused:
        raise ForbiddenException(detail=refused.render("en")) from None
    except InputError as wrong:
        detail, code = wrong.render("en"), wrong.message.code
        if code == TAKEN.code:
            raise UniquenessException(detail=detail) from None
        if code == CHANGED.code:
            raise PreconditionFailedException(detail=detail) from None
        raise InvalidValueException(detail=detail) from None

"""What is provisioned over SCIM 2.0 (RFC 7643, RFC 7644): resources, schemas, capabilities.

INVARIANTS
- What is not needed is not there: no phone, no mail, no postal address of staff, and no password.
- `userName` never changes, nor whose it is: an account is one person's for its life.
- Whether an account is in force is not told here: the card of `acl account responsibility` says so.
"""

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Mutability,
    Pagination,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

if TYPE_CHECKING:

    class User(Resource[Any]):
        """Made by `user_models`; the name is all that a reference needs."""


ACCOUNT_SCHEMA = "urn:acl-engine:scim:schemas:extension:account:1.0:User"
MOST_RESULTS = 200
MOST_BULK = 500
MOST_BULK_BYTES = 1024 * 1024

ReadOnly = Annotated[str | None, Mutability.read_only]


class Manager(ComplexAttribute):
    value: Annotated[str | None, CaseExact.true] = None
    """The userName (id) of the superior: exactly one, and in the end nobody is above themselves."""

    ref: Reference["User"] | None = Field(None, serialization_alias="$ref", validation_alias="$ref")
    """The URI of the superior's User."""


class GroupOfUser(ComplexAttribute):
    value: ReadOnly = None
    """The id of the group."""

    display: ReadOnly = None
    """The name of the group."""


def user_models(
    units: tuple[str, ...], roles: tuple[str, ...]
) -> tuple[type[Resource[Any]], type[Extension], type[Extension]]:
    """User and its two extensions, with the units and roles that there are as canonical values."""

    class User(Resource[Any]):
        """A member of staff with their one account."""

        __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

        user_name: Annotated[
            str | None,
            Required.true,
            Mutability.immutable,
            Uniqueness.server,
            CaseExact.true,
        ] = None
        """The login: a-z, 0-9 and . _ - @. It is the id as well, and does not change. A new account
        is that of the person named like it, who is made with it if there is none."""

        display_name: Annotated[str | None, Required.true] = None
        """The person's name, as the responsibility card prints it."""

        active: Annotated[bool | None, Required.true] = None
        """Off: suspended, out at the next decision. On again only if this service turned it off."""

        groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None
        """The role's group, if the account has a role."""

    class EnterpriseUser(Extension):
        __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

        department: Annotated[str | None, Required.true, CaseExact.true] = Field(
            None, examples=list(units)
        )
        """The organisation unit: a branch, a hub, headquarters."""

        manager: Manager | None = None
        """The one responsible superior."""

    class Account(Extension):
        __schema__ = URN(ACCOUNT_SCHEMA)

        role: Annotated[str | None, CaseExact.true] = Field(None, examples=list(roles))
        """The one role. Its rights come from the policy, never from here."""

    return User, EnterpriseUser, Account


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of a user."""

    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The URI of the User."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Only users are members."""


class Group(Resource[Any]):
    """A group. One named like a role gives that role; any other gives no right."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server, CaseExact.true] = None
    """The role's name, or the provisioning system's own."""

    members: list[Member] | None = None
    """The users in it."""


@cache
def provider(units: tuple[str, ...], roles: tuple[str, ...]) -> ScimProvider:
    """The description of the service: what the discovery endpoints publish."""
    user, enterprise, account = user_models(units, roles)
    return ScimProvider(
        models=[user, enterprise, account, Group],
        resource_types=[
            _resource_type("User", user, {enterprise: True, account: False}),
            _resource_type("Group", Group, {}),
        ],
        config=capabilities(),
        # Provisioning systems send what they have; what is not declared is not kept.
        policy=ScimPolicy(
            unknown=ScimPolicy.Unknown.ignore,
            remove_value_as_filter=ScimPolicy.RemoveValue.apply,
        ),
    )


def _resource_type(
    name: str, model: type[Resource[Any]], extensions: dict[type[Extension], bool]
) -> ResourceType:
    """RFC 7643 section 6; `extensions`: whether each must be there."""
    listed = [{"schema": str(one.__schema__), "required": must} for one, must in extensions.items()]
    return ResourceType.model_validate(
        {
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "description": (model.__doc__ or name).partition("\n")[0],
            "schema": str(model.__schema__),
            "schemaExtensions": listed,
        }
    )


def capabilities() -> ServiceProviderConfig:
    """RFC 7643 section 5. Nobody changes a password over SCIM: it is the person's own."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MOST_BULK, max_payload_size=MOST_BULK_BYTES),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        pagination=Pagination(cursor=False, index=True, max_page_size=MOST_RESULTS),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Service token",
                description="The bearer token of a service account, for the purpose scim alone.",
                primary=True,
            )
        ],
    )

"""A pack: one company's catalogue, relations, settings and controls, beside its casbin files.

Files of `policies/<company>/<version>/`, read by `policy/pack.py` into the types below:

    model.conf       stock casbin model
    policy.csv       stock casbin policy: id, role, res, act, relation, stages, grant, eft
    roles.yaml       roles: level, whether a person, name in both languages
    resources.yaml   record types: attributes (policy facts), fields (personal data), stages
    relations.yaml   each relation once, as an expression over `sub.x` and `res.x`
    confidentiality.yaml  who answers for which class of data at which link (may be left out)
    undertaking.md   the text that staff sign (may be left out)
    settings.yaml    which factors, bindings, windows and limits apply (`pack_settings.py`)
    controls.yaml    named controls: what each is, where it acts, and how replay switches it off
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from acl_engine.domain.accounts import Undertaking
from acl_engine.domain.confidentiality import Confidentiality
from acl_engine.domain.control import Control
from acl_engine.domain.pack_settings import Settings


class Kind(StrEnum):
    """What a field's value is: it chooses the masker and the strength calculation."""

    PHONE = "phone"
    NAME = "name"
    ADDRESS = "address"
    ID_NUMBER = "id_number"
    PLATE = "plate"
    FREE_TEXT = "free_text"
    CODE = "code"
    MONEY = "money"
    NUMBER = "number"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """`data_class` is the legal class (identity, contact, address, item, value, trace, ...);
    `person` names whose data it is (recipient, sender); `searchable` allows an exact search;
    `word` is the short name by which scenarios and people call it."""

    name: str
    kind: Kind
    data_class: str
    zh: str
    en: str
    person: str | None = None
    searchable: bool = False
    word: str | None = None

    @property
    def data(self) -> str:
        """The kind of data that budgets count it as: phone, name, address, id_number, plate; of
        any other value its legal class (whereabouts, transaction, item, ...)."""
        return self.kind.value if self.kind in _COUNTED_BY_KIND else self.data_class


_COUNTED_BY_KIND = frozenset({Kind.PHONE, Kind.NAME, Kind.ADDRESS, Kind.ID_NUMBER, Kind.PLATE})


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """A record at one of `stages` goes on to stage `to`, `days` after the time in its attribute
    `since`. With `destroy` the key of its personal data is destroyed then. PIPL articles 19, 47."""

    stages: tuple[str, ...]
    since: str
    days: int
    to: str
    destroy: bool = False


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """`attributes` are what relations may read as `res.x` (name -> type); never personal data.
    `stages` are the record's life in order; `stage` is always an attribute."""

    type: str
    key: str
    fields: Mapping[str, FieldSpec]
    attributes: Mapping[str, Literal["text", "int", "bool"]]
    stages: tuple[str, ...]
    retention: tuple[RetentionRule, ...] = ()

    @property
    def put_away(self) -> frozenset[str]:
        """The stages that retention leads to: nobody reads personal data there any more."""
        return frozenset(rule.to for rule in self.retention)


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """`level` orders the signed sheet: 0 outside, 1 front line, 2 branch, 3 region, 4 HQ."""

    level: int
    human: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class RelationSpec:
    """`expression` is read by the policy grammar; `control` is what says no when it is false."""

    name: str
    expression: str
    control: str | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A cell of the matrix that is not a standing right: to be asked for, once, for one record."""

    role: str
    stages: tuple[str, ...]
    fields: tuple[str, ...]
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One right, or one prohibition. `stages` is empty for any stage; `line` is its place."""

    id: str
    role: str
    resource: str
    action: str
    relation: str
    stages: tuple[str, ...]
    grants: tuple[tuple[str, str], ...]  # field -> "clear" or a mask profile
    allow: bool
    line: int


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything of one version of one company's policy. `version` is a digest of the files.

    `files` holds the texts as read: stock casbin is given the same two. `role_links` are the `g`
    rows (role -> group).
    """

    name: str
    version: str
    folder: str
    files: Mapping[str, str]
    rows: tuple[Row, ...]
    role_links: tuple[tuple[str, str], ...]
    roles: Mapping[str, RoleSpec]
    resources: Mapping[str, ResourceSpec]
    relations: Mapping[str, RelationSpec]
    subject_attributes: Mapping[str, Literal["text", "int", "bool", "set"]]
    settings: Settings
    controls: Mapping[str, Control]
    pending: tuple[Pending, ...]
    undertaking: Undertaking | None = None
    confidentiality: Confidentiality | None = None

    def groups(self, role: str) -> frozenset[str]:
        """The role and every group that it stands in."""
        found, more = frozenset[str](), {role}
        while more:
            found |= more
            more = {group for one, group in self.role_links if one in more} - found
        return found

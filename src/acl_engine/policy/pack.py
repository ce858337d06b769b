"""Reading a pack: the files of one company's policy, cross-checked, all findings at once."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from acl_engine.domain.accounts import Undertaking
from acl_engine.domain.control import Control, Edit
from acl_engine.domain.errors import PolicyError, PolicyErrors, Where
from acl_engine.domain.pack import (
    FieldSpec,
    Kind,
    Pack,
    Pending,
    RelationSpec,
    ResourceSpec,
    RetentionRule,
    RoleSpec,
)
from acl_engine.domain.pack_settings import (
    AccountSettings,
    ActSettings,
    ApprovalSettings,
    AuditSettings,
    BudgetLimit,
    CentralSettings,
    DialSettings,
    JudicialSettings,
    LoginSettings,
    LookupSettings,
    MaskingSettings,
    Paper,
    ReleaseSettings,
    Settings,
)
from acl_engine.policy import confidentiality, pack_checks, strict_yaml
from acl_engine.policy.casbin_folder import NOT_A_PACK, casbin_files
from acl_engine.policy.pack_rows import read_model, read_rows

FILES = (
    "model.conf",
    "policy.csv",
    "roles.yaml",
    "resources.yaml",
    "relations.yaml",
    "settings.yaml",
    "controls.yaml",
    "pending.yaml",
)
# A pack may do without these.
OPTIONAL = ("undertaking.md", "confidentiality.yaml")


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _Role(_Strict):
    level: int
    human: bool
    zh: str
    en: str


class _Roles(_Strict):
    schema: Literal["acl-roles/1"]
    roles: dict[str, _Role]


class _Field(_Strict, rename={"data_class": "class"}):
    kind: Kind
    data_class: str
    zh: str
    en: str
    person: str | None = None
    searchable: bool = False
    word: str | None = None


class _Resource(_Strict):
    key: str
    stages: tuple[str, ...]
    attributes: dict[str, Literal["text", "int", "bool"]]
    fields: dict[str, _Field]
    retention: tuple[RetentionRule, ...] = ()


class _Resources(_Strict):
    schema: Literal["acl-resources/1"]
    subject: dict[str, Literal["text", "int", "bool", "set"]]
    resources: dict[str, _Resource]


class _Relation(_Strict):
    expression: str
    zh: str
    en: str
    control: str | None = None


class _Relations(_Strict):
    schema: Literal["acl-relations/1"]
    relations: dict[str, _Relation]


class _Paper(_Strict):
    rows: tuple[str, ...]
    held_by: tuple[str, ...]


class _Masking(_Strict):
    minimum: dict[str, Annotated[int, msgspec.Meta(ge=1)]] = msgspec.field(
        default_factory=lambda: dict(MaskingSettings().minimum)
    )
    clear: dict[str, tuple[str, ...]] | None = None
    paper: _Paper | None = None
    coalitions: tuple[tuple[str, ...], ...] = ()


# The section is left out where all is strict: its keys and defaults are those of the type.
_Central: Any = msgspec.defstruct(
    "_Central",
    [(one.name, one.type, one.default) for one in dataclasses.fields(CentralSettings)],
    bases=(_Strict,),
)


class _Settings(_Strict):
    schema: Literal["acl-settings/1"]
    replay_only: bool
    login: LoginSettings
    lookup: LookupSettings
    acts: ActSettings
    dial: DialSettings
    budgets: tuple[BudgetLimit, ...]
    masking: _Masking = msgspec.field(default_factory=_Masking)
    accounts: AccountSettings = AccountSettings()
    central: _Central = msgspec.field(default_factory=_Central)
    audit: AuditSettings = AuditSettings()
    approvals: ApprovalSettings | None = None
    releases: ReleaseSettings = ReleaseSettings()
    judicial: JudicialSettings = JudicialSettings()


class _Control(_Strict):
    zh: str
    en: str
    line: str
    pattern: str
    rules: tuple[str, ...] = ()
    off: tuple[Edit, ...] = ()


class _Controls(_Strict):
    schema: Literal["acl-controls/1"]
    controls: dict[str, _Control]


class _Pendings(_Strict):
    schema: Literal["acl-pending/1"]
    pending: tuple[Pending, ...]


def load_pack(folder: Path | str) -> Pack:
    """The pack in `folder`. Raises PolicyErrors with every finding, each with file and line."""
    folder = Path(folder)
    if not folder.is_dir():
        raise PolicyError(strict_yaml.MISSING.of(why="no such folder"), Where(str(folder)))
    if (folder / "policy.csv").is_file() and casbin_files(folder):
        raise PolicyError(NOT_A_PACK.of(), Where(str(folder)))
    files: dict[str, str] = {}
    findings: list[PolicyError] = []
    for name in (*FILES, *(one for one in OPTIONAL if (folder / one).exists())):
        try:
            files[name] = (folder / name).read_bytes().decode("utf-8")
        except OSError as failure:
            missing = strict_yaml.MISSING.of(why=failure.strerror or "?")
            findings.append(PolicyError(missing, Where(str(folder / name))))
        except UnicodeDecodeError:
            what = strict_yaml.SYNTAX.of(what="not UTF-8")
            findings.append(PolicyError(what, Where(str(folder / name), 1)))
    if findings:
        raise PolicyErrors(tuple(findings))
    return pack_from_files(files, folder=str(folder))


def pack_from_files(files: Mapping[str, str], *, folder: str = "pack") -> Pack:
    """Like `load_pack`, from texts: a bundle's files, or a derived pack of replay."""
    reader = _Reader(files, folder)
    roles = reader.yaml("roles.yaml", _Roles)
    resources = reader.yaml("resources.yaml", _Resources)
    relations = reader.yaml("relations.yaml", _Relations)
    settings = reader.yaml("settings.yaml", _Settings)
    controls = reader.yaml("controls.yaml", _Controls)
    pending = reader.yaml("pending.yaml", _Pendings)
    secrecy = confidentiality.FILE in files and reader.yaml(
        confidentiality.FILE, confidentiality.Document
    )
    unread = bool(reader.findings)
    read_model(files["model.conf"], f"{folder}/model.conf", reader.findings)
    rows, links = read_rows(files["policy.csv"], f"{folder}/policy.csv", reader.findings)
    whole = not any(one.where and one.where.file.endswith(".csv") for one in reader.findings)
    if unread:  # what the words of a row mean stands in a file that could not be read
        raise PolicyErrors(_sorted(reader.findings))
    pack = Pack(
        name=Path(folder).parent.name or "pack",
        version=version_of(files),
        folder=folder,
        files=dict(files),
        rows=rows,
        role_links=links,
        roles={k: RoleSpec(v.level, v.human, v.zh, v.en) for k, v in roles.roles.items()},
        resources={k: _resource(k, v) for k, v in resources.resources.items()},
        relations={
            k: RelationSpec(k, v.expression, v.control, v.zh, v.en)
            for k, v in relations.relations.items()
        },
        subject_attributes=resources.subject,
        settings=Settings(
            settings.replay_only,
            settings.login,
            settings.lookup,
            settings.acts,
            settings.dial,
            settings.budgets,
            _masking(settings.masking),
            settings.accounts,
            CentralSettings(**msgspec.structs.asdict(settings.central)),
            settings.audit,
            settings.approvals,
            settings.releases,
            settings.judicial,
        ),
        controls={
            k: Control(k, v.zh, v.en, v.line, v.pattern, v.rules, v.off)
            for k, v in controls.controls.items()
        },
        pending=pending.pending,
        undertaking=_undertaking(settings.accounts.undertaking, files),
        confidentiality=confidentiality.table_of(secrecy) if secrecy else None,
    )
    if secrecy:
        reader.findings.extend(_secrecy(pack, secrecy))
    reader.findings.extend(pack_checks.findings(pack, whole=whole))
    if reader.findings:
        raise PolicyErrors(_sorted(reader.findings))
    return pack


def _secrecy(pack: Pack, document: confidentiality.Document) -> Iterator[PolicyError]:
    classes = {f.data_class for spec in pack.resources.values() for f in spec.fields.values()}
    file = f"{pack.folder}/{confidentiality.FILE}"
    text = pack.files[confidentiality.FILE]
    return confidentiality.findings(
        document, file, text, frozenset(classes), pack.controls, pack.roles
    )


def _sorted(findings: list[PolicyError]) -> tuple[PolicyError, ...]:
    return tuple(sorted(findings, key=lambda one: one.where or Where("")))


def _undertaking(version: str, files: Mapping[str, str]) -> Undertaking | None:
    """What staff must have signed. That its text is there is for `pack_checks` to say."""
    if not version:
        return None
    text = files.get("undertaking.md", "")
    return Undertaking(version, hashlib.sha256(text.encode()).hexdigest())


def version_of(files: Mapping[str, str]) -> str:
    """The first 16 hex digits of SHA-256 over names and texts, each with its length."""
    state = hashlib.sha256()
    for name in (*FILES, *(one for one in OPTIONAL if one in files)):
        for part in (name.encode(), files[name].encode()):
            state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()[:16]


def document_types() -> Iterator[tuple[str, type[Any]]]:
    """File name and type of each YAML document, for the published JSON Schemas."""
    yield "roles.yaml", _Roles
    yield "resources.yaml", _Resources
    yield "relations.yaml", _Relations
    yield "settings.yaml", _Settings
    yield "controls.yaml", _Controls
    yield "pending.yaml", _Pendings
    yield confidentiality.FILE, confidentiality.Document


def _resource(name: str, read: _Resource) -> ResourceSpec:
    fields = {
        k: FieldSpec(k, v.kind, v.data_class, v.zh, v.en, v.person, v.searchable, v.word)
        for k, v in read.fields.items()
    }
    return ResourceSpec(name, read.key, fields, read.attributes, read.stages, read.retention)


def _masking(read: _Masking) -> MaskingSettings:
    paper = Paper(read.paper.rows, read.paper.held_by) if read.paper else None
    return MaskingSettings(read.minimum, read.clear, paper, read.coalitions)


class _Reader:
    def __init__(self, files: Mapping[str, str], folder: str) -> None:
        self._files = files
        self._folder = folder
        self.findings: list[PolicyError] = []

    def yaml(self, name: str, kind: type[Any]) -> Any:
        file = f"{self._folder}/{name}"
        read, findings = strict_yaml.read_all(
            self._files[name].encode(), kind, file=file, error=PolicyError
        )
        self.findings.extend(findings)
        return read

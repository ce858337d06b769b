"""Settings of the service: one typed key each, with a default, from a file, the environment, flags.

Later wins: the default, the file (`acl-server/1`), the environment (`ACL_SERVE_PORT` for
`serve.port`), a flag.

INVARIANTS
- Every key has a type, a default and a text in both languages; a key or variable that is not
  known is refused, so that a typing error never leaves a limit at its default unnoticed.
- No setting switches TLS, a second factor, the audit log or a check off.
- What is wrong stops the start: `load` raises, it never mends.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from acl_engine.bootstrap.setting_texts import DOCS
from acl_engine.domain.errors import ConfigError
from acl_engine.domain.text import Text
from acl_engine.policy import strict_yaml

SCHEMA = "acl-server/1"
PREFIX = "ACL_"

UNKNOWN_VARIABLE = Text(
    "settings.unknown-variable",
    "环境变量 `{variable}` 不对应任何设置",
    "the variable `{variable}` names no setting",
    "`acl serve --check` 列出全部设置",
    "`acl serve --check` lists them all",
)
BAD_VARIABLE = Text(
    "settings.bad-variable",
    "环境变量 `{variable}` 不符：{what}",
    "the variable `{variable}` does not fit: {what}",
    "取值见 `acl serve --check`",
    "`acl serve --check` says what it may be",
)
CONTRADICTION = Text(
    "settings.contradiction",
    "设置互相矛盾：{what}",
    "settings contradict each other: {what}",
    "改正其中之一后再启动",
    "change one of them, then start again",
)

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Seconds = Annotated[int, Meta(ge=1, le=600)]


class Serve(Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: _Port = 8443
    certificate: str | None = None
    private_key: str | None = None
    public_url: str | None = None
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    drain_seconds: _Seconds = 20
    clock_offset: int = 0


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    body_bytes: Annotated[int, Meta(ge=1024, le=16_777_216)] = 65_536
    body_seconds: _Seconds = 10
    header_bytes: Annotated[int, Meta(ge=2048, le=65_536)] = 16_384
    header_seconds: _Seconds = 10
    parameters: Annotated[int, Meta(ge=8, le=1000)] = 64
    connections: Annotated[int, Meta(ge=16, le=65_536)] = 2000
    requests: Annotated[int, Meta(ge=4, le=4096)] = 256
    idle_seconds: _Seconds = 15


class Cas(Struct, frozen=True, forbid_unknown_fields=True):
    form_seconds: Annotated[int, Meta(ge=60, le=3600)] = 600
    outbound_seconds: Annotated[int, Meta(ge=1, le=30)] = 5
    authorities: str | None = None


class Telemetry(Struct, frozen=True, forbid_unknown_fields=True):
    endpoint: str | None = None


class WatchFor(Struct, frozen=True, forbid_unknown_fields=True):
    silence_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 60


class Telephony(Struct, frozen=True, forbid_unknown_fields=True):
    vendor: Literal["world", "none", "tencent-npp"] = "world"
    account_file: str | None = None
    endpoint: str | None = None
    authorities: str | None = None
    seconds: Annotated[int, Meta(ge=1, le=30)] = 5


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that `acl serve` can be told."""

    schema: Literal["acl-server/1"] = "acl-server/1"
    database: str | None = None
    policy: str | None = None
    policy_trust: str | None = None
    policy_rollback: str | None = None
    master_key_file: str | None = None
    serve: Serve = Serve()
    limits: Limits = Limits()
    cas: Cas = Cas()
    telemetry: Telemetry = Telemetry()
    watch: WatchFor = WatchFor()
    telephony: Telephony = Telephony()


@dataclass(frozen=True, slots=True)
class Told:
    """One key as it stands: its value, its default and who said it."""

    key: str
    value: object
    default: object
    origin: Literal["default", "file", "environment", "flag"]
    doc: Text


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where each came from."""

    settings: ServerSettings
    told: tuple[Told, ...]


def load(
    file: Path | None,
    flags: Mapping[str, object],
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read the settings. `flags` maps keys to values; None is a flag that was not given.

    Raises ConfigError naming the file and line, or the variable, and what it may be.
    """
    given = os.environ if environ is None else environ
    document: Any = {"schema": SCHEMA}
    if file is not None:
        strict_yaml.read(file, ServerSettings, error=ConfigError)
        document = strict_yaml.plain(file.read_text("utf-8"), str(file))
    origins: dict[str, str] = {key: "file" for key in KEYS if _get(document, key) is not _ABSENT}
    for key, value in _variables(given).items():
        _set(document, key, value)
        origins[key] = "environment"
    for key, value in flags.items():
        if value is not None:
            _set(document, key, value)
            origins[key] = "flag"
    try:
        settings = msgspec.convert(document, ServerSettings)
    except msgspec.ValidationError as failure:
        raise ConfigError(CONTRADICTION.of(what=strict_yaml.one_line(str(failure)))) from None
    _agree(settings)
    told = tuple(
        Told(key, value_of(settings, key), KEYS[key], origins.get(key, "default"), DOCS[key])  # type: ignore[arg-type]
        for key in KEYS
    )
    return Loaded(settings, told)


def variable_of(key: str) -> str:
    """`serve.port` is said by ACL_SERVE_PORT."""
    return PREFIX + key.upper().replace(".", "_")


def value_of(settings: ServerSettings, key: str) -> object:
    """The value of a dotted key."""
    value: object = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def contradiction(what: str) -> ConfigError:
    """Two settings, or a setting and the world, do not go together: the start stops."""
    return ConfigError(CONTRADICTION.of(what=what))


def _agree(settings: ServerSettings) -> None:
    serve, limits = settings.serve, settings.limits
    if (serve.certificate is None) != (serve.private_key is None):
        raise contradiction("serve.certificate, serve.private_key: one without the other")
    if limits.requests > limits.connections:
        raise contradiction("limits.requests > limits.connections")
    if serve.workers > 1 and (settings.database or "").startswith("sqlite"):
        raise contradiction("serve.workers > 1 on SQLite: several processes need PostgreSQL")
    if 0 < settings.watch.silence_seconds < 10:
        raise contradiction("watch.silence_seconds: a watch says so every 5 seconds; 10, or 0")
    sent = settings.telemetry.endpoint
    if sent is not None and not sent.startswith(("https://", *_THIS_MACHINE)):
        raise contradiction("telemetry.endpoint: https:// is required, http:// on this machine")
    rung = settings.telephony.endpoint
    if rung is not None and not rung.startswith(("https://", *_THIS_MACHINE)):
        raise contradiction("telephony.endpoint: https:// is required, http:// on this machine")
    seen = serve.public_url
    if seen is not None and not seen.startswith("https://"):
        raise contradiction("serve.public_url: https:// is required")
    # What stands below it begins with a slash of its own, and is matched by parts.
    if seen is not None and not _HOST_ALONE.fullmatch(seen):
        raise contradiction("serve.public_url: https://host or https://host:port, and no path")


_HOST_ALONE = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/?")
_THIS_MACHINE = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")


def _walk(kind: type[Struct], above: str = "") -> Iterator[tuple[str, object]]:
    for field in msgspec.structs.fields(kind):
        if field.name == "schema":
            continue
        key = f"{above}{field.name}"
        if isinstance(field.default, Struct):
            yield from _walk(type(field.default), f"{key}.")
        else:
            yield key, field.default


# Every key and its default, in the order of the documentation.
KEYS: Mapping[str, object] = dict(_walk(ServerSettings))

# Variables that begin so belong to the service; ACL_LANG and the like do not.
_SECTIONS = tuple(sorted({f"{PREFIX}{key.split('.')[0].upper()}_" for key in KEYS if "." in key}))
_ABSENT = object()


def _variables(environ: Mapping[str, str]) -> dict[str, object]:
    by_name = {variable_of(key): key for key in KEYS}
    found: dict[str, object] = {}
    for name in sorted(one for one in environ if one.startswith(PREFIX)):
        if name in by_name:
            found[by_name[name]] = _typed(name, by_name[name], environ[name])
        elif name.startswith(_SECTIONS):
            raise ConfigError(UNKNOWN_VARIABLE.of(variable=name))
    return found


def _typed(variable: str, key: str, text: str) -> object:
    """A variable's text as the type of its key."""
    kind: Any = ServerSettings
    for part in key.split("."):
        kind = next(field.type for field in msgspec.structs.fields(kind) if field.name == part)
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError as failure:
        what = strict_yaml.one_line(str(failure))
        raise ConfigError(BAD_VARIABLE.of(variable=variable, what=what)) from None


def _get(document: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(document, dict) or part not in document:
            return _ABSENT
        document = document[part]
    return document


def _set(document: Any, key: str, value: object) -> None:
    *above, last = key.split(".")
    for part in above:
        if not isinstance(document.get(part), dict):
            document[part] = {}
        document = document[part]
    document[last] = value

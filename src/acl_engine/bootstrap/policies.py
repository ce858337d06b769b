"""Which policy runs: over real people a signed bundle and nothing else.

INVARIANTS
- Over a database that is not a synthetic world, a policy comes out of a bundle that two people
  signed, is not older than what has run, and is on record before it is used.
- Every load, refusal and rollback is an audit record; if it cannot be written, nothing is loaded.
- What runs is known by its content: a folder of the same words is the same policy, and one word
  more is none. `Engine.open` reads the pack from its files again.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from acl_engine.audit import record
from acl_engine.bootstrap.clocks import millis_of
from acl_engine.bootstrap.paths import project_root
from acl_engine.bootstrap.world_clock import desk_clock
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AclError, ConfigError, PolicyError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.running import Running
from acl_engine.domain.text import Text
from acl_engine.policy import bundle as bundles
from acl_engine.policy.bundle import digest_of
from acl_engine.policy.pack import load_pack, pack_from_files
from acl_engine.policy.trust import read_trust
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database, is_synthetic, world_pack
from acl_engine.storage.policy_loads import SqlPolicyLoads

UNSIGNED_FOLDER = Text(
    "policies.unsigned",
    "真实数据上只运行签名的策略包，`{path}` 是目录",
    "over real people only a signed bundle runs, and `{path}` is a folder",
    "用 `acl policy bundle` 打包、双方签名，再用 ACL_POLICY 指向该文件",
    "pack it with `acl policy bundle`, have both sign it, and point ACL_POLICY to the file",
)
NO_POLICY = Text(
    "policies.none",
    "没有指明策略",
    "no policy was named",
    "用 --policy 或 ACL_POLICY 给出签名的策略包",
    "give a signed bundle with --policy or ACL_POLICY",
)
NO_TRUST = Text(
    "policies.no-trust",
    "没有给出信任文件，无法验证策略包的签名",
    "no trust file was given, so the bundle's signatures cannot be checked",
    "用 --trust 或 ACL_POLICY_TRUST 给出",
    "name it with --trust or ACL_POLICY_TRUST",
)
REPLAY_ONLY = Text(
    "policies.replay-only",
    "策略包里的策略仅供回放",
    "the policy in the bundle is for replay only",
    "打包 `after` 策略",
    "pack the `after` policy",
)
NOT_LOADED = Text(
    "policies.not-loaded",
    "这一策略没有从签名的策略包载入",
    "this policy was not loaded from a signed bundle",
    "用 --policy 给出策略包，--trust 给出信任文件",
    "give the bundle with --policy and the trust file with --trust",
)
MEANWHILE = Text(
    "policies.meanwhile",
    "另一个进程同时载入了别的策略",
    "another process loaded another policy meanwhile",
    "再试一次",
    "try again",
)
CANNOT_READ = Text(
    "policies.cannot-read",
    "文件无法读取：{why}",
    "the file cannot be read: {why}",
    "检查路径与权限",
    "check the path and its permissions",
)


_VARIABLES = {
    "path": "ACL_POLICY",
    "trust": "ACL_POLICY_TRUST",
    "rollback": "ACL_POLICY_ROLLBACK",
}


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Where a policy comes from: a bundle, or in a synthetic world a pack's folder.

    `trust` says who may sign, `rollback` is the signed order that lets an older bundle in.
    """

    path: Path
    trust: Path | None = None
    rollback: Path | None = None


def policy_for(database: Database, path: Path | None = None, **named: Path | None) -> Pack:
    """`open_policy` of what is named (`trust`, `rollback`), else of what the environment says.

    ACL_POLICY, ACL_POLICY_TRUST and ACL_POLICY_ROLLBACK; a synthetic world falls back on the
    policy that the project ships. Raises ConfigError where a real one is told nothing.
    """
    said = {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}
    found = {name: named.get(name) or (Path(text) if text else None) for name, text in said.items()}
    found["path"] = path or found["path"]
    if found["path"] is None and is_synthetic(database):
        found["path"] = project_root() / "policies" / world_pack(database) / "after"
    if found["path"] is None:
        raise ConfigError(NO_POLICY.of())
    return open_policy(database, PolicySource(found["path"], found["trust"], found["rollback"]))


def policy_at(url: str, path: Path | None = None) -> Pack:
    """`policy_for` of a database that is not open yet."""
    with Database.open(url) as database:
        return policy_for(database, path)


def open_policy(database: Database, source: PolicySource) -> Pack:
    """The pack to run over a database. Raises PolicyError or ConfigError for what must not run,
    after the refusal is on record, and AuditUnavailable where it cannot be recorded."""
    audit = AuditStore(database, record.encode, record.leaf_hash, record.decode)
    loads = SqlPolicyLoads(database)
    running = loads.running()
    if source.path.is_dir():
        pack = load_pack(source.path)
        if is_synthetic(database) or (running and running.digest == digest_of(pack.files)):
            return pack
    at = millis_of(desk_clock(database))
    try:
        bundle, order = _verified(source, running)
        pack = pack_from_files(bundle.files, folder=f"{bundle.pack}/{source.path.name}")
        if pack.settings.replay_only:
            raise ConfigError(REPLAY_ONLY.of(), Where(source.path.name))
    except AclError as refused:
        audit.append(_refusal(at, running, refused, source.path))
        raise
    highest = max(bundle.sequence, running.highest if running else 0)
    now = Running(bundle.pack, bundle.sequence, bundle.digest, highest)
    signed = "; ".join(f"{one.part} {one.name}" for one in bundle.signatures)
    audit.append(_entry(at, "policy.rollback" if order else "policy.load", now, signed))
    changed = running is None or running.digest != bundle.digest
    if changed and not _recorded(loads, running, now, order, at // 1000):
        failure = ConfigError(MEANWHILE.of())
        audit.append(_refusal(at, now, failure, source.path))
        raise failure
    return pack


def _recorded(
    loads: SqlPolicyLoads, before: Running | None, now: Running, order: str | None, at: int
) -> bool:
    """Whether `now` runs: recorded here, or at this very moment by another process."""
    if loads.record(before, now, order, at):
        return True
    found = loads.running()
    return found is not None and found.digest == now.digest


def require_loaded(database: Database, pack: Pack) -> Pack:
    """The pack again, from its files, if they are what was loaded over this database.

    Raises ConfigError. What was changed of a pack in memory is gone.
    """
    running = SqlPolicyLoads(database).running()
    if running is None or running.digest != digest_of(pack.files):
        raise ConfigError(NOT_LOADED.of())
    return pack_from_files(pack.files, folder=pack.folder)


def _verified(source: PolicySource, running: Running | None) -> tuple[bundles.Bundle, str | None]:
    """The bundle, and the digest of the rollback order where one was needed."""
    if source.path.is_dir():
        raise ConfigError(UNSIGNED_FOLDER.of(path=source.path.name))
    if source.trust is None:
        raise ConfigError(NO_TRUST.of())
    people = read_trust(source.trust)
    data = _bytes(source.path)
    order = _bytes(source.rollback) if source.rollback else None
    found = bundles.verify(data, people, running=running, rollback=order, file=source.path.name)
    back = running is not None and found.digest != running.digest
    used = back and running is not None and found.sequence <= running.highest
    return found, bundles.order_digest(order) if order is not None and used else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failure:
        why = CANNOT_READ.of(why=failure.strerror or "?")
        raise PolicyError(why, Where(str(path))) from None


def _refusal(at: int, running: Running | None, refused: AclError, path: Path) -> AuditEntry:
    """What was offered, by the digest of its bytes; what runs on, by its own."""
    try:
        offered = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        offered = ""
    entry = _entry(at, "policy.refuse", running)
    return replace(entry, effect="deny", reason=refused.message.code, digest=offered)


def _entry(at: int, action: str, what: Running | None, signed: str = "") -> AuditEntry:
    """`resource` names the pack and sequence, `policy` the digest, `purpose` who signed."""
    return AuditEntry(
        kind="event",
        request=new_request_id(),
        at=at,
        action=action,
        resource=f"policy:{what.pack}:{what.sequence}" if what else "policy",
        account=None,
        effect="allow",
        line="policy",
        purpose=signed or None,
        policy=what.digest[:16] if what else "",
    )

"""Signed bundles: the only form in which production loads a policy.

A bundle is one JSON document: the files of a pack, their digest, the difference to the version
before, the replay result, and two Ed25519 signatures (RFC 8032) over all of that.

INVARIANTS
- Nothing is read from a bundle before both signatures have been verified.
- Author and approver are two people with two keys, both named in the trust file for that part.
- The replay result that is bound in belongs to exactly these files, and fell short nowhere.
- `sequence` only grows, past the highest that ever ran; one sequence is one bundle. Going back
  needs a rollback order signed by both, from exactly what runs to exactly this bundle, used once.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.running import Running
from acl_engine.domain.text import Text

SCHEMA = "acl-bundle/1"
# A pack is a few files of text; anything larger is not one. Bounds what an attacker makes us hash.
MAX_BYTES = 64 * 1024 * 1024

Part = Literal["author", "approver"]
PARTS: tuple[Part, ...] = ("author", "approver")

NOT_A_BUNDLE = Text(
    "bundle.unreadable",
    "不是可读的策略包：{why}",
    "not a readable bundle: {why}",
    "请用 `acl policy bundle` 重新打包",
    "pack it again with `acl policy bundle`",
)
DIGEST = Text(
    "bundle.digest",
    "策略包内容与摘要不符",
    "the bundle's files do not match its digest",
    "文件被改动过：请向作者索取原件",
    "a file was changed: ask the author for the original",
)
UNSIGNED = Text(
    "bundle.unsigned",
    "缺少 `{part}` 的有效签名",
    "no valid signature of the `{part}`",
    "请用 `acl policy sign --as {part}` 签名",
    "sign it with `acl policy sign --as {part}`",
)
SAME_PERSON = Text(
    "bundle.same-person",
    "作者与审批人必须是两个人、两把密钥",
    "author and approver must be two people with two keys",
    "请由另一人审批",
    "have another person approve it",
)
UNTRUSTED = Text(
    "bundle.untrusted",
    "信任文件不允许 `{name}` 担任 `{part}`",
    "the trust file does not let `{name}` act as `{part}`",
    "请检查信任文件",
    "check the trust file",
)
REPLAY_SHORT = Text(
    "bundle.replay",
    "策略包未绑定这一版本的完整通过的回放结果",
    "no replay result of this very version without a shortfall is bound in",
    "请先运行 `acl replay --policy 目录 --json 文件` 并全部通过",
    "run `acl replay --policy DIR --json FILE` first, with nothing falling short",
)
ROLLBACK = Text(
    "bundle.rollback",
    "策略包序号 `{offered}` 不高于曾运行过的 `{loaded}`",
    "bundle sequence `{offered}` is not newer than `{loaded}`, which has run",
    "回退须有双方签名的回退令（`acl policy rollback`）",
    "going back needs a rollback order signed by both (`acl policy rollback`)",
)
ORDER_USED = Text(
    "bundle.order-used",
    "这份回退令已经用过一次",
    "this rollback order was used before",
    "请双方另签一份",
    "have both sign a new one",
)
OTHER_PACK = Text(
    "bundle.other-pack",
    "策略包属于 `{offered}`，这里运行的是 `{loaded}`",
    "the bundle is of `{offered}`, what runs here is `{loaded}`",
    "检查策略包与数据库是否对应",
    "check that the bundle and the database belong together",
)


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    part: Part
    name: str
    value: str  # base64 of 64 bytes


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`files` maps a pack's file names to their text; `digest` is over them (hex SHA-256)."""

    schema: Literal["acl-bundle/1"] = "acl-bundle/1"
    pack: str
    sequence: int
    digest: str
    files: dict[str, str]
    diff: dict[str, Any]
    replay: dict[str, Any]
    signatures: tuple[Signature, ...] = ()


class Trusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person of the trust file: which parts they may play, and their public key (base64)."""

    name: str
    parts: tuple[Part, ...]
    public_key: str


class Rollback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order to go back: from one sequence to the bundle with this digest. `made_at` (epoch
    seconds) and the reason tell two orders for the same step apart."""

    schema: Literal["acl-rollback/1"] = "acl-rollback/1"
    made_at: int
    from_sequence: int
    to_digest: str
    reason: str
    signatures: tuple[Signature, ...] = ()


_Document = TypeVar("_Document", Bundle, Rollback)


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over names and texts, each preceded by its length, so that no two packs collide."""
    state = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode()):
            state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()


def make(
    pack: str, sequence: int, files: Mapping[str, str], diff: dict[str, Any], replay: dict[str, Any]
) -> Bundle:
    """An unsigned bundle. Raises PolicyError where the replay result is of another version."""
    bundle = Bundle(
        pack=pack,
        sequence=sequence,
        digest=digest_of(files),
        files=dict(sorted(files.items())),
        diff=diff,
        replay=replay,
    )
    _require_replay(bundle, "bundle")
    return bundle


def sign(document: _Document, part: Part, name: str, key: Ed25519PrivateKey) -> _Document:
    """The document with this part's signature; an earlier one of the same part is replaced."""
    value = base64.b64encode(key.sign(_message(document, part, name))).decode()
    return msgspec.structs.replace(
        document, signatures=_added(document.signatures, Signature(part, name, value))
    )


def _added(signatures: tuple[Signature, ...], new: Signature) -> tuple[Signature, ...]:
    return (*(one for one in signatures if one.part != new.part), new)


def encode(document: Bundle | Rollback) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def verify(
    data: bytes,
    trust: tuple[Trusted, ...],
    *,
    running: Running | None = None,
    rollback: bytes | None = None,
    file: str = "bundle",
) -> Bundle:
    """The bundle, or PolicyError: digest, two signatures, two people, replay result, sequence.

    `running` is what runs now (None: nothing yet); `rollback` the signed order that lets an older
    bundle in. What runs already may be opened again.
    """
    bundle = _decode(data, Bundle, file)
    if digest_of(bundle.files) != bundle.digest:
        raise PolicyError(DIGEST.of(), Where(file))
    _require_signatures(bundle, trust, file)
    _require_replay(bundle, file)
    if running is None or bundle.digest == running.digest:
        return bundle
    if bundle.pack != running.pack:
        raise PolicyError(OTHER_PACK.of(offered=bundle.pack, loaded=running.pack), Where(file))
    if bundle.sequence <= running.highest:
        _require_rollback(bundle, trust, running, rollback, file)
    return bundle


def order_digest(rollback: bytes) -> str:
    """Names a rollback order by what was ordered, whoever signed it again (hex SHA-256)."""
    order = _decode(rollback, Rollback, "rollback")
    bare = msgspec.structs.replace(order, signatures=())
    return hashlib.sha256(msgspec.json.encode(bare)).hexdigest()


def read(data: bytes, file: str) -> Bundle | Rollback:
    """A document that is to be signed or shown. Nothing of it has been verified."""
    try:
        return _decode(data, Rollback, file)
    except PolicyError:
        return _decode(data, Bundle, file)


def _require_rollback(
    bundle: Bundle,
    trust: tuple[Trusted, ...],
    running: Running,
    rollback: bytes | None,
    file: str,
) -> None:
    if rollback is not None:
        order = _decode(rollback, Rollback, "rollback")
        _require_signatures(order, trust, "rollback")
        if order_digest(rollback) in running.orders:
            raise PolicyError(ORDER_USED.of(), Where("rollback"))
        if order.from_sequence == running.sequence and order.to_digest == bundle.digest:
            return
    raise PolicyError(ROLLBACK.of(offered=bundle.sequence, loaded=running.highest), Where(file))


def _require_signatures(document: Bundle | Rollback, trust: tuple[Trusted, ...], file: str) -> None:
    signed = {one.part: one for one in document.signatures}
    people: list[Trusted] = []
    for part in PARTS:
        if part not in signed or len(signed) != len(document.signatures):
            raise PolicyError(UNSIGNED.of(part=part), Where(file))
        people.append(_verified(document, signed[part], trust, file))
    author, approver = people
    if author.name == approver.name or author.public_key == approver.public_key:
        raise PolicyError(SAME_PERSON.of(), Where(file))


def _verified(
    document: Bundle | Rollback, signature: Signature, trust: tuple[Trusted, ...], file: str
) -> Trusted:
    for person in trust:
        if person.name == signature.name and signature.part in person.parts:
            break
    else:
        refused = UNTRUSTED.of(name=signature.name, part=signature.part)
        raise PolicyError(refused, Where(file))
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(person.public_key, validate=True))
        value = base64.b64decode(signature.value, validate=True)
        key.verify(value, _message(document, signature.part, signature.name))
    except (ValueError, InvalidSignature):
        raise PolicyError(UNSIGNED.of(part=signature.part), Where(file)) from None
    return person


def _require_replay(bundle: Bundle, file: str) -> None:
    summary = bundle.replay.get("summary")
    if (
        bundle.replay.get("policy_digest") != bundle.digest
        or not isinstance(summary, dict)
        or summary.get("short") != 0
        or not summary.get("total")
    ):
        raise PolicyError(REPLAY_SHORT.of(), Where(file))


def _message(document: Bundle | Rollback, part: Part, name: str) -> bytes:
    """What is signed: schema, part and name bound to the whole document without signatures."""
    bare = msgspec.to_builtins(msgspec.structs.replace(document, signatures=()))
    body = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"{document.schema}\n{part}\n{name}\n{body}".encode()


def _decode(data: bytes, kind: type[_Document], file: str) -> _Document:
    if len(data) > MAX_BYTES:
        raise PolicyError(NOT_A_BUNDLE.of(why="larger than 64 MiB"), Where(file))
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The decoder's text may quote the file; its place in the file is all that is needed.
        raise PolicyError(NOT_A_BUNDLE.of(why=f"not {kind.__name__} JSON"), Where(file)) from None

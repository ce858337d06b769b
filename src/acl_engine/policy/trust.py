"""The trust file: who may sign a policy, in which part, with which key.

    schema: acl-policy-trust/1
    people:
      - {name: ann, parts: [author], public_key: 2x0y...=}
      - {name: bob, parts: [approver], public_key: 9aQz...=}

INVARIANTS
- A name stands once, a key stands once: one person is one signature.
- At least one author and one approver who is somebody else: otherwise nothing could ever load.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from acl_engine.domain.errors import ConfigError, Where
from acl_engine.domain.text import Message, Text
from acl_engine.policy import strict_yaml
from acl_engine.policy.bundle import Trusted

KEY_BYTES = 32

BAD_KEY = Text(
    "trust.key",
    "`{name}` 的公钥须为 32 字节的 base64",
    "the public key of `{name}` must be 32 bytes in base64",
    "用 `acl policy key` 生成",
    "make it with `acl policy key`",
)
TWICE = Text(
    "trust.twice",
    "`{name}` 或其公钥出现两次",
    "`{name}`, or this person's key, stands twice",
    "一人一个名字、一把密钥",
    "one person is one name with one key",
)
NOBODY = Text(
    "trust.nobody",
    "信任文件里没有两个不同的人分任作者与审批人",
    "the trust file has no author and approver who are two people",
    "至少写一名作者和另一名审批人",
    "name at least one author and another approver",
)
WRITABLE = Text(
    "trust.writable",
    "其他用户可以改写信任文件",
    "others may write the trust file",
    "chmod go-w",
    "chmod go-w",
)


class _Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["acl-policy-trust/1"]
    people: tuple[Trusted, ...]


def read_trust(file: Path) -> tuple[Trusted, ...]:
    """The people of a trust file. Raises ConfigError: unreadable, writable by others, or wrong."""
    found: _Trust = strict_yaml.read(file, _Trust, error=ConfigError)
    if file.stat().st_mode & 0o022:
        raise ConfigError(WRITABLE.of(), Where(str(file)))
    for wrong in _wrong(found.people):
        raise ConfigError(wrong, Where(str(file)))
    return found.people


def _wrong(people: tuple[Trusted, ...]) -> Iterator[Message]:
    seen: set[str] = set()
    for one in people:
        try:
            key = base64.b64decode(one.public_key, validate=True)
        except ValueError:
            key = b""
        # The last character of a key has two bits to spare: written otherwise it is another text.
        if len(key) != KEY_BYTES or base64.b64encode(key).decode() != one.public_key:
            yield BAD_KEY.of(name=one.name)
        if seen & {one.name, one.public_key}:
            yield TWICE.of(name=one.name)
        seen |= {one.name, one.public_key}
    authors = {one.name for one in people if "author" in one.parts}
    approvers = {one.name for one in people if "approver" in one.parts}
    if not authors or not approvers or len(authors | approvers) < 2:
        yield NOBODY.of()

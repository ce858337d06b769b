"""What came of one step: the answer as bytes, or where and by which control it stopped."""

import json
from dataclasses import dataclass

from acl_engine.domain.accountability import AuditEntry


@dataclass(frozen=True, slots=True)
class Outcome:
    """`line` is a number of the lookup line, `login`, `admin`, `http` or `call`. `named`: the log
    says who it was. `token` is a session or a dial capability; `status` that of an HTTP answer,
    `mark` the code on the screen that showed it, `marked` the recipients whom the made-up rows of a
    copy name."""

    allowed: bool
    line: str = ""
    controls: tuple[str, ...] = ()
    rule: str | None = None
    reason: str = ""
    answer: bytes = b""
    request: str = ""
    named: bool = False
    looked: int = 0
    token: str = ""
    status: int = 0
    mark: str = ""
    marked: tuple[str, ...] = ()

    def views(self) -> list[dict[str, str]]:
        """The records as the returned bytes say them: handle and shown fields."""
        found: list[dict[str, str]] = json.loads(self.answer) if self.answer else []
        return found


DONE = Outcome(True, named=True)


def named(entries: list[AuditEntry]) -> bool:
    """Whether the log names who it was: the account, or that no live one was behind it."""
    return bool(entries) and all(
        entry.account is not None or entry.line in ("0", "login") for entry in entries
    )

"""The one error tree, sorted by who must act.

INVARIANTS
- A message is one line, in domain words, values in backticks, the hint apart.
- No message holds personal data: parameters are names of files, fields, roles, codes, counts.
- No foreign exception crosses a room: adapters turn theirs into one of these.
- `AccessDenied` looks the same to the caller whatever the reason; the reason is in the audit log.
"""

from dataclasses import dataclass

from acl_engine.domain.accounts import LoginAttempt
from acl_engine.domain.cas import Failure
from acl_engine.domain.control import Refusal
from acl_engine.domain.text import Lang, Message, Text


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file: 1-based line and column, 0 when unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return place

    def within(self, column: int) -> "Where":
        """The place of a column, from 1, of a text that begins here."""
        return Where(self.file, self.line, max(self.column - 1, 0) + column)


class AclError(Exception):
    """Base of everything this engine raises on purpose."""

    exit_code = 2

    def __init__(self, message: Message, where: Where | None = None) -> None:
        super().__init__(message, where)
        self.message = message
        self.where = where

    def render(self, lang: Lang = "en") -> str:
        """One line: where, what, and what to do."""
        line = self.message.render(lang)
        if self.where:
            line = f"{self.where}: {line}"
        hint = self.message.hint(lang)
        return f"{line} ({hint})" if hint else line

    def __str__(self) -> str:
        return self.render("en")


# --- the author of a file must act -----------------------------------------------------------


class InputError(AclError):
    """A call or a file is wrong: nothing was done."""


class PolicyError(InputError):
    """A model, policy or pack that must not be loaded."""


class PolicyErrors(PolicyError):
    """All the findings of one load, so that the author mends them in one go: the errors that stop
    it, and the warnings beside them, which do not."""

    def __init__(
        self, errors: tuple[PolicyError, ...], warnings: tuple[PolicyError, ...] = ()
    ) -> None:
        super().__init__(errors[0].message, errors[0].where)
        self.errors, self.warnings = errors, warnings

    def render(self, lang: Lang = "en") -> str:
        return "\n".join(error.render(lang) for error in self.errors)


class ScenarioError(InputError):
    """A scenario file that cannot be run as written."""


# --- the operator must act -------------------------------------------------------------------


class ConfigError(AclError):
    """Missing or contradictory configuration stops the start."""


class StoreError(AclError):
    """The database is locked, read-only, gone, or of another schema version."""


class AuditUnavailable(StoreError):
    """A record could not be made durable, so nothing may be answered."""


# --- the person who asked ---------------------------------------------------------------------

DENIED = Text(
    "denied",
    "拒绝访问（请求编号 `{request}`）",
    "access denied (request `{request}`)",
    "如需查询，请凭请求编号联系主管或安全部门",
    "ask your supervisor or the security desk, quoting the request id",
)


class AccessDenied(AclError):
    """The same bytes for every denial: unknown record, no right, budget spent, dead session.

    Carries the request id alone. Which step, rule and control refused stands in the audit record
    of that id, for the policy author and the auditor, never for the caller.
    """

    exit_code = 1

    def __init__(self, request_id: str) -> None:
        super().__init__(DENIED.of(request=request_id))
        self.request_id = request_id


ACT_REFUSED = Text("act-refused", "操作被拒绝", "the act was refused")


class ActRefused(AclError):
    """The state of a record does not allow an act. The door writes it down and denies."""

    exit_code = 1

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(ACT_REFUSED.of())
        self.refusal = refusal


class ChangeRefused(InputError):
    """An administrator's act that the rules of accounts forbid. It is on record; the reason is
    told, and `refusal` names the control."""

    exit_code = 1

    def __init__(self, message: Message, refusal: Refusal) -> None:
        super().__init__(message)
        self.refusal = refusal


SESSION_DEAD = Text("session-dead", "会话无效", "the session is not live")
LOGIN_REFUSED = Text("login-refused", "登录被拒绝", "the login was refused")


class SessionDead(AclError):
    """Step 0 found no live person behind a token. The text is the same whatever the cause."""

    exit_code = 1

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(SESSION_DEAD.of())
        self.refusal = refusal


class LoginRefused(AclError):
    """A login failed. The text is the same whatever the cause; `attempt` is for the audit log."""

    exit_code = 1

    def __init__(self, attempt: LoginAttempt) -> None:
        super().__init__(LOGIN_REFUSED.of())
        self.attempt = attempt


class ServiceRefused(AclError):
    """An application that is not registered, or not for this: said to the person in plain words."""

    exit_code = 1


class FormRefused(AclError):
    """A login form that this browser was not given, that is too old, or that was sent before."""

    exit_code = 1


class TicketRefused(AclError):
    """A ticket that is not good, for the application that offered it: the protocol's code."""

    exit_code = 1

    def __init__(self, failure: Failure, message: Message) -> None:
        super().__init__(message)
        self.failure = failure

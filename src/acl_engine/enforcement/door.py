"""The door's parts: the ports that a look goes through, and how a line says no.

INVARIANT: a refusal is an exception inside this room (`Refused`) and always ends as a durable
record plus `AccessDenied`, whose bytes depend on the request id alone; see `trail`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from acl_engine.domain.approvals import Approvals
from acl_engine.domain.control import Refusal
from acl_engine.domain.pack import Pack
from acl_engine.domain.personal import Records
from acl_engine.domain.ports import (
    Acts,
    Budgets,
    Clock,
    Decider,
    DialProvider,
    Dials,
    Directory,
    Pseudonyms,
    Sessions,
    SharedLog,
)
from acl_engine.domain.releases import Releases
from acl_engine.domain.text import Message


@dataclass(frozen=True, slots=True)
class Door:
    """The ports that a look goes through, put together by `bootstrap`.

    `alarm` says aloud, to whoever watches, what must not pass unseen. `index` turns a canonical
    phone into its keyed search index. `step` is called with each line's number as it is entered;
    it measures, and does nothing unless asked to.
    """

    pack: Pack
    clock: Clock
    sessions: Sessions
    directory: Directory
    decider: Decider
    budgets: Budgets
    audit: SharedLog
    records: Records
    pseudonyms: Pseudonyms
    acts: Acts
    dials: Dials
    provider: DialProvider
    approvals: Approvals
    releases: Releases
    index: Callable[[str], str]
    verified_callers: bool = True
    alarm: Callable[[Message], None] = lambda message: None
    step: Callable[[str], None] = lambda line: None
    marks: bool = True


class Refused(Exception):
    """A refusal on its way to the audit record."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def refuse(line: str, code: str, *controls: str, rule: str | None = None) -> Refused:
    return Refused(Refusal(line, controls, rule, code))

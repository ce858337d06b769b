"""What the audit log holds of one look. Never clear personal data: values are keyed hashes."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

# So many characters of an account's name are in the column that the log is searched by.
FILED_CHARS = 64
# The act of retention: `evidence` is the first index that was emptied and the first that was not.
RETENTION = "audit.retention"
# The mention of a trusted time stamp: `digest` is its token's. What follows was written later.
STAMPED = "audit.stamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One record. An `intent` is durable before anything is fetched, an `outcome` before the
    answer leaves; an `event` is a login, a scan, a policy load, an administrator's act.

    `at` is in epoch milliseconds UTC. `line`, `controls`, `rule` and `reason` say who refused.
    `subjects` are the keyed hashes of the records looked at, `fields` the names of what was shown.

    For detection: `areas` are short keyed hashes of the service areas of `subjects`, in the same
    order; `block` is the short keyed hash of the hundred numbers around the one that was asked for
    by number; `on_shift` says whether the person was, None where nobody asked. `evidence` are the
    indexes of the records that an alert is about. Who is not known, or matters not, is None.
    """

    kind: Literal["intent", "outcome", "event"]
    request: str
    at: int
    action: str
    resource: str
    account: str | None
    person: str | None = None
    role: str | None = None
    unit: str | None = None
    device: str | None = None
    session: str | None = None
    effect: Literal["allow", "deny", "error"]
    line: str
    controls: tuple[str, ...] = ()
    rule: str | None = None
    reason: str = ""
    purpose: str | None = None
    ticket: str | None = None
    subjects: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    count: int = 0
    digest: str = ""
    watermark: str = ""
    policy: str = ""
    areas: tuple[str, ...] = ()
    block: str = ""
    on_shift: bool | None = None
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of writing: the record's index in the log and its hash (hex)."""

    index: int
    leaf: str


class Stored(NamedTuple):
    """A record as it lies in the store: its bytes, its leaf hash, and the columns that searches go
    by. `number` is its index; `body` is empty where retention has emptied it."""

    number: int
    body: bytes
    leaf: bytes
    request: str
    at: int
    account: str | None


class LegalHolds(Protocol):
    """Cases for which everything is kept. Whoever deletes data or destroys a key asks first."""

    def refuse_while_held(self) -> None:
        """Raises InputError, naming the cases, while a hold is open."""
        ...

"""One thing that happened, as detection rules see it: a record of the log, or a scan."""

from collections.abc import Callable

import msgspec

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.alarm import Scanned
from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text

# Rules name one subject and one area; an event has as many as the answer had records.
MANY = {"subject": "subjects", "area": "areas"}

UNREADABLE = Text(
    "detect.unreadable",
    "审计记录 `{index}` 不可读",
    "audit record `{index}` cannot be read",
    "运行 `acl audit verify`",
    "run `acl audit verify`",
)


class Event(msgspec.Struct, gc=False):
    """The fields of a record that a rule may name. A scan has kind `scan`, no index in the log,
    and the digest of its parcel as its only subject. `at` in epoch milliseconds."""

    kind: str
    at: int
    action: str
    resource: str = ""
    account: str | None = None
    person: str | None = None
    role: str | None = None
    unit: str | None = None
    device: str | None = None
    session: str | None = None
    effect: str = ""
    line: str = ""
    reason: str = ""
    purpose: str | None = None
    ticket: str | None = None
    count: int = 0
    digest: str = ""
    block: str = ""
    on_shift: bool | None = None
    subjects: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


FIELDS = frozenset({*Event.__struct_fields__, *MANY} - set(MANY.values()))
_decoder = msgspec.json.Decoder(Event)


def of_record(index: int, body: bytes) -> Event:
    """The event of a record's bytes. Raises StoreError naming the record."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        raise StoreError(UNREADABLE.of(index=index)) from None


def of_entry(entry: AuditEntry) -> Event:
    """The event of an entry at hand."""
    return Event(**{name: getattr(entry, name) for name in Event.__struct_fields__})


def of_scan(scan: Scanned, digest: Callable[[str, str], str]) -> Event:
    """The event of a scan; `digest` is the log's keyed hash."""
    return Event(
        kind="scan",
        at=scan.at,
        action=scan.kind,
        account=scan.account,
        unit=scan.unit,
        device=scan.device,
        effect="allow",
        subjects=(digest("waybill", scan.waybill_no),),
    )

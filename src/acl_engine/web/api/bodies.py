"""What comes in and goes out, as types: they are checked, and they are the published schemas.

INVARIANTS
- An unknown key is refused, except where AuthZEN says that more may come.
- No text holds a control character; every text and list is bounded.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

# Letters of any script and no control characters, which pages and databases stumble on.
_PLAIN = r"^[^\u0000-\u001f\u007f-\u009f]*$"
Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
Value = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PLAIN)]
Secret = Annotated[str, Meta(min_length=1, max_length=512, pattern=_PLAIN)]
Values = Annotated[dict[Word, Value], Meta(max_length=16)]
Fields = Annotated[list[Word], Meta(max_length=64)]
Reference = Annotated[str, Meta(max_length=48, pattern=r"^[A-Za-z0-9._-]{1,48}$")]
Moment = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


# --- coming and going ----------------------------------------------------------------------------


class Device(_Strict, frozen=True):
    """The id of the device."""

    device: Word


class Challenge(_Strict, frozen=True):
    """What the device must sign (Ed25519), good once and for two minutes."""

    challenge: str


class DeviceAnswer(_Strict, frozen=True):
    """A device's signature over its challenge, base64url."""

    id: Word
    challenge: Secret
    signature: Secret


class Login(_Strict, frozen=True):
    """A person's credentials. `code`: the six digits of the authenticator, or a recovery code."""

    login: Value
    password: Secret
    code: Annotated[str, Meta(max_length=40, pattern=_PLAIN)] = ""
    device: DeviceAnswer | None = None


class StepUp(_Strict, frozen=True):
    """A code of now, and the answer of the session's device to a challenge of now. The session is
    then fresh for minutes: for approving, breaking the glass, and after an alert."""

    code: Annotated[str, Meta(min_length=6, max_length=12, pattern=_PLAIN)]
    device: DeviceAnswer | None = None


class Session(_Strict, frozen=True):
    """The bearer token of the person who logged in."""

    token: str
    account: str
    role: str
    unit: str


class Ticket(_Strict, frozen=True):
    """A service or proxy ticket made for this API's address."""

    ticket: Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9-]+$")]


class Visit(_Strict, frozen=True):
    """A bearer token that speaks for the person of the ticket. `seconds`: its longest life."""

    token: str
    account: str
    seconds: int


# --- looking -------------------------------------------------------------------------------------


class Lookup(_Strict, frozen=True):
    """One record by its key. `fields`: ask for less than all that may be shown."""

    key: Value
    resource: Word = "waybill"
    action: Literal["read", "trace", "verify"] = "read"
    fields: Fields = []
    params: Values = {}
    purpose: Reference | None = None
    ticket: Reference | None = None


class Search(_Strict, frozen=True):
    """Records by criteria, a page at a time. `after`: the `next` of the page before."""

    by: Values
    resource: Word = "waybill"
    action: Literal["search", "reverse_lookup", "count_by_phone", "aggregate"] = "search"
    fields: Fields = []
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    after: Value | None = None
    purpose: Reference | None = None
    ticket: Reference | None = None


class Shown(_Strict, frozen=True):
    """One record as this person may see it; `watermark` belongs on the screen beside it."""

    handle: str
    fields: dict[str, str]
    watermark: str


class Answer(_Strict, frozen=True):
    """`request` is the number of the audit record. `next`: there may be more."""

    request: str
    views: list[Shown]
    next: str | None


# --- acting --------------------------------------------------------------------------------------


class Act(_Strict, frozen=True):
    """A scan, a reassignment or a ticket. `params`: `to_unit`, `to_person`, `source` and so on."""

    key: Value
    action: Literal["scan_out", "scan_in", "reassign", "open_ticket"]
    resource: Word = "waybill"
    params: Values = {}
    purpose: Reference | None = None


class Acted(_Strict, frozen=True):
    """`made` names what the act made, such as a ticket."""

    request: str
    made: str


class Dial(_Strict, frozen=True):
    """The parcel whose contact is to be called."""

    key: Value
    resource: Word = "waybill"
    purpose: Reference | None = None


class Capability(_Strict, frozen=True):
    """The right to one call, never a number. `expires_at`: epoch seconds."""

    request: str
    capability: str
    expires_at: int


class Call(_Strict, frozen=True):
    capability: Secret


class Called(_Strict, frozen=True):
    """answered, busy, no-answer or off."""

    request: str
    outcome: str


# --- approvals -----------------------------------------------------------------------------------


class Ask(_Strict, frozen=True):
    """A right for minutes: one record, one purpose. `urgent` breaks the glass."""

    key: Value
    purpose: Reference
    resource: Word = "waybill"
    ticket: Reference | None = None
    urgent: bool = False


class Reply(_Strict, frozen=True):
    """`withdraw` is the asker's; to approve needs a fresh second factor and, for an authority's
    request, the SHA-256 of its document as the approver holds it."""

    case: Value
    answer: Literal["approve", "refuse", "withdraw"]
    image: Value | None = None


class Review(_Strict, frozen=True):
    """What a third person found afterwards."""

    case: Value
    sound: bool


class Cases(_Strict, frozen=True):
    """Those at a stage, or those that wait for a review."""

    stage: Literal["ASKED", "GRANTED", "REFUSED", "WITHDRAWN", "USED"] = "ASKED"
    due: bool = False


class Case(_Strict, frozen=True):
    case: Value


# --- asking the log ------------------------------------------------------------------------------


class WhoSaw(_Strict, frozen=True):
    """A waybill number, a customer id or a phone number."""

    subject: Value


class OfAccount(_Strict, frozen=True):
    """An account and a span in epoch milliseconds, its end excluded."""

    account: Word
    since: Moment = 0
    until: Moment = 2**53 - 1


class Mark(_Strict, frozen=True):
    """The mark on a photographed screen."""

    mark: Annotated[str, Meta(min_length=1, max_length=32, pattern=_PLAIN)]


class Record(_Strict, frozen=True):
    """One record of the log; values stand in it as keyed hashes. `at`: epoch milliseconds."""

    request: str
    at: int
    kind: str
    action: str
    resource: str
    account: str | None
    person: str | None
    role: str | None
    unit: str | None
    device: str | None
    effect: str
    line: str
    reason: str
    rule: str | None
    purpose: str | None
    fields: list[str]
    count: int


class Records(_Strict, frozen=True):
    """`more`: the log has more of them than an answer holds; narrow the question."""

    records: list[Record]
    more: bool


# --- AuthZEN 1.0: more may come in each object, and is not used ----------------------------------

_Properties = dict[str, Any]
_Id = Annotated[str, Meta(min_length=1, max_length=200)]


class Subject(Struct, frozen=True):
    """`type` is `account`, `id` a login. `properties` count for nothing: facts are looked up."""

    type: _Id
    id: _Id
    properties: _Properties = {}


class ActionName(Struct, frozen=True):
    """One of the policy's actions, such as `read`."""

    name: _Id
    properties: _Properties = {}


class Resource(Struct, frozen=True):
    """One of the policy's record types and the key of a record."""

    type: _Id
    id: _Id
    properties: _Properties = {}


class Evaluation(Struct, frozen=True):
    """AuthZEN Authorization API 1.0, section 6."""

    subject: Subject
    action: ActionName
    resource: Resource
    context: _Properties = {}


class Decision(Struct, frozen=True):
    """Yes or no. There is no reason in it: that would tell what exists."""

    decision: bool


# --- refusals ------------------------------------------------------------------------------------


class Problem(Struct, frozen=True):
    """RFC 9457. `request` is the number to quote."""

    type: str
    title: str
    status: int
    detail: str
    request: str

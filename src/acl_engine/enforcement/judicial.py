"""A judicial request: the numbers of `lookup.py`, and besides:

(1) what        a document number, its image's digest, two officers, a registered authority
(4) budget      two persons' agreement to exactly this disclosure is used up
(9) mask        what the row grants is sealed for the authority; nobody here is shown it
(10) close      outcome and register entry are durable before the sealed result leaves

INVARIANTS
- What is agreed to is the whole: record, fields, document, image, officers, authority, its key and
  the policy's version. A change of any asks anew.
- The authority's key comes from the policy alone, never from the request.
- The size of a sealed result tells nothing of a name's or an address's length.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from acl_engine.domain.budgets import Seen
from acl_engine.domain.errors import ActRefused, InputError
from acl_engine.domain.judicial import Delivered, Disclosure, Disclosures, Seal
from acl_engine.domain.pack_settings import Authority
from acl_engine.domain.request import Action, Query
from acl_engine.domain.text import Text
from acl_engine.domain.view import View
from acl_engine.enforcement import exposure
from acl_engine.enforcement.acts import Acted, put_case
from acl_engine.enforcement.approvals import asking, use
from acl_engine.enforcement.door import Door, refuse
from acl_engine.enforcement.lookup import gate, raised, rejudge
from acl_engine.enforcement.normalise import short_name
from acl_engine.enforcement.trail import Trail
from acl_engine.masking import view as masked
from acl_engine.masking.suspect import holds_number

KIND = "judicial"
DISCLOSURES = frozenset({Action.DISCLOSE})
DUAL_APPROVAL = "judicial-approval"
PADDED_TO = 4096
# A document number as authorities write it: 深公（宝）调证字〔2026〕0117号.
_DOCUMENT = re.compile(r"(?!.*[0-9]{8})[\w()（）〔〕\[\]·./-]{4,60}")
_IMAGE = re.compile(r"[0-9a-f]{64}")

DOCUMENT = Text(
    "judicial.document",
    "文书号无效",
    "the document number is not one",
    "4 至 60 个字符，不含空格、电话与证件号码，例：深公（宝）调证字〔2026〕0117号",
    "4 to 60 characters, no space, phone or ID number, such as 深公（宝）调证字〔2026〕0117号",
)
IMAGE = Text(
    "judicial.image",
    "缺少文书影像的摘要",
    "the digest of the document's image is missing",
    "影像文件的 SHA-256，64 位小写十六进制",
    "SHA-256 of the image file, 64 hexadecimal digits",
)
OFFICERS = Text(
    "judicial.officers",
    "须有两名办案人员的警号",
    "the badge numbers of two officers are needed",
    "两个不同的简短编号，例：044-1023 044-1107；不写姓名",
    "two different short ones, such as 044-1023 044-1107; no names",
)
AUTHORITY = Text(
    "judicial.authority",
    "没有登记这个机关",
    "no such authority is registered",
    "已登记：{known}（settings.yaml 的 judicial.authorities，随策略双人签署）",
    "registered: {known} (judicial.authorities in settings.yaml, signed with the policy)",
)


@dataclass(frozen=True, slots=True)
class _Paper:
    document: str
    image: str
    officers: tuple[str, str]
    name: str
    authority: Authority


def ask_disclosure(door: Door, token: str, query: Query) -> Acted:
    """Ask two persons for one disclosure; `made` is the case. `query.key` names the record,
    `params` hold document, image, officers, authority. Raises AccessDenied, InputError,
    StoreError."""
    trail = Trail.start(door, query)
    try:
        gate(trail, token, DISCLOSURES, shows=False)  # (0) to (4)
        paper = _paper(trail)
        now = int(trail.now.timestamp())
        case = asking(
            door,
            trail.who,
            trail.asked,
            now,
            object_=_object(trail, paper),
            paper=_shown_to_approvers(trail, paper),
        )
        if case.kind != KIND:
            raise refuse("1", "approval.other-door")
        trail.becomes(Action.ASK)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise raised(trail, error) from None  # (5), (6)
    return put_case(trail, case, (trail.subject(trail.asked.key or ""),))


def disclose(
    door: Door, token: str, query: Query, case: str, seal: Seal, register: Disclosures
) -> Delivered:
    """The sealed result of an agreed request; `query` must be what `case` was given for.

    Raises AccessDenied, InputError, StoreError.
    """
    trail = Trail.start(door, query)
    try:
        gate(trail, token, DISCLOSURES)  # (0) to (4)
        paper = _paper(trail)
        _agreed(trail, paper, case)
    except Exception as error:  # noqa: BLE001 -- whatever fails is a denial
        raise raised(trail, error) from None  # (5), (6)
    trail.at("5")
    trail.write_intent()
    try:
        shown, seen = _fields(trail)  # (7) to (9)
        body = _sealed(trail, paper, case, shown, seal)
        done = _entry(trail, paper, case, tuple(sorted(shown)), body)
        trail.at("10")
        trail.settle(1, seen)
        trail.write_outcome(
            count=1,
            subjects=(trail.subject(trail.asked.key or ""),),
            fields=done.fields,
            digest=done.digest,
        )
        register.add(done)
    except Exception as error:  # noqa: BLE001 -- as above
        raise raised(trail, error) from None
    trail.at("11")
    return Delivered(trail.id, done, body)


def _paper(trail: Trail) -> _Paper:
    """The paper of the request. Raises InputError for whatever is missing or is no such thing."""
    params = dict(trail.asked.params)
    document, image = params.get("document", ""), params.get("image", "")
    if not _DOCUMENT.fullmatch(document) or holds_number(document):
        raise InputError(DOCUMENT.of())
    if not _IMAGE.fullmatch(image):
        raise InputError(IMAGE.of())
    officers = tuple(params.get("officers", "").split())
    if len(officers) != 2 or len(set(officers)) != 2 or not all(map(short_name, officers)):
        raise InputError(OFFICERS.of())
    known, name = trail.door.pack.settings.judicial.authorities, params.get("authority", "")
    if name not in known:
        raise InputError(AUTHORITY.of(known=", ".join(known) or "-"))
    return _Paper(document, image, (officers[0], officers[1]), name, known[name])


def _object(trail: Trail, paper: _Paper) -> str:
    """The digest of all that is agreed to."""
    request = trail.asked
    whole = [
        KIND,
        request.resource,
        request.key,
        sorted(request.fields),
        request.purpose,
        paper.document,
        paper.image,
        sorted(paper.officers),
        paper.name,
        paper.authority.key,
        trail.door.decider.version,
    ]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=True).encode()).hexdigest()


def _shown_to_approvers(trail: Trail, paper: _Paper) -> dict[str, str]:
    decision = trail.decision
    assert decision is not None
    fields = trail.asked.fields or tuple(sorted(decision.grants))
    return {
        "parcel": trail.asked.key or "",
        "document": paper.document,
        "image": paper.image,
        "officers": " ".join(paper.officers),
        "authority": paper.name,
        "disclosed": " ".join(fields),
    }


def _agreed(trail: Trail, paper: _Paper, case: str) -> None:
    if trail.door.pack.settings.judicial.second_persons:
        try:
            use(trail, case, KIND, _object(trail, paper))
        except ActRefused as refused:
            raise refuse("4", refused.refusal.code, DUAL_APPROVAL) from None


def _fields(trail: Trail) -> tuple[dict[str, str], tuple[Seen, ...]]:
    """What the row grants of the one record, and whom it shows. It goes into the seal, and nowhere
    else."""
    trail.at("7")
    assert trail.decision is not None
    rows = trail.door.records.find(trail.asked, trail.decision.scope)
    if len(rows) != 1:
        raise refuse("7", "fetch.no-record")
    trail.at("8")
    decision = rejudge(trail, rows[0])
    trail.at("9")
    resource = trail.door.pack.resources[trail.asked.resource]
    shown = dict(masked(rows[0], decision, resource, trail.asked.fields))
    view = View(resource.type, rows[0].key, shown)
    return shown, exposure.seen(trail, [(rows[0], decision)], [view])


def _sealed(trail: Trail, paper: _Paper, case: str, shown: dict[str, str], seal: Seal) -> bytes:
    document = {
        "schema": "acl-disclosure/1",
        "authority": paper.name,
        "document": paper.document,
        "image": paper.image,
        "officers": list(paper.officers),
        "case": case,
        "request": trail.id,
        "at": trail.now.isoformat(timespec="seconds"),
        "resource": trail.asked.resource,
        "fields": shown,
    }
    plain = json.dumps(document, ensure_ascii=False, indent=1).encode()
    padded = plain + b" " * (-len(plain) % PADDED_TO)  # JSON allows spaces after it
    if not trail.door.pack.settings.judicial.sealed:
        return padded  # the company of before: a print-out in the liaison's hand
    return seal(paper.authority.key, case, padded)


def _entry(
    trail: Trail, paper: _Paper, case: str, fields: tuple[str, ...], body: bytes
) -> Disclosure:
    return Disclosure(
        case=case,
        request=trail.id,
        account=trail.who.account,
        authority=paper.name,
        key=paper.authority.fingerprint,
        digest=hashlib.sha256(body).hexdigest(),
        fields=fields,
        delivered_at=int(trail.now.timestamp()),
    )

"""What a pack's `settings.yaml` says: which factors, bindings, windows and limits apply.

Read by `policy/pack.py` into these types; `docs/reference/settings.md` explains every key.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """`fresh_minutes`: a second factor shown so recently is fresh, for what asks for one anew.

    `legacy_until`: the last day (ISO, China's) on which scanners without a key are let in through
    their adapter; '': never. `legacy_shows`: the only fields shown on one. `legacy_confined`
    False: they show and do all; only a `replay_only` pack may say so.
    """

    second_factor: Literal["required", "none"]
    device_binding: Literal["required", "none"]
    strong_passwords: bool
    max_failures: int
    lock_minutes: int
    idle_minutes: int
    absolute_hours: int
    sessions_per_person: int  # 0: no limit
    fresh_minutes: int = 10
    legacy_until: str = ""
    legacy_shows: tuple[str, ...] = ()
    legacy_confined: bool = True


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """`broad_search` allows wildcards and searches with no exact criterion (2020 only).
    `masked_percent`: what a masked view weighs in the budgets of persons; one in clear weighs 100.
    """

    broad_search: bool
    page_max: int
    masked_percent: int = 10


@dataclass(frozen=True, slots=True)
class ActSettings:
    """`rostered_reassign`: only to a courier rostered for the area, never by its gainer.
    `dual_scan`: custody needs the counterpart's out-scan before the in-scan.
    `verified_callers`: a ticket needs an event by a caller whom the network's number names."""

    rostered_reassign: bool
    dual_scan: bool
    verified_callers: bool = True


@dataclass(frozen=True, slots=True)
class DialSettings:
    """`attempts_per_day`: calls to one parcel's contact. `callback`: the contact may call back,
    and reaches the bound person alone. `call_minutes`: the longest call. Only a `replay_only` pack
    has the rest off: `ends_with_reason`, a binding ends as soon as its person might not call any
    more; `known_callers`, none but the contact's own number is put through."""

    attempts_per_day: int
    capability_minutes: int
    callback: bool = True
    call_minutes: int = 10
    ends_with_reason: bool = True
    known_callers: bool = True


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`first`: nothing is answered that could not be written down. `signed`: the log is signed by
    the minute and verified by the day. `whom`: a look's record says at which records, as keyed
    hashes. `marks`: every view carries the code of its session and minute. Only a `replay_only`
    pack may say otherwise. `askers`: the roles that may ask the log about people over HTTP; none
    named: nobody."""

    first: bool = True
    signed: bool = True
    whom: bool = True
    marks: bool = True
    askers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """The central login. Every default is the strict one; a pack that is served has no other.

    `registered_only`: only registered applications are served, and sent back to on logout.
    `single_use`, `bound_to_service`, `live_session`: a ticket is good once, for the application
    it was made for, while its session lives. `own_forms`: a login comes from a form that this
    browser was given. `new_session`: a login never takes up what the browser brought along.
    `listed_callbacks`: proxy callbacks only to registered addresses. `listed_attributes`: an
    application learns only what it is due. `farewell_tries`: how often a logout is told.
    """

    registered_only: bool = True
    ticket_seconds: int = 60
    single_use: bool = True
    bound_to_service: bool = True
    live_session: bool = True
    own_forms: bool = True
    new_session: bool = True
    listed_callbacks: bool = True
    listed_attributes: bool = True
    farewell_tries: int = 12


@dataclass(frozen=True, slots=True)
class BudgetLimit:
    """At most `limit` in `window`, counted per account, person, device or unit: of looks, of
    asking for approvals, of answering them, or of the different persons whose `data` was shown,
    each weighed by clarity (`LookupSettings.masked_percent`).

    `warn` tells the watch, once a window; from `step_up` on only a fresh second factor is answered;
    past `limit` nothing is, and with `then: freeze` the account is suspended. `per_parcel`: all
    three grow by so much for each parcel that was handled in the window (scanned, assigned by
    another, or of a ticket). `roles`: only theirs, groups too; none named: everybody's; `but` those
    of these.
    """

    per: Literal["account", "person", "device", "unit"]
    window: Literal["day", "30d", "year"]
    limit: int
    of: Literal["looks", "asks", "approvals", "persons"] = "looks"
    data: str = ""
    warn: int | None = None
    step_up: int | None = None
    per_parcel: int = 0
    then: Literal["refuse", "freeze"] = "refuse"
    roles: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def binds(self, groups: frozenset[str]) -> bool:
        """Whether it limits whoever has a role of these `groups`, the role itself among them."""
        return (not self.roles or bool(groups & set(self.roles))) and not groups & set(self.but)


@dataclass(frozen=True, slots=True)
class PurposeSpec:
    """A purpose that an approval may be asked for. What a grant then shows is policy rows.

    `kind`: a look, or the act that uses the grant up. `desk`: whose duty roster answers; `unit`
    is the asker's own. `approvers` persons must agree; a grant lives `minutes`.
    """

    kind: Literal["look", "export", "publish", "judicial", "identify"]
    desk: str
    approvers: int
    minutes: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """`answer_minutes`: silence until then is a denial. `sample_percent` of the cases are looked
    at afterwards, each within `review_hours`; urgent ones always. `stamp_seconds`: an approver
    whose median answer is faster than that stamps. `runs_out` False: a grant lives for ever, which
    only a `replay_only` pack may say."""

    answer_minutes: int
    sample_percent: int
    review_hours: int
    stamp_seconds: int
    purposes: Mapping[str, PurposeSpec]
    runs_out: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """Exports and publications: at most `rows_max` records in one, for at most `days_max` days.

    `second_person` False: no approval is asked for. `marks`: rows made up for each copy of an
    export, so that a leaked one names its recipient. Only a `replay_only` pack may weaken them.
    """

    rows_max: int = 5000
    days_max: int = 90
    marks: int = 3
    second_person: bool = True


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority that may ask by law. `key`: its X25519 public key in base64 (RFC 7748)."""

    key: str
    zh: str
    en: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key's bytes, the first 32 hex digits. ValueError: it is no base64."""
        return hashlib.sha256(base64.b64decode(self.key, validate=True)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class JudicialSettings:
    """Judicial requests: which authorities are registered. `second_persons` False: nobody agrees;
    `sealed` False: the result is readable to whoever handles it. Only a `replay_only` pack may
    weaken them."""

    authorities: Mapping[str, Authority] = field(default_factory=dict)
    second_persons: bool = True
    sealed: bool = True


# Domain rule: nobody holds two of a group. Author and approver of a policy are apart as well.
APART = (
    ("branch_mgr", "account_admin", "device_admin", "sec_auditor"),
    ("policy_author", "policy_approver"),
)


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Account responsibility. Days of 0 ask for nothing; only a `replay_only` pack may say so.

    `live`: every look checks the account as it is now (off: a session once made is believed until
    it expires). `separation`: one person, one account, duties `apart`, nobody grants to themselves.
    Only the roles `administrators` make and change accounts, `device_administrators` devices; none
    named: anyone. The service role `provisioner` (HR, SCIM) does too, but may give only the roles
    `provisions`. `head_confirmed_by`: the role that confirms whoever has nobody above.
    `temporary_roles`: all that peak-season staff may have, for `temporary_days` at most.
    `undertaking`: the version of `undertaking.md` that must be signed; '': the company has none.
    """

    live: bool = True
    separation: bool = True
    apart: tuple[tuple[str, ...], ...] = APART
    administrators: tuple[str, ...] = ("account_admin",)
    device_administrators: tuple[str, ...] = ("device_admin",)
    provisioner: str = "provisioner"
    provisions: tuple[str, ...] = ()
    head_confirmed_by: str = "sec_auditor"
    undertaking: str = ""
    training_days: int = 365
    recertify_days: int = 35
    dormant_days: int = 30
    temporary_days: int = 90
    temporary_roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """Rows whose views are printed, and the roles that hold the paper: they see it too."""

    rows: tuple[str, ...]
    held_by: tuple[str, ...]


def _floor() -> Mapping[str, int]:
    return MappingProxyType({"phone": 1000, "id_number": 1000, "name": 10})


@dataclass(frozen=True, slots=True)
class MaskingSettings:
    """How many values must still fit what is shown, in every city, over all views together.

    `minimum` is by kind. `clear` names the roles that may hold a kind in clear (None: not stated,
    not checked). `coalitions` are roles whose views are joined as if they were one person's.
    """

    minimum: Mapping[str, int] = field(default_factory=_floor)
    clear: Mapping[str, tuple[str, ...]] | None = None
    paper: Paper | None = None
    coalitions: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """`replay_only` marks the company of 2020: serve and bootstrap refuse it unless replay asks."""

    replay_only: bool
    login: LoginSettings
    lookup: LookupSettings
    acts: ActSettings
    dial: DialSettings
    budgets: tuple[BudgetLimit, ...]
    masking: MaskingSettings = MaskingSettings()
    accounts: AccountSettings = AccountSettings()
    central: CentralSettings = CentralSettings()
    audit: AuditSettings = AuditSettings()
    approvals: ApprovalSettings | None = None  # None: nothing can be asked for
    releases: ReleaseSettings = ReleaseSettings()
    judicial: JudicialSettings = JudicialSettings()

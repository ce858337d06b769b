"""The tables. Times are epoch seconds UTC; ids are text where people say them, integers elsewhere.

INVARIANTS
- Personal data stands in a `payload` alone, sealed (`storage/vault.py`), never in a fact table.
- Policy facts of a waybill are columns of `waybills` under the same names as the pack's attributes.
- A fact that grants a right records its maker (`made_by`) and source. One that its gainer made
  alone grants nothing: a shift or roster line counts only when `made_by` is neither the person nor
  their account, a work item only when `made_by` is not its `holder` and `source` is not empty.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from acl_engine.storage.tables_accounts import (
    enrolments,
    login_tries,
    recovery_codes,
    scim_groups,
    scim_members,
    service_tokens,
)
from acl_engine.storage.tables_approvals import (
    approval_papers,
    approval_votes,
    approvals,
    duties,
)
from acl_engine.storage.tables_audit import (
    audit_checkpoints,
    audit_holds,
    audit_keys,
    audit_nodes,
    audit_records,
    audit_stamps,
    planted_marks,
)
from acl_engine.storage.tables_base import Id as _Id
from acl_engine.storage.tables_base import id_column as _id
from acl_engine.storage.tables_base import metadata
from acl_engine.storage.tables_cas import (
    cas_grants,
    cas_services,
    cas_spent,
    cas_tickets,
    cas_warned,
)
from acl_engine.storage.tables_control import (
    budget_counters,
    budget_reservations,
    budget_seen,
    call_records,
    contact_events,
    dial_bindings,
    dial_capabilities,
)
from acl_engine.storage.tables_judicial import judicial_deliveries
from acl_engine.storage.tables_keys import data_keys, record_keys, root_keys
from acl_engine.storage.tables_policy import policy_loads
from acl_engine.storage.tables_records import record_people, records
from acl_engine.storage.tables_releases import release_copies

# What is made elsewhere and read here; every table below is public too.
__all__ = [
    "approval_papers",
    "approval_votes",
    "approvals",
    "audit_checkpoints",
    "audit_holds",
    "audit_keys",
    "audit_nodes",
    "audit_records",
    "audit_stamps",
    "budget_counters",
    "budget_reservations",
    "budget_seen",
    "call_records",
    "cas_grants",
    "cas_services",
    "cas_spent",
    "cas_tickets",
    "cas_warned",
    "contact_events",
    "data_keys",
    "dial_bindings",
    "dial_capabilities",
    "duties",
    "enrolments",
    "judicial_deliveries",
    "login_tries",
    "metadata",
    "planted_marks",
    "policy_loads",
    "record_keys",
    "record_people",
    "records",
    "recovery_codes",
    "release_copies",
    "root_keys",
    "scim_groups",
    "scim_members",
    "service_tokens",
]

# One row. `kind` is `synthetic` for a generated world: only then may replay switch a control off.
world_mark = Table(
    "world_mark",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("pack", String(64), nullable=False),
    Column("seed", String(64), nullable=False),
    Column("built_at", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False),
)

# --- organisation ---------------------------------------------------------------------------

# hq > province > hub > branch > station; `path` is /hq/gd/hub-sz/ba-01/ for subtree questions.
units = Table(
    "units",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("parent", String(32), ForeignKey("units.id")),
    Column("path", String(200), nullable=False),
    Column("name_zh", String(100), nullable=False),
    Column("name_en", String(100), nullable=False),
    Column("city", String(40), nullable=False),
    Column("district", String(40), nullable=False),
    Column("franchise", Boolean, nullable=False),
)

# Areas of interest (AOI): the smallest place a courier serves; `route` groups them.
areas = Table(
    "areas",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("branch", String(32), ForeignKey("units.id"), nullable=False),
    Column("route", String(32), nullable=False),
    Column("city", String(40), nullable=False),
    Column("district", String(40), nullable=False),
    Column("street", String(40), nullable=False),
    Column("name_zh", String(100), nullable=False),
)

persons = Table(
    "persons",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("unit", String(32), ForeignKey("units.id"), nullable=False),
    Column("superior", String(32)),
    Column("status", String(16), nullable=False),  # active | suspended | left
    Column("kind", String(16), nullable=False, server_default="regular"),  # regular | temporary
    Column("sponsor", String(32)),  # who answers for a temporary person
    Column("starts_at", BigInteger, nullable=False, server_default="0"),
    Column("ends_at", BigInteger),  # None: open-ended
    # The undertaking they signed last (保密承诺书): version, SHA-256 of its text, when.
    Column("undertaking", String(32), nullable=False, server_default=""),
    Column("undertaking_digest", String(64), nullable=False, server_default=""),
    Column("undertaking_at", BigInteger, nullable=False, server_default="0"),
    Column("training", String(64), nullable=False, server_default=""),  # the last course
    Column("trained_at", BigInteger, nullable=False, server_default="0"),
    Index(None, "superior"),
)

# --- identity -------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("login", String(64), primary_key=True),
    Column("person", String(32), ForeignKey("persons.id")),  # None: a shared account of 2020
    Column("role", String(32), nullable=False),
    Column("unit", String(32), ForeignKey("units.id"), nullable=False),
    Column("tenant", String(32)),
    Column("customer", String(32)),
    Column("status", String(16), nullable=False),  # pending | active | suspended | left
    Column("password_hash", String(200), nullable=False),
    Column("totp_seed", LargeBinary),
    Column("totp_last_step", BigInteger, nullable=False, server_default="0"),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", BigInteger, nullable=False, server_default="0"),
    Column("purpose", String(64), nullable=False, server_default=""),  # of a service: its one use
    Column("made_by", String(64), nullable=False, server_default=""),  # who gave it its role
    Column("created_at", BigInteger, nullable=False, server_default="0"),
    Column("changed_at", BigInteger, nullable=False, server_default="0"),
    Column("used_at", BigInteger, nullable=False, server_default="0"),  # made, resumed, logged in
    Column("certified_at", BigInteger, nullable=False, server_default="0"),
    Column("certified_by", String(64), nullable=False, server_default=""),
    Column("external_id", String(128)),  # what a provisioning system calls it
    Column("status_by", String(64), nullable=False, server_default=""),  # who set its status last
    Index(None, "person"),
    Index(None, "external_id"),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("device_class", String(16), nullable=False),  # app | pc | legacy_scanner | adapter
    Column("unit", String(32), ForeignKey("units.id"), nullable=False),
    Column("person", String(32)),  # bound to; None: unbound
    Column("public_key", LargeBinary),  # Ed25519, 32 bytes; None: cannot hold a key
    Column("status", String(16), nullable=False),  # active | lost | revoked
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("adapter", String(64)),  # the device that signs for one that cannot
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("login", String(64), ForeignKey("accounts.login"), nullable=False),
    Column("device", String(64)),
    Column("epoch", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("proven_at", BigInteger, nullable=False, server_default="0"),  # last second factor
    Column("held_at", BigInteger, nullable=False, server_default="0"),  # 0: not; till a factor anew
    Index(None, "login", "ended_at"),
)

# Nonces a device must sign at login; each is used once.
challenges = Table(
    "challenges",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("device", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# --- live facts about staff -----------------------------------------------------------------

shifts = Table(
    "shifts",
    metadata,
    _id(),
    Column("person", String(32), ForeignKey("persons.id"), nullable=False),
    Column("unit", String(32), nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("made_by", String(32), nullable=False),
    Index(None, "person", "starts_at"),
)

# Who may serve an area, many to many, with relief cover. Written by the roster desk: a line made by
# the manager who reassigns, or by the courier who gains, supports no reassignment.
roster = Table(
    "roster",
    metadata,
    _id(),
    Column("person", String(32), ForeignKey("persons.id"), nullable=False),
    Column("area", String(32), ForeignKey("areas.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # regular | relief
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("made_by", String(32), nullable=False),
    Index(None, "person"),
    Index(None, "area"),
)

# --- customers and waybills -----------------------------------------------------------------

# `payload` is sealed; `phone_index` is a keyed hash.
customers = Table(
    "customers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("phone_index", String(64), nullable=False, index=True),
    Column("phone_bound_at", BigInteger),  # None: the phone was never proven by a one-time code
    Column("payload", LargeBinary, nullable=False),
)

waybills = Table(
    "waybills",
    metadata,
    _id(),
    Column("waybill_no", String(32), nullable=False, unique=True),
    Column("stage", String(20), nullable=False),
    Column("tenant", String(32)),
    Column("origin_unit", String(32), nullable=False),
    Column("dest_unit", String(32), nullable=False),
    Column("dest_path", String(200), nullable=False),
    Column("custody_unit", String(32)),
    Column("custody_sound", Boolean, nullable=False),  # out-scan and counterpart's in-scan agree
    Column("route", String(32), nullable=False),
    Column("area", String(32), nullable=False),
    Column("city", String(40), nullable=False),
    Column("pickup_courier", String(32)),
    Column("assignee", String(32)),
    Column("assignee_sound", Boolean, nullable=False),  # rostered, and not made by its gainer
    Column("stop_seq", Integer),
    Column("station", String(32)),
    Column("sender", String(32), nullable=False),
    Column("recipient", String(32), nullable=False),
    Column("cod", Boolean, nullable=False),
    Column("ordered_at", BigInteger, nullable=False),
    Column("out_at", BigInteger),
    Column("delivered_at", BigInteger),
    Index(None, "assignee", "stage"),
    Index(None, "custody_unit", "stage"),
    Index(None, "dest_unit", "stage"),
    Index(None, "recipient"),
    Index(None, "sender"),
    # Tasks that are still to be picked up: few, and given back when their courier goes.
    Index(
        "ix_waybills_pickup_task",
        "pickup_courier",
        sqlite_where=text("stage = 'ORDERED'"),
        postgresql_where=text("stage = 'ORDERED'"),
    ),
)

# The personal data of a waybill, one to one. Fact queries never touch this table.
waybill_people = Table(
    "waybill_people",
    metadata,
    Column("waybill", _Id, ForeignKey("waybills.id", ondelete="CASCADE"), primary_key=True),
    Column("recipient_phone_index", String(64), nullable=False, index=True),
    Column("sender_phone_index", String(64), nullable=False, index=True),
    Column("payload", LargeBinary, nullable=False),
)

# Custody events. An in-scan names the out-scan it answers.
scans = Table(
    "scans",
    metadata,
    _id(),
    Column("waybill", _Id, ForeignKey("waybills.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # pickup | out | in | deliver | station | return
    Column("unit", String(32), nullable=False),
    Column("counterpart", String(32)),  # out: to which unit; in: from which unit
    Column("answers", _Id),  # in: the out-scan's id
    Column("account", String(64), nullable=False),
    Column("device", String(64)),
    Column("at", BigInteger, nullable=False),
    Index(None, "account", "at"),
)

assignments = Table(
    "assignments",
    metadata,
    _id(),
    Column("waybill", _Id, ForeignKey("waybills.id"), nullable=False, index=True),
    Column("person", String(32), nullable=False),
    Column("made_by", String(32), nullable=False),
    Column("sound", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "person", "at"),
)

# What gives a purpose, one row a waybill. `kind` is ticket, claim, batch, print_job, change or
# judicial; without a waybill the item's own id stands in its place.
work_items = Table(
    "work_items",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("waybill_no", String(32)),
    Column("holder", String(64), nullable=False),  # account that works on it
    Column("source", String(64), nullable=False),  # the telephone or app event behind it
    Column("made_by", String(64), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index(None, "holder", "closed_at"),
)

# --- accountability -------------------------------------------------------------------------

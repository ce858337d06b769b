"""The tables of control state: contacts, budgets, one-click dial. Part of `tables`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, false

from acl_engine.storage.tables_base import id_column, metadata

# What the telephone exchange and the app saw: a ticket needs one behind it. `phone_index` is the
# keyed hash of the caller's number as the network reported it, never as the caller said it.
contact_events = Table(
    "contact_events",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),  # call | app
    Column("waybill_no", String(32)),  # named by a pickup code or in the app
    Column("phone_index", String(64)),
    Column("made_by", String(64), nullable=False),  # the exchange's or app's service account
    Column("at", BigInteger, nullable=False),
    Column("ticket", String(32)),  # the ticket it was used for; once only
)

budget_counters = Table(
    "budget_counters",
    metadata,
    Column("counter", String(120), primary_key=True),  # what:per:who
    # day: longer windows are sums of days; !window: the day when it was warned of
    Column("window", String(8), primary_key=True),
    Column("starts_at", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False),
)

# What is set aside for a look that is under way, a row a counter. It counts until its lease ends.
budget_reservations = Table(
    "budget_reservations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("counter", String(120), primary_key=True, index=True),
    Column("amount", Integer, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
)

# Whom a counter of persons has counted: their keyed hash, the day of the last look, and how much
# the clearest look weighed. Their weight stands in the bucket of that day and moves with it.
budget_seen = Table(
    "budget_seen",
    metadata,
    Column("counter", String(120), primary_key=True),
    Column("subject", String(32), primary_key=True),
    Column("day", BigInteger, nullable=False),
    Column("weight", Integer, nullable=False),
    sqlite_with_rowid=False,
)

dial_bindings = Table(
    "dial_bindings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("waybill_no", String(32), nullable=False, index=True),
    Column("account", String(64), nullable=False, server_default=""),
    Column("person", String(32), nullable=False),
    Column("device", String(64)),
    Column("stage", String(20), nullable=False),
    Column("purpose", String(48)),
    Column("provider_ref", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("unbound_at", BigInteger),  # when the provider let go of it; None: it may have it still
    Index(None, "unbound_at", "expires_at"),
)

dial_capabilities = Table(
    "dial_capabilities",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("binding", String(64), ForeignKey("dial_bindings.id"), nullable=False),
    Column("session", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

call_records = Table(
    "call_records",
    metadata,
    id_column(),
    Column("binding", String(64), ForeignKey("dial_bindings.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("name", String(64)),  # by which a later report of the same call finds it
    Column("by_hand", Boolean, nullable=False, server_default=false()),
    Index(None, "name", unique=True),
    Index(None, "binding"),
)

"""The tables of control state: contacts, budgets, one-click dial. Part of `tables`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

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
    Column("counter", String(120), primary_key=True),  # per:who
    Column("window", String(8), primary_key=True),  # day; longer windows are sums of days
    Column("starts_at", BigInteger, primary_key=True),
    Column("used", Integer, nullable=False),
)

budget_reservations = Table(
    "budget_reservations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("counters", String(1000), nullable=False),  # JSON list of [counter, window, starts_at]
    Column("amount", Integer, nullable=False),
    Column("lease_until", BigInteger, nullable=False, index=True),
)

dial_bindings = Table(
    "dial_bindings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("waybill_no", String(32), nullable=False, index=True),
    Column("person", String(32), nullable=False),
    Column("device", String(64)),
    Column("stage", String(20), nullable=False),
    Column("provider_ref", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
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
)

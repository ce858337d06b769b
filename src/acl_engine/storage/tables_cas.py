"""The tables of the central login.

INVARIANTS
- `cas_tickets.ticket` is empty until the ticket was offered for validation: what can still be used
  is stored as its hash alone.
- No URL here outlives its session but the registered ones.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from acl_engine.storage.tables_base import metadata

# `attributes`, `proxied_by`: JSON lists of names.
cas_services = Table(
    "cas_services",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("url", String(2048), nullable=False, unique=True),
    Column("title", String(100), nullable=False),
    Column("attributes", String(1000), nullable=False),
    Column("callback", String(2048)),
    Column("proxied_by", String(2000), nullable=False),
    Column("logout_url", String(2048)),
    Column("fresh", Boolean, nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("added_at", BigInteger, nullable=False),
)

# Service and proxy tickets. An offered one stays until its session is over: it is what the
# service knows the visit by. `farewell_at`: when the service is to be told, and tried again.
cas_tickets = Table(
    "cas_tickets",
    metadata,
    Column("ticket_hash", String(64), primary_key=True),
    Column("kind", String(2), nullable=False),
    Column("service", String(40), nullable=False),
    Column("url", String(2048), nullable=False),
    Column("session", String(64), nullable=False, index=True),
    Column("fresh", Boolean, nullable=False),
    Column("proxies", String(4000), nullable=False),  # JSON list
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("ticket", String(64)),
    Column("farewell_at", BigInteger, index=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("told_at", BigInteger),
    Index(None, "expires_at"),
)

# Proxy-granting tickets.
cas_grants = Table(
    "cas_grants",
    metadata,
    Column("grant_hash", String(64), primary_key=True),
    Column("service", String(40), nullable=False),
    Column("session", String(64), nullable=False, index=True),
    Column("callback", String(2048), nullable=False),
    Column("proxies", String(4000), nullable=False),  # JSON list
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("ended_at", BigInteger),
)

# Sessions whose person wants to be asked before each application.
cas_warned = Table(
    "cas_warned",
    metadata,
    Column("session", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),
)

# Login forms that were sent in: each counts once.
cas_spent = Table(
    "cas_spent",
    metadata,
    Column("form_hash", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

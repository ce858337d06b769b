"""The tables of provisioning: credentials of services, and groups of a provisioning system."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from acl_engine.storage.tables_base import metadata

# A service's bearer token, for one purpose; the store sees its hash. Dead with its account's epoch.
service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("login", String(64), ForeignKey("accounts.login"), nullable=False, index=True),
    Column("purpose", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

# Groups that a provisioning system keeps here. They give no right: rights come from roles alone.
scim_groups = Table(
    "scim_groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("external_id", String(128)),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

scim_members = Table(
    "scim_members",
    metadata,
    Column("group", String(64), ForeignKey("scim_groups.id"), primary_key=True),
    Column("login", String(64), ForeignKey("accounts.login"), primary_key=True),
)

"""More of accounts: recovery codes, open enrolments, tries at the login, services' tokens,
provisioned groups."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from acl_engine.storage.tables_base import metadata

# What opens a session once when the authenticator is lost. A code has 120 random bits: its SHA-256
# is what is stored (ASVS 5, 6.5.2), and it is deleted by its use.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("login", String(64), ForeignKey("accounts.login"), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Index(None, "login"),
)

# The one enrolment that a login has open: an administrator's leave to set secrets on a page. Its
# code has 120 random bits as well; it is dead with its account's epoch, and deleted by its use.
enrolments = Table(
    "enrolments",
    metadata,
    Column("login", String(64), ForeignKey("accounts.login"), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("epoch", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# The throttle of every process together: when a key's bucket is full again, in epoch milliseconds.
# The key is a digest of what was typed, which may be no login at all.
login_tries = Table(
    "login_tries",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("full_at", BigInteger, nullable=False),
    Index(None, "full_at"),
)

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

"""The tables of approvals: cases, answers, the duty roster. Part of `tables`."""

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
)

from acl_engine.storage.tables_base import Id, id_column, metadata

# One case. The columns from `approval_no` to `reviewed` are policy facts under the pack's names.
approvals = Table(
    "approvals",
    metadata,
    id_column(),
    Column("approval_no", String(32), nullable=False, unique=True),
    Column("stage", String(16), nullable=False),  # ASKED | GRANTED | REFUSED | WITHDRAWN | USED
    Column("kind", String(16), nullable=False),
    Column("purpose", String(48), nullable=False),
    Column("resource", String(32), nullable=False),
    Column("object", String(64), nullable=False),  # a record's key, or a digest
    Column("asker", String(64), nullable=False),  # the person
    Column("account", String(64), nullable=False),
    Column("unit", String(32), nullable=False),  # the asker's
    Column("desk", String(32), nullable=False),  # whose duty roster answers
    Column("urgent", Boolean, nullable=False),  # break-glass
    Column("sampled", Boolean, nullable=False),  # to be looked at afterwards
    Column("reviewed", Boolean, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("answer_until", BigInteger, nullable=False),
    Column("lives_until", BigInteger),
    Column("epoch", Integer, nullable=False),  # of the asker's account when it asked
    Column("needed", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("ticket", String(48)),
    Column("review_until", BigInteger),  # None: not to be reviewed
    Column("granted_at", BigInteger),
    Column("used_at", BigInteger),
    Column("reviewed_by", String(64)),
    Column("reviewed_at", BigInteger),
    Column("sound", Boolean),  # what the review found
    Index(None, "account", "purpose", "stage"),
    Index(None, "desk", "stage"),
    Index(None, "asker", "reviewed"),
)

# What an approver must see besides: one to one, sealed.
approval_papers = Table(
    "approval_papers",
    metadata,
    Column("approval", Id, ForeignKey("approvals.id", ondelete="CASCADE"), primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

approval_votes = Table(
    "approval_votes",
    metadata,
    Column("approval", Id, ForeignKey("approvals.id", ondelete="CASCADE"), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("agree", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "person", "at"),
)

# Who answers for which desk. A line that the person or the asker made supports nothing.
duties = Table(
    "duties",
    metadata,
    id_column(),
    Column("desk", String(32), nullable=False),
    Column("person", String(32), ForeignKey("persons.id"), nullable=False),
    Column("substitute", Boolean, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("made_by", String(64), nullable=False),
    Index(None, "person", "starts_at"),
)

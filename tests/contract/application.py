"""An application of somebody else: its own classes, none of the company's tables."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Branch(Base):
    __tablename__ = "app_branches"
    code: Mapped[str] = mapped_column(String(20), primary_key=True)


class Parcel(Base):
    """Attributes under other names than the columns, a nullable one of each kind, a date beside."""

    __tablename__ = "app_parcels"
    id: Mapped[int] = mapped_column(primary_key=True)
    branch_code: Mapped[str | None] = mapped_column("at", ForeignKey("app_branches.code"))
    stage: Mapped[str] = mapped_column(String(20))
    courier: Mapped[str | None] = mapped_column(String(20))
    weight: Mapped[int | None]
    fragile: Mapped[bool | None]
    phone: Mapped[str | None] = mapped_column(String(20))
    receiver: Mapped[str | None] = mapped_column(String(20))
    made_at: Mapped[datetime | None] = mapped_column(DateTime)
    branch: Mapped[Branch | None] = relationship()


class Express(Parcel):
    """A subclass in the same table: what holds for parcels holds for it."""


documents = Table(
    "app_documents",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("path", String(100)),
    Column("open", Boolean),
)


@dataclass(frozen=True)
class User:
    """The application's own idea of a person."""

    account: str
    role: str
    branch: str | None = None
    limit: Any = None
    friends: tuple[str, ...] = ()


MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = role, type, act, cond, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub.role, p.role) && r.obj.type == p.type && r.act == p.act && eval(p.cond)
"""
POLICY = """p, courier, parcel, read, r.obj.courier == r.sub.account && r.obj.stage in ("OUT", "IN"), allow
p, manager, parcel, read, r.obj.branch == r.sub.branch, allow
p, manager, parcel, reassign, r.obj.branch == r.sub.branch && r.obj.stage == "IN", allow
p, guest, parcel, read, r.obj.stage == r.sub.account, allow
p, staff, parcel, read, r.obj.weight > r.sub.limit && !(r.obj.fragile == false), allow
p, friend, parcel, read, r.obj.courier in r.sub.friends, allow
p, staff, parcel, read, r.obj.stage == "SEALED" || r.obj.courier == None && r.obj.fragile, deny
g, courier, staff
g, manager, staff
"""  # noqa: E501

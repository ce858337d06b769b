"""Who there is to ask for, and how many records lie in a scope: numbers, no record."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import and_, func, literal, or_, select

from acl_engine.domain.principal import Principal
from acl_engine.domain.scope import Scope
from acl_engine.storage.database import Database
from acl_engine.storage.resources import RESOURCES, ResourceMap, stored
from acl_engine.storage.scope_sql import condition
from acl_engine.storage.tables import accounts, devices


def principals(
    database: Database,
    now: int,
    *,
    roles: Collection[str] | None = None,
    login: str | None = None,
) -> Sequence[Principal]:
    """Active accounts, each as if at work on its own bound device; there is no session yet.

    `now` is in epoch seconds. Of several devices, the first by name.
    """
    a, d = accounts.c, devices.c
    own = and_(
        or_(d.person == a.person, d.person == a.login), d.status == "active", d.lease_until > now
    )
    device = select(func.min(d.id)).where(own).correlate(accounts).scalar_subquery()
    query = select(
        a.login, a.person, a.role, a.unit, device.label("device"), a.tenant, a.customer
    ).where(a.status == "active")
    if roles is not None:
        query = query.where(a.role.in_(sorted(roles)))
    if login is not None:
        query = query.where(a.login == login)
    with database.read() as cx:
        return [
            Principal(
                row.login, row.person or "", row.role, row.unit, "", row.device, None,
                row.tenant, row.customer,
            )
            for row in cx.execute(query.order_by(a.login))
        ]  # fmt: skip


class SqlCounts:
    """Counts what lies in a scope."""

    def __init__(
        self, database: Database, resources: Mapping[str, ResourceMap] = RESOURCES
    ) -> None:
        self._database, self._resources = database, resources

    def count(self, resource: str, scope: Scope, people: str | None) -> tuple[int, int]:
        """Records, and different people by the attribute `people`. Raises StoreError."""
        kind = stored(self._resources, resource)
        where = condition(scope, kind.columns(), self._database.dialect)
        whose = func.count(kind.attributes[people].distinct()) if people else literal(0)
        query = select(func.count(), whose).select_from(kind.facts).where(where)
        with self._database.read() as cx:
            records, different = cx.execute(query).one()
        return int(records), int(different)

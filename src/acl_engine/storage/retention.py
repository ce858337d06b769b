"""The RetentionStore over the database: stages moved on, keys and indexes destroyed."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, and_, func, select, update

from acl_engine.domain.pack import RetentionRule
from acl_engine.storage.database import Database
from acl_engine.storage.resources import ResourceMap, stored
from acl_engine.storage.vault import Vault

DAY = 24 * 3600


class SqlRetention:
    """Implements `domain.retention.RetentionStore` for the record types of one pack."""

    def __init__(
        self, database: Database, vault: Vault, resources: Mapping[str, ResourceMap]
    ) -> None:
        self._database = database
        self._vault = vault
        self._resources = resources

    def count(self, resource: str, rule: RetentionRule, now: int) -> int:
        where = stored(self._resources, resource)
        with self._database.read() as cx:
            query = select(func.count()).select_from(where.facts).where(_due(where, rule, now))
            return int(cx.scalars(query).one())

    def due(self, resource: str, rule: RetentionRule, now: int, limit: int) -> Sequence[str]:
        where = stored(self._resources, resource)
        query = select(where.key).where(_due(where, rule, now)).order_by(where.key).limit(limit)
        with self._database.read() as cx:
            return [str(key) for key in cx.scalars(query)]

    def carry_out(
        self, resource: str, rule: RetentionRule, keys: Sequence[str], now: int
    ) -> Sequence[str]:
        where = stored(self._resources, resource)
        still = select(where.facts.c.id, where.key).where(
            where.key.in_(keys), _due(where, rule, now)
        )
        home, people = where.home, where.people
        with self._database.write() as cx:
            found = {int(id_): str(key) for id_, key in cx.execute(still)}
            moved = (
                update(home)
                .where(home.c.id.in_(found), home.c.stage.in_(rule.stages))
                .values(stage=rule.to)
                .returning(home.c.id)
            )
            ids = list(cx.scalars(moved))
            if rule.destroy:
                self._vault.destroy(cx, people.name, ids)
                indexes = {c.name: "" for side in where.phones.values() for c in side.values()}
                emptied = update(people).where(where.people_id.in_(ids))
                cx.execute(emptied.values(payload=b"", **indexes))
        if rule.destroy:
            self._database.forget(people.name, "record_keys")
        return sorted(found[id_] for id_ in ids)


def _due(where: ResourceMap, rule: RetentionRule, now: int) -> ColumnElement[bool]:
    since = where.attributes[rule.since]
    return and_(where.attributes["stage"].in_(rule.stages), since <= now - rule.days * DAY)

"""The vault: payloads sealed and opened inside the transaction of whoever reads or writes them.

INVARIANTS
- A payload without a key is not there. One that was never sealed is refused, not read.
- Who seals holds the newest data key's row until the transaction ends, so a data key is destroyed
  only when nothing can still be wrapped by it (`acl_engine.storage.key_rotation`).
- Data keys are kept in memory, one a generation; record keys are not.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from acl_engine.domain.errors import StoreError
from acl_engine.domain.keeping import KeyService, RecordKey
from acl_engine.domain.text import Text
from acl_engine.storage.sealing import KEY_BYTES, seal, unseal
from acl_engine.storage.tables_keys import data_keys, record_keys

NEVER_SEALED = Text(
    "store.never-sealed",
    "表 `{store}` 中还有未加密的行",
    "`{store}` still holds rows that were never sealed",
    "运行 `acl keys seal`",
    "run `acl keys seal`",
)
NO_DATA_KEY = Text(
    "store.no-data-key",
    "第 {generation} 代数据密钥不存在，`{store}` 中的一行无法打开",
    "data key {generation} is gone: a row of `{store}` cannot be opened",
    "核对备份是否齐全",
    "check that the backup is whole",
)
# The first byte of a payload from before sealing: a JSON object.
CLEAR = b"{"
# Either says what to do where the row is there already; they share no type that has it.
_MAKE: Mapping[str, Callable[..., Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
# Built once: every write runs both.
_KEEP = {
    name: (keep := make(record_keys)).on_conflict_do_update(
        index_elements=[record_keys.c.store, record_keys.c.row],
        set_={one: keep.excluded[one] for one in ("generation", "suite", "wrapped")},
    )
    for name, make in _MAKE.items()
}
_KEYS = select(record_keys).where(
    record_keys.c.store == bindparam("named"),
    record_keys.c.row.in_(bindparam("rows", expanding=True)),
)
_NEWEST = (
    select(data_keys.c.generation)
    .where(data_keys.c.generation == select(func.max(data_keys.c.generation)).scalar_subquery())
    .with_for_update(read=True)
)


class Vault:
    """Over one database and one key service. Safe to share between threads."""

    def __init__(self, service: KeyService) -> None:
        self._service = service
        self._known: dict[int, AESGCM] = {}

    def put(self, cx: Connection, store: str, row: object, fields: Mapping[str, str]) -> bytes:
        """The payload to store in this row; its key is kept. A key of an earlier version is
        replaced, so what that one sealed can no longer be read."""
        generation, data_key = self.newest(cx)
        payload, key = seal(data_key, generation, store, str(row), fields)
        cx.execute(_KEEP[cx.dialect.name], as_row(key))
        return payload

    def open(
        self, cx: Connection, store: str, payloads: Mapping[object, bytes]
    ) -> dict[object, dict[str, str]]:
        """The clear fields by row id; a row whose key was destroyed is left out."""
        if not payloads:
            return {}
        named = {"named": store, "rows": [str(row) for row in payloads]}
        keys = {one["row"]: one for one in cx.execute(_KEYS, named).mappings()}
        opened = {
            row: self.open_one(cx, store, row, payload, keys.get(str(row)))
            for row, payload in payloads.items()
        }
        return {row: fields for row, fields in opened.items() if fields is not None}

    def open_one(
        self,
        cx: Connection,
        store: str,
        row: object,
        payload: bytes,
        key: Mapping[Any, Any] | None,
    ) -> dict[str, str] | None:
        """The clear fields of one row, given the generation, suite and wrapping of its key; None
        where the key was destroyed."""
        if key is None:
            if payload.startswith(CLEAR):
                raise StoreError(NEVER_SEALED.of(store=store))
            return None
        known = RecordKey(store, str(row), key["generation"], key["suite"], key["wrapped"])
        return unseal(self.data_key(cx, known.generation), known, payload)

    def destroy(self, cx: Connection, store: str, rows: Iterable[object]) -> int:
        """Destroy the keys of these rows; how many there were."""
        return cx.execute(delete(record_keys).where(_of(store, rows))).rowcount

    def newest(self, cx: Connection) -> tuple[int, AESGCM]:
        """The data key that wraps now, held until the transaction ends; the first is made here."""
        generation = cx.scalar(_NEWEST)
        if generation is None:
            self.add_generation(cx, 1)
            generation = cx.scalars(_NEWEST).one()
        return generation, self.data_key(cx, generation)

    def add_generation(self, cx: Connection, generation: int) -> None:
        """A new data key, unless another process has just made the same generation. Raises
        ConfigError where the one before is under another master key by now: this would be lost."""
        before = select(data_keys.c.wrapped).where(data_keys.c.generation == generation - 1)
        if (held := cx.scalar(before)) is not None:
            self._service.unwrap(bytes(held), context_of(generation - 1))
        fresh = self._service.wrap(secrets.token_bytes(KEY_BYTES), context_of(generation))
        values = {"generation": generation, "wrapped": fresh, "made_at": int(time.time())}
        cx.execute(_MAKE[cx.dialect.name](data_keys).values(**values).on_conflict_do_nothing())

    def data_key(self, cx: Connection, generation: int) -> AESGCM:
        """Raises StoreError for one that is gone, ConfigError for another root's."""
        if generation not in self._known:
            wrapped = cx.scalar(
                select(data_keys.c.wrapped).where(data_keys.c.generation == generation)
            )
            if wrapped is None:
                raise StoreError(NO_DATA_KEY.of(generation=generation, store="data_keys"))
            clear = self._service.unwrap(bytes(wrapped), context_of(generation))
            self._known[generation] = AESGCM(clear)
        return self._known[generation]


def as_row(key: RecordKey) -> dict[str, object]:
    """What `record_keys` holds of a key."""
    return {
        "store": key.store,
        "row": key.row,
        "generation": key.generation,
        "suite": key.suite,
        "wrapped": key.wrapped,
    }


def first_data_key(service: KeyService, key: bytes, made_at: int) -> tuple[int, bytes, int]:
    """The row of a given first generation: a synthetic world's, the same for the same seed."""
    return (1, service.wrap(key, context_of(1)), made_at)


def context_of(generation: int) -> str:
    """What a data key is bound to when it is wrapped."""
    return f"data-key/{generation}"


def _of(store: str, rows: Iterable[object]) -> ColumnElement[bool]:
    return (record_keys.c.store == store) & record_keys.c.row.in_([str(row) for row in rows])

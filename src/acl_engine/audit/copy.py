"""An append-only copy of the log elsewhere: two files that only ever grow.

`records.jsonl` has a line a record (its bytes are one line of JSON), `checkpoints.txt` the signed
notes, each ended by a form feed. Put the folder on write-once or another party's storage: the
copy is worth what it costs its holder to change it together with the log.

INVARIANTS
- Files are opened to append, flushed to disk, and never rewritten. A line that a crash cut short
  is refused by name, not mended.
- A record is copied only if it follows the last one copied.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from acl_engine.audit.record import leaf_hash
from acl_engine.domain.errors import ConfigError, InputError, Where
from acl_engine.domain.text import Text

RECORDS, CHECKPOINTS = "records.jsonl", "checkpoints.txt"
_END = "\f"
_BATCH = 10_000

TORN = Text(
    "audit.copy-torn",
    "副本最后一行不完整",
    "the last line of the copy is cut short",
    "保留原文件备查，换一个新目录重新复制",
    "keep the file as it is, and copy into a new folder",
)
GAP = Text(
    "audit.copy-gap",
    "副本有 {copied} 条，下一条却是 {index}",
    "the copy has {copied} records, but the next one is {index}",
    "运行 `acl audit verify --copy`",
    "run `acl audit verify --copy`",
)
UNUSABLE = Text(
    "audit.copy-unusable",
    "副本目录不可用（{why}）",
    "the copy's folder cannot be used ({why})",
    "检查目录与权限",
    "check the folder and its permissions",
)
NOT_THERE = Text(
    "audit.copy-not-there",
    "目录中没有 `{file}`，无从比对",
    "the folder holds no `{file}`, so there is nothing to compare with",
    "检查路径；若副本被删，这本身就是线索",
    "check the path; a copy that was deleted is itself a trace",
)


class LogCopy:
    """The copy in one folder, which is made where there is none."""

    def __init__(self, folder: Path) -> None:
        self._records, self._notes = folder / RECORDS, folder / CHECKPOINTS
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise ConfigError(UNUSABLE.of(why=failure.strerror or "?")) from None

    @classmethod
    def kept(cls, folder: Path, file: str) -> "LogCopy":
        """A copy to compare with. Raises InputError where the folder lacks this file of it: a
        comparison with nothing finds nothing."""
        if not (folder / file).is_file():
            raise InputError(NOT_THERE.of(file=file), Where(str(folder)))
        return cls(folder)

    def size(self) -> int:
        """How many records are copied. Raises InputError where the last line is cut short."""
        return sum(1 for _ in self.leaves())

    def leaves(self) -> Iterator[bytes]:
        """The leaf hash of every copied record, from record 0 on."""
        if not self._records.exists():
            return
        try:
            with self._records.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if not line.endswith(b"\n"):
                        raise InputError(TORN.of(), Where(str(self._records), number))
                    yield leaf_hash(line[:-1])
        except OSError as failure:
            raise ConfigError(UNUSABLE.of(why=failure.strerror or "?")) from None

    def checkpoints(self) -> list[str]:
        """The notes that were copied."""
        if not self._notes.exists():
            return []
        try:
            *notes, rest = self._notes.read_text("utf-8").split(_END)
        except OSError as failure:
            raise ConfigError(UNUSABLE.of(why=failure.strerror or "?")) from None
        except UnicodeDecodeError:
            raise ConfigError(UNUSABLE.of(why=f"{CHECKPOINTS}: UTF-8")) from None
        if rest:
            raise InputError(TORN.of(), Where(str(self._notes)))
        return notes

    def extend(self, records: Iterable[tuple[int, bytes]], notes: Iterable[str]) -> int:
        """Append what follows; how many records were added. Durable when this returns."""
        size, added, lines = self.size(), 0, list[bytes]()
        for index, body in records:
            if index != size + added:
                raise InputError(GAP.of(copied=size + added, index=index))
            lines.append(body + b"\n")
            added += 1
            if len(lines) == _BATCH:
                self._append(self._records, b"".join(lines))
                lines.clear()
        self._append(self._records, b"".join(lines))
        self.keep(notes)
        return added

    def keep(self, notes: Iterable[str]) -> None:
        """Append the notes that are not there yet. Durable when this returns."""
        have = set(self.checkpoints())
        new = [note + _END for note in notes if note not in have]
        self._append(self._notes, "".join(new).encode())

    def _append(self, path: Path, data: bytes) -> None:
        if not data:
            return
        try:
            with path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as failure:
            raise ConfigError(UNUSABLE.of(why=failure.strerror or "?")) from None

"""Writing an output file: whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.text import Text

CANNOT_WRITE = Text(
    "cli.cannot-write",
    "无法写入：{why}",
    "the file cannot be written: {why}",
    "请检查路径、权限与磁盘空间",
    "check the path, its permissions and the space on disk",
)


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a text or bytes at `path`, making its folder; an old file stays until the new one is
    complete. Raises InputError."""
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as failure:
        raise InputError(CANNOT_WRITE.of(why=failure.strerror or "?"), Where(str(path))) from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


@contextmanager
def new_file(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Make a file that is not there yet, for its owner alone, before the work that fills it: what
    cannot be written is found out first. Removed again if the work fails. Raises InputError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as failure:
        raise InputError(CANNOT_WRITE.of(why=failure.strerror or "?"), Where(str(path))) from None

    def write(content: bytes) -> None:
        try:
            file.write(content)
            file.flush()
            os.fsync(handle)
        except OSError as failure:
            why = failure.strerror or "?"
            raise InputError(CANNOT_WRITE.of(why=why), Where(str(path))) from None

    with os.fdopen(handle, "wb", closefd=True) as file:
        try:
            yield write
        except BaseException:
            path.unlink(missing_ok=True)
            raise

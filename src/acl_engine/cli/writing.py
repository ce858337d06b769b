"""Writing an output file: whole or not at all."""

import os
import tempfile
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


def write_whole(path: Path, text: str) -> None:
    """Put `text` at `path`, making its folder; an old file stays until the new one is complete."""
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as failure:
        raise InputError(CANNOT_WRITE.of(why=failure.strerror or "?"), Where(str(path))) from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)

"""In which encoding a text file is written, and whether what it says is believable.

INVARIANT: in doubt the file is refused. Text read in a wrong encoding looks like nonsense, passes
every mask for unknown characters, and can be turned back into the names that it was.
"""

import codecs
from pathlib import Path

from acl_engine.domain.errors import InputError
from acl_engine.domain.text import Text

NOT_CSV = Text(
    "file-not-csv",
    "文件内容不是 CSV（`{what}`）",
    "the file does not hold CSV (`{what}`)",
    "另存为 CSV（UTF-8）或 XLSX",
    "save it as CSV (UTF-8) or XLSX",
)
DOUBTFUL = Text(
    "file-encoding-doubtful",
    "按 `{encoding}` 读出的不像中文",
    "read as `{encoding}` the text makes no sense",
    "用 --encoding 指明真正的编码，或另存为 UTF-8",
    "name the true one with --encoding, or save as UTF-8",
)
OTHERWISE = Text(
    "file-encoding-otherwise",
    "文件是 `{found}` 编码，不是 `{encoding}`",
    "the file is `{found}`, not `{encoding}`",
    "去掉 --encoding，或改为该编码",
    "leave --encoding out, or name that one",
)

_SAMPLE = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"PK\x03\x04", "zip, XLSX"),
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
)
_CHINESE = frozenset({"gb18030", "gbk", "gb2312"})
# Of the Chinese in running text, over 97 of 100 characters are among the 3,755 of level 1 of
# GB 2312; of UTF-8 read as GB 18030, about 30.
_LEVEL_ONE = range(0xB0, 0xD8)
_LEAST_COMMON, _LEAST_HAN = 0.6, 6


def detect_encoding(source: Path, named: str | None = None) -> str:
    """By byte order mark, else UTF-8 where the first megabyte is UTF-8, else GB 18030.

    `named` is what the caller says it is. Raises InputError where the bytes say otherwise.
    """
    with source.open("rb") as file:
        sample = file.read(_SAMPLE)
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise InputError(NOT_CSV.of(what=what))
    found = next((encoding for mark, encoding in _BOMS if sample.startswith(mark)), None)
    utf8 = found == "utf-8-sig" or _is_utf8(sample)
    if named is not None:
        return _agreed(sample, named, found, utf8=utf8)
    if found is not None:
        return found
    if b"\0" in sample:
        raise InputError(NOT_CSV.of(what="NUL"))
    if utf8:
        return "utf-8"
    _read(sample, "gb18030")
    return "gb18030"


def plausible(text: str, encoding: str) -> bool:
    """Whether a text read as a Chinese encoding is made of common characters."""
    if encoding not in _CHINESE:
        return True
    han = [one for one in text if "\u4e00" <= one <= "\u9fff"]
    odd = sum("\ue000" <= one <= "\uf8ff" for one in text)
    common = sum(one.encode("gb2312", "replace")[0] in _LEVEL_ONE for one in han)
    return len(han) + odd < _LEAST_HAN or common >= _LEAST_COMMON * (len(han) + odd)


def was_utf8(cell: str, encoding: str) -> bool:
    """Whether a cell read as a Chinese encoding is, byte by byte, Chinese in UTF-8.

    The two do not overlap in practice: a part of a file that somebody appended is found by it.
    """
    if cell.isascii() or encoding not in _CHINESE:
        return False
    try:
        otherwise = cell.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    return any("\u4e00" <= one <= "\u9fff" for one in otherwise)


def _agreed(sample: bytes, named: str, found: str | None, *, utf8: bool) -> str:
    """The named encoding, unless the bytes are surely of another."""
    family = named.removesuffix("-sig").rstrip("-lbe")
    if found is not None and family != found.removesuffix("-sig"):
        raise InputError(OTHERWISE.of(found=found, encoding=named))
    if found is None and utf8 and family != "utf-8" and not sample.isascii():
        raise InputError(OTHERWISE.of(found="utf-8", encoding=named))
    if family.startswith(("utf-16", "utf-32")) and b"\0" not in sample:
        raise InputError(DOUBTFUL.of(encoding=named))
    if not family.startswith(("utf-16", "utf-32")) and b"\0" in sample:
        raise InputError(NOT_CSV.of(what="NUL"))
    _read(sample, named)
    return named


def _read(sample: bytes, encoding: str) -> None:
    """Refuse a sample that says nothing believable. A cut last character says nothing."""
    text = sample.decode(encoding, errors="ignore")
    if not plausible(text, encoding):
        raise InputError(DOUBTFUL.of(encoding=encoding))


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(sample) == _SAMPLE and error.start >= len(sample) - 4
    return True

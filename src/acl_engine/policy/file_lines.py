"""Whether a file has the lines that it seems to have.

casbin ends a line at a line feed alone; Python, and many editors, end it at ten further characters.
`# a note<U+2028>p, eve, ...` is a comment to casbin and to whoever reviews the file, and would be
a row to `splitlines`.

INVARIANT: a text that passes has the same lines for casbin, for Python and for a reviewer.
"""

import re

from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.text import Text

HIDDEN_BREAK = Text(
    "lines.hidden",
    "字符 {character} 看起来像换行，casbin 不当作换行",
    "the character {character} looks like the end of a line, and is none to casbin",
    "删去它，只用 LF 或 CRLF 换行",
    "delete it; end lines with LF or CRLF",
)
BYTE_ORDER_MARK = Text(
    "lines.byte-order-mark",
    "文件以字节顺序标记（BOM）开头，casbin 因此跳过第一行",
    "the file starts with a byte order mark, for which casbin skips the first line",
    "另存为不带 BOM 的 UTF-8",
    "save it as UTF-8 without a BOM",
)

_HIDDEN = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]|\r(?!\n)")


def unlike_casbin(text: str, lines: list[str], file: str) -> PolicyError | None:
    """What makes `lines`, the text as `splitlines` cuts it, other lines than casbin's."""
    if text.startswith("\ufeff"):
        return PolicyError(BYTE_ORDER_MARK.of(), Where(file, 1, 1))
    if len(lines) == text.count("\n") + (text[-1:] not in ("", "\n")):
        return None
    found = _HIDDEN.search(text)
    assert found is not None
    start = text.rfind("\n", 0, found.start()) + 1
    where = Where(file, text.count("\n", 0, start) + 1, found.start() - start + 1)
    return PolicyError(HIDDEN_BREAK.of(character=f"U+{ord(found[0]):04X}"), where)

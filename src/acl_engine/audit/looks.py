"""The looks in the log, read fast: the few fields that questions about the past need.

A question reads every record once; decoding a whole entry for each would take three times as long.
"""

from collections.abc import Iterable, Iterator

import msgspec

from acl_engine.domain.errors import StoreError
from acl_engine.domain.text import Text

UNREADABLE = Text(
    "audit.unreadable-look",
    "审计记录 `{index}` 不可读",
    "audit record `{index}` cannot be read",
    "运行 `acl audit verify`",
    "run `acl audit verify`",
)


class Look(msgspec.Struct, gc=False):
    """One record as the questions see it. `at` in epoch milliseconds."""

    kind: str
    at: int
    action: str
    account: str | None
    unit: str | None
    session: str | None
    effect: str
    subjects: tuple[str, ...] = ()
    count: int = 0
    watermark: str = ""

    @property
    def answered(self) -> bool:
        """Whether somebody was shown something."""
        return self.kind == "outcome" and self.effect == "allow" and self.count > 0


_decoder = msgspec.json.Decoder(Look)


def looks(rows: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, Look]]:
    """Index, bytes and look of every record (index, bytes). Raises StoreError naming one that
    cannot be read."""
    decode = _decoder.decode
    for index, body in rows:
        try:
            yield index, body, decode(body)
        except msgspec.DecodeError:
            raise StoreError(UNREADABLE.of(index=index)) from None

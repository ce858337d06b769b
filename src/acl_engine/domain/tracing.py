"""Evidence planted before a leak: honey rows and the marks of an export; the ports of both."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class PlantedMark:
    """A value that stands nowhere but where it was planted, as the digest the log would hold.

    `honey`: a record of nobody, which no work ever needs; whoever looked at it stands in the log.
    `export`: a row made up for one export alone; `account` asked for it, `request` is its record,
    `copies` are the ids of the one or two copies that hold it. `at` in epoch milliseconds.
    """

    digest: str
    kind: Literal["honey", "export"]
    at: int
    by: str
    account: str | None = None
    request: str | None = None
    copies: str | None = None


class PlantedMarks(Protocol):
    """What was planted. Who exports plants a few made-up rows in each file through `plant`."""

    def plant(self, marks: Sequence[PlantedMark]) -> None:
        """Keep them. Raises InputError for a digest that is planted already."""
        ...

    def among(self, digests: Collection[str]) -> tuple[PlantedMark, ...]:
        """The marks that stand in a leaked list."""
        ...

    def honey(self) -> frozenset[str]:
        """The digests of all honey rows."""
        ...


class HiddenMarks(Protocol):
    """A mark that survives a photograph without being noticed. No adapter exists yet.

    `embed` puts the ten symbols of a screen mark into a rendered page, `read` finds them in the
    bytes of a photograph, or says None.
    """

    def embed(self, page: bytes, mark: str) -> bytes: ...

    def read(self, photograph: bytes) -> str | None: ...

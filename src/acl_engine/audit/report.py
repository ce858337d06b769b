"""What verification is given of time stamps, and what it says of a log."""

from dataclasses import dataclass

from acl_engine.domain.text import Message


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified time stamp: the first `size` records were there at `at` (epoch ms). Records after
    the one whose digest is `token` (hex) were written later than that."""

    size: int
    at: int
    token: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, with the first record that it concerns (None: a checkpoint)."""

    index: int | None
    message: Message


@dataclass(frozen=True, slots=True)
class Report:
    """`signed_to`, `witnessed_to` and `stamped_to` are sizes: records below are proven by such a
    checkpoint. `copied_to`: records below are equal to the copy. `erased`: so many were emptied by
    retention; their hashes are proven all the same. The rest rests on the database alone.
    """

    size: int
    signed_to: int
    witnessed_to: int
    copied_to: int
    stamped_to: int
    erased: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        return not self.findings

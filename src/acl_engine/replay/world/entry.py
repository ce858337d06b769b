"""A record as its seed made it: what a verdict is measured by, whatever the company keeps."""

from collections.abc import Mapping
from typing import Protocol


class Entry(Protocol):
    """`name` is what scenarios call it by; `facts` are policy facts, `fields` clear values."""

    @property
    def name(self) -> str | None: ...

    @property
    def facts(self) -> Mapping[str, str | int | bool | None]: ...

    @property
    def fields(self) -> Mapping[str, str]: ...

    @property
    def key(self) -> str:
        """The record's number, the value of `key_field`."""
        ...

    @property
    def key_field(self) -> str: ...

    @property
    def person(self) -> str:
        """Whose data it is: two records of one person are one person's."""
        ...

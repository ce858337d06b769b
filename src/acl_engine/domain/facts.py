"""Live facts, fetched for one request. A missing attribute is an error; an error is a denial."""

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | bool | None | frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """`subject` and `resource` hold what the pack's relations read as `sub.x` and `res.x`.

    `resource` is None when the request names no single record (search) or the record does not
    exist: the two look alike to a decision. `resource` never holds a personal field.
    """

    subject: Mapping[str, Value]
    resource: Mapping[str, Value] | None

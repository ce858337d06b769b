"""What leaves the engine: masked fields only, with the mark of the session that saw them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class View:
    """One record as shown. `fields` holds only what the decision granted, already masked.

    `handle` names the record in later requests of the same session. `watermark` is the short code
    shown on screen that leads from a photograph back to the session.
    """

    resource: str
    handle: str
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    watermark: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of views and the id of the audit record that was durable before it left."""

    request_id: str
    views: tuple[View, ...]
    next: str | None = None

"""The confidentiality table: class of data x link of the process -> rule, control, post.

It is the company's document (保密责任表) as data, so that it is checked against the policy and
cannot differ from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# The links of a courier company, in the order of a parcel's life; another trade names its own.
LINKS = (
    "order",
    "pickup",
    "label",
    "hub",
    "branch",
    "delivery",
    "station",
    "customer_service",
    "claim",
    "finance",
    "export",
    "operations",
    "destruction",
)


@dataclass(frozen=True, slots=True)
class Both:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What holds for one class of data at one link; `post` is the role that answers for it."""

    rule: Both
    controls: tuple[str, ...]
    post: str


@dataclass(frozen=True, slots=True)
class Confidentiality:
    """`cells` by link and class; both in the order of the file."""

    title: Both
    classes: Mapping[str, Both]
    links: Mapping[str, Both]
    cells: Mapping[tuple[str, str], Cell]

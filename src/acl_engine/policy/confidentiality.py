"""Reading confidentiality.yaml, and holding it to the catalogue, the controls and the roles."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from acl_engine.domain.confidentiality import LINKS, Both, Cell, Confidentiality
from acl_engine.domain.control import Control
from acl_engine.domain.errors import PolicyError, Where
from acl_engine.domain.pack import RoleSpec
from acl_engine.domain.text import Text

FILE = "confidentiality.yaml"

EMPTY = Text(
    "confidentiality.empty-cell",
    "环节 `{link}` × 数据类别 `{data_class}` 没有规则",
    "the cell of link `{link}` and data class `{data_class}` is empty",
    "写明规则、控制措施与责任岗位",
    "give its rule, its control and its post",
)
TWICE = Text(
    "confidentiality.cell-twice",
    "环节 `{link}` × 数据类别 `{data_class}` 写了两次",
    "the cell of link `{link}` and data class `{data_class}` stands twice",
    "只保留一处",
    "keep one",
)
UNKNOWN = Text(
    "confidentiality.unknown-word",
    "{what} `{word}` 不存在",
    "{what} `{word}` does not exist",
    "可用：{known}",
    "known: {known}",
)
NO_LINK = Text(
    "confidentiality.no-link",
    "缺少环节 `{link}`",
    "the link `{link}` is missing",
    "补上该环节",
    "add it",
)
BLANK = Text(
    "confidentiality.blank",
    "环节 `{link}` 有空白的规则或没有控制措施",
    "link `{link}` has a blank rule, or one without a control",
    "写明中英文规则与至少一项控制措施",
    "give the rule in both languages, and a control at least",
)


class _Cell(msgspec.Struct, forbid_unknown_fields=True):
    classes: tuple[str, ...]
    rule: Both
    controls: tuple[str, ...]
    post: str | None = None


class _Link(msgspec.Struct, forbid_unknown_fields=True):
    name: Both
    post: str
    cells: tuple[_Cell, ...]


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """The file. Cells that say the same may stand together; every cell must stand somewhere.

    `process` names the links of a company that moves no parcels, in their order.
    """

    schema: Literal["acl-confidentiality/1"]
    title: Both
    classes: dict[str, Both]
    links: dict[str, _Link]
    process: tuple[str, ...] = LINKS


def table_of(document: Document) -> Confidentiality:
    """The table as read; what is wrong with it is for `findings`."""
    cells = {
        (link, data_class): Cell(group.rule, group.controls, group.post or spec.post)
        for link, spec in document.links.items()
        for group in spec.cells
        for data_class in group.classes
    }
    links = {link: spec.name for link, spec in document.links.items()}
    return Confidentiality(document.title, document.classes, links, cells)


def findings(
    document: Document,
    file: str,
    text: str,
    classes: frozenset[str],
    controls: Mapping[str, Control],
    roles: Mapping[str, RoleSpec],
) -> Iterator[PolicyError]:
    """Everything that is wrong with it, each at its link's line. `classes`: the catalogue's."""
    named = (*document.process, *document.links, "classes")
    at = {link: Where(file, _line(text, link)) for link in named}
    yield from _words("data class", document.classes, classes, at["classes"])
    for data_class in sorted(classes - set(document.classes)):
        yield PolicyError(EMPTY.of(link="*", data_class=data_class), at["classes"])
    for link in document.process:
        if link not in document.links:
            yield PolicyError(NO_LINK.of(link=link), Where(file, 1))
    for link, spec in document.links.items():
        yield from _words("link", (link,), document.process, at[link])
        yield from _link(link, spec, at[link], classes, controls, roles)


def _link(
    link: str,
    spec: _Link,
    where: Where,
    classes: frozenset[str],
    controls: Mapping[str, Control],
    roles: Mapping[str, RoleSpec],
) -> Iterator[PolicyError]:
    staff = [name for name, role in roles.items() if role.human and role.level > 0]
    seen: set[str] = set()
    yield from _words("post", (spec.post,), staff, where)
    for group in spec.cells:
        if not (group.rule.zh.strip() and group.rule.en.strip() and group.controls):
            yield PolicyError(BLANK.of(link=link), where)
        yield from _words("control", group.controls, controls, where)
        yield from _words("data class", group.classes, classes, where)
        yield from _words("post", (group.post,) if group.post else (), staff, where)
        for data_class in group.classes:
            if data_class in seen:
                yield PolicyError(TWICE.of(link=link, data_class=data_class), where)
            seen.add(data_class)
    for data_class in sorted(classes - seen):
        yield PolicyError(EMPTY.of(link=link, data_class=data_class), where)


def _words(
    what: str,
    words: "tuple[str, ...] | Mapping[str, object]",
    known: "frozenset[str] | tuple[str, ...] | list[str] | Mapping[str, object]",
    where: Where,
) -> Iterator[PolicyError]:
    for word in words:
        if word not in known:
            listed = ", ".join(sorted(known))
            yield PolicyError(UNKNOWN.of(what=what, word=word, known=listed), where)


def _line(text: str, key: str) -> int:
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.strip().startswith(f"{key}:")), 1)

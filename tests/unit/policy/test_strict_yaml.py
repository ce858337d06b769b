"""Strict YAML is read by libyaml where it can be; what it reads is what the slow reader reads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from acl_engine.domain.errors import InputError
from acl_engine.policy import strict_yaml

ROOT = Path(__file__).parents[3]
FILES = [
    path
    for folder in ("policies", "scenarios", "seeds", "tests/assets", "deploy")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
]


def shape(node: yaml.Node | None) -> Any:
    """A node with its places: what the typed reader and its findings are made of."""
    if node is None:
        return None
    place = (node.start_mark.line, node.start_mark.column)
    if isinstance(node, yaml.MappingNode):
        return place, [(shape(key), shape(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return place, [shape(one) for one in node.value]
    return place, node.value, getattr(node, "style", None) or None


def test_both_readers_read_every_shipped_file_alike() -> None:
    """Values, quotes, lines and columns: an error is told at the same place."""
    fast = 0
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        if (node := strict_yaml._fast(text)) is not None:
            assert shape(node) == shape(strict_yaml._Loader(text).get_single_node()), file
            fast += 1
    assert fast > len(FILES) * 0.9


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\nb: *x", "a: 1\n---\nb: 2", "\ta: 1", "a: [", "[" * 100_000, "{a: " * 20_000],
    ids=["alias", "two-documents", "tab", "unclosed", "deep-list", "deep-mapping"],
)
def test_what_is_no_plain_document_is_one_error(text: str) -> None:
    """Explained by the slow reader; nothing so deep that the reader itself breaks."""
    assert strict_yaml._fast(text) is None
    with pytest.raises(InputError) as found:
        strict_yaml.plain(text, "file.yaml")
    assert "\n" not in found.value.render("en")

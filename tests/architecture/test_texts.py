"""Everything that people read exists in Chinese and in English, with the same parameters."""

import importlib
import pkgutil
import re
from string import Formatter

import acl_engine
from acl_engine.domain.text import Text


def texts() -> dict[str, Text]:
    """Every `Text` constant of every module, by code."""
    found: dict[str, Text] = {}
    for info in pkgutil.walk_packages(acl_engine.__path__, "acl_engine."):
        if info.name.endswith("__main__") or ".migrations" in info.name:
            continue
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, Text):
                assert found.get(value.code, value) == value, f"code used twice: {value.code}"
                found[value.code] = value
    return found


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_every_text_has_both_languages() -> None:
    """No reader is left with half of the sentence."""
    found = texts()
    assert len(found) > 10
    for text in found.values():
        assert re.search(r"[\u4e00-\u9fff]", text.zh), f"no Chinese: {text.code}"
        assert text.en, f"no English: {text.code}"
        assert not re.search(r"[\u4e00-\u9fff]", text.en), f"Chinese in English: {text.code}"
        assert names(text.zh) == names(text.en), f"parameters differ: {text.code}"
        assert bool(text.hint_zh) == bool(text.hint_en), f"half a hint: {text.code}"
        assert "\n" not in text.zh + text.en, f"more than one line: {text.code}"

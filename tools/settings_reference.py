"""Write docs/reference/settings.md from the settings and their texts.

Usage: python tools/settings_reference.py
"""

from pathlib import Path

from acl_engine.bootstrap.setting_texts import DOCS
from acl_engine.bootstrap.settings import KEYS, variable_of

FILE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
HEAD = """# Settings of the service 设置

Made by `tools/settings_reference.py`; a test compares. See [operate](../how-to/operate.md).

| key | default | variable | what it means | 含义 |
|---|---|---|---|---|
"""


def text() -> str:
    rows = [
        f"| `{key}` | {_shown(default)} | `{variable_of(key)}` | {DOCS[key].en} | {DOCS[key].zh} |"
        for key, default in KEYS.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def _shown(default: object) -> str:
    return "" if default is None else f"`{default}`"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

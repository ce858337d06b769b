"""Write docs/reference/controls.md from the packs' controls and the scenarios that need them.

Usage: python tools/control_reference.py
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "reference" / "controls.md"
HEAD = """# Controls 控制措施

Made by `tools/control_reference.py` from each pack's `controls.yaml` and the scenarios; a test
compares. `line` is where a control says no: `login`, or a number 0 to 11 of the
[lookup line](../lookup-flow.md). `kind` is its number among the kinds of control (C1 to C20) that
the published leaks call for. The scenarios leak without the control, or need it among others. A
control that no scenario needs is a finding: nothing shows that it works.
"""
TABLE = """
| control | 名称 | what it is | line | kind | scenarios |
|---|---|---|---|---|---|
"""


def text() -> str:
    packs = sorted(path.parents[1].name for path in ROOT.glob("policies/*/after/controls.yaml"))
    return HEAD + "".join(f"\n## {pack}\n{TABLE}" + "\n".join(_rows(pack)) + "\n" for pack in packs)


def _rows(pack: str) -> Iterator[str]:
    needed: dict[str, list[str]] = {}
    for path in sorted((ROOT / "scenarios" / pack).glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in data.get("controls", ()) if data["status"] == "active" else ():
            link = f"[{path.stem}](../../{path.relative_to(ROOT).as_posix()})"
            needed.setdefault(name, []).append(link)
    file = ROOT / "policies" / pack / "after" / "controls.yaml"
    for name, one in yaml.safe_load(file.read_text(encoding="utf-8"))["controls"].items():
        scenarios = " ".join(needed.get(name, ["*none yet*"]))
        cells = (f"`{name}`", one["zh"], one["en"], one["line"], one.get("pattern", ""), scenarios)
        yield "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

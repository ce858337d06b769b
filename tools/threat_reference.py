"""Write the table of leak patterns into docs/threat-model.md, from the scenario files.

Usage: python tools/threat_reference.py
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "threat-model.md"
OPEN, SHUT = "<!-- made by tools/threat_reference.py -->", "<!-- /made -->"
HEAD = """
| # | how it leaks | replayed by | shut by | also tested in |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Replayed:
    """One active scenario: its file below the project, the patterns it is about, its controls."""

    file: str
    patterns: tuple[int, ...]
    controls: tuple[str, ...]
    kind: str  # leak, residual, or honest work

    @property
    def link(self) -> str:
        link = f"[{Path(self.file).stem}](../{self.file})"
        return link if self.kind == "leak" else f"{link} ({self.kind})"


def replayed() -> list[Replayed]:
    """Every active scenario of every pack."""
    found = []
    for path in sorted(ROOT.glob("scenarios/*/*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        if data["status"] == "active":
            patterns = tuple(data["source"].get("patterns", ()))
            controls = tuple(data.get("controls", ()))
            kind = "residual" if "residual" in data else "leak" if "goal" in data else "honest work"
            found.append(Replayed(path.relative_to(ROOT).as_posix(), patterns, controls, kind))
    return found


def text() -> str:
    """The whole page, its table made anew."""
    before, _, rest = FILE.read_text(encoding="utf-8").partition(OPEN)
    _, _, after = rest.partition(SHUT)
    return before + OPEN + "\n" + HEAD + "\n".join(_rows()) + "\n\n" + SHUT + after


def _rows() -> Iterator[str]:
    catalogue = yaml.safe_load((ROOT / "scenarios" / "patterns.yaml").read_text(encoding="utf-8"))
    scenarios = replayed()
    unnumbered = {n for one in scenarios for n in one.patterns} - set(catalogue["patterns"])
    if unnumbered:
        sys.exit(f"scenarios/patterns.yaml lacks {sorted(unnumbered)}")
    for number, pattern in catalogue["patterns"].items():
        about = [one for one in scenarios if number in one.patterns]
        controls = dict.fromkeys(name for one in about for name in one.controls)
        tests = [f"[{Path(test).stem}](../{test})" for test in pattern.get("tests", ())]
        cells = (
            str(number),
            f"{pattern['zh']}<br>{pattern['en']}{_outside(pattern)}",
            "<br>".join(one.link for one in about) or "*none yet*",
            " ".join(f"`{name}`" for name in controls),
            "<br>".join(tests),
        )
        yield "| " + " | ".join(cells) + " |"


def _outside(pattern: dict[str, dict[str, str]]) -> str:
    if "outside" not in pattern:
        return ""
    return f"<br>*{pattern['outside']['zh']}；{pattern['outside']['en']}*"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

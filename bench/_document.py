"""docs/performance.md: one section a bench, between markers of its own.

INVARIANTS
- What stands outside of the markers is written by hand and never touched.
- A section that is not there yet comes before the first one of a later name.
"""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
_SECTION = re.compile(r"<!-- bench:(\w+) -->\n.*?<!-- /bench:\1 -->\n", re.DOTALL)


def section(name: str, title: str, command: str, tables: list[str]) -> str:
    """The text of one section, markers included."""
    body = "\n\n".join([f"## {title}", f"`{command}`", machine(), *tables])
    return f"<!-- bench:{name} -->\n{body}\n<!-- /bench:{name} -->\n"


def placed(document: str, name: str, text: str) -> str:
    """The document with this section in its place."""
    for found in _SECTION.finditer(document):
        if found[1] == name:
            return document[: found.start()] + text + document[found.end() :]
        if found[1] > name:
            return f"{document[: found.start()]}{text}\n{document[found.start() :]}"
    return f"{document.rstrip()}\n\n{text}"


def names(document: str) -> list[str]:
    """The benches that have a section, in the order of the document."""
    return [found[1] for found in _SECTION.finditer(document)]


def machine() -> str:
    """The machine, its load and the day, so that nobody compares seconds of two runs."""
    day = datetime.now(UTC).date().isoformat()
    cores = os.cpu_count()
    system = f"{platform.system()} {platform.machine()}"
    memory = _memory_gb()
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GB, {system}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}, {day}"
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown processor"
    found = re.search(r"model name\s*: (.+)", text)
    return found[1] if found else "unknown processor"


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30

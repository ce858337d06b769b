"""`python -m bench [--print] [NAME [OPTIONS]]`: run a bench, or all, and write down its numbers.

Each bench prints its tables and writes them into its own section of docs/performance.md;
`--print` leaves the document alone. `python -m bench NAME --help` tells a bench's own options.
Exit code 0 if every target was met, 1 if one was missed, 2 for a bench that is not known.

A bench is a module `bench/NAME.py` with a `TITLE` and `main(arguments) -> Iterator[Table]`.
"""

import pkgutil
import subprocess
import sys
from importlib import import_module

import bench
from bench import _document


def known() -> list[str]:
    """The names of all benches."""
    found = sorted(info.name for info in pkgutil.iter_modules(bench.__path__))
    return [name for name in found if not name.startswith("_")]


def run(name: str, options: list[str], *, keep: bool) -> int:
    """Run one bench in this process; write its section if `keep`."""
    module = import_module(f"bench.{name}")
    print(f"\n## {module.TITLE}\n", flush=True)
    sys.argv[0] = f"python -m bench {name}"  # so that the bench's own --help names it
    texts, missed = [], 0
    for table in module.main(options):
        texts.append(table.markdown())
        missed += sum(not target.met for target in table.targets)
        print(texts[-1] + "\n", flush=True)
    if keep:
        command = " ".join(["python -m bench", name, *options])
        text = _document.section(name, module.TITLE, command, texts)
        # Read again after the run: others may have written their sections meanwhile.
        document = _document.DOCUMENT.read_text(encoding="utf-8")
        _document.DOCUMENT.write_text(_document.placed(document, name, text), encoding="utf-8")
    return 1 if missed else 0


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    keep = "--print" not in arguments[:1]
    wanted = arguments if keep else arguments[1:]
    if wanted and wanted[0] in ("-h", "--help"):
        print(f"{__doc__}\nBenches: {', '.join(known())}")
        return 0
    if not wanted:
        # A process each: what one bench leaves in memory is not in the numbers of the next.
        command = [sys.executable, "-m", "bench", *arguments]
        return max(subprocess.run([*command, name], check=False).returncode for name in known())
    if wanted[0] not in known():
        print(
            f"bench: `{wanted[0]}` is not known; there are: {', '.join(known())}", file=sys.stderr
        )
        return 2
    return run(wanted[0], wanted[1:], keep=keep)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

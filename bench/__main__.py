"""`python -m bench [NAME ...]`: run the benches named, or all; each prints ratios of one run."""

import pkgutil
import sys
from importlib import import_module

import bench


def main(names: list[str]) -> int:
    """Run each bench's `main()`, options in `sys.argv`; 2 if a name is not known."""
    known = sorted(info.name for info in pkgutil.iter_modules(bench.__path__))
    known = [name for name in known if not name.startswith("_")]
    wanted, options = names, []
    for at, name in enumerate(names):
        if name.startswith("-"):
            wanted, options = names[:at], names[at:]
            break
    for name in wanted:
        if name not in known:
            print(f"bench: `{name}` is not known; there are: {', '.join(known)}", file=sys.stderr)
            return 2
    for name in wanted or known:
        print(f"\n## {name}\n", flush=True)
        sys.argv = [f"bench {name}", *options]
        import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A process that looks for ever and prints the request id of each answer it got."""

import sys
from pathlib import Path

from tests.line_world import line_over, template


def look(folder: Path) -> None:
    database, truth = template(folder)
    database.clone_to_memory = lambda: database  # type: ignore[method-assign]
    with line_over(database, truth) as line:
        token = line.token("courier-88", "pda-88")
        query = line.read("load-1")
        for _ in range(500):
            sys.stdout.write(f"{line.engine.ask(token, query).request_id}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    look(Path(sys.argv[1]))
